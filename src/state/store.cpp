#include "state/store.h"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "state/codec.h"

namespace ff {
namespace {

Error error_of(const rocksdb::Status& status, const std::string& doing) {
  const std::string text = "state: " + doing + ": " + status.ToString();
  if (status.IsNoSpace() || status.ToString().find("No space") != std::string::npos)
    return {Recourse::retry, "disk_full", text + "; free space on the state directory's disk"};
  if (status.IsCorruption())
    return {Recourse::halt, "state_damaged",
            text + "; remove the state directory and start again: it is rebuilt from the lake"};
  if (status.ToString().find("lock") != std::string::npos)
    return {Recourse::halt, "state_locked", text + "; another engine uses this state directory"};
  return {Recourse::halt, "state_error", text};
}

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& bytes) { return {bytes.data(), bytes.size()}; }

/// What has expired shrinks to its stub; RocksDB asks from threads of its own.
class Expiry : public rocksdb::CompactionFilter {
 public:
  std::atomic<Micros> as_of = none;

  const char* Name() const override { return "fleetflow.expiry"; }
  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string* shorter,
              bool* is_changed) const override {
    if (const auto stub = expired(view(value), as_of)) {
      shorter->assign(*stub);
      *is_changed = true;
    }
    return false;
  }
};

/// RocksDB's own log keeps nothing: where its library has assertions, as Debian's has, the second line that a full disk does
/// not take aborts the process. What goes wrong is told by statuses.
class NoLog : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

constexpr std::uint64_t compacted_every_s = 24 * 3600;

}  // namespace

/// A batch on its way: what was staged, sorted by key, and not to be changed any more.
struct Store::Staged {
  Changes changes;

  static bool is_less(const Changes::value_type& change, std::string_view key) { return change.first < key; }
  Changes::const_iterator lower_bound(std::string_view key) const {
    return std::lower_bound(changes.begin(), changes.end(), key, is_less);
  }
};

struct Store::Impl {
  Expiry expiry;  ///< before the database that asks it
  std::unique_ptr<rocksdb::DB> db;
  mutable std::mutex mutex;
  std::shared_ptr<const Staged> staged = std::make_shared<Staged>();

  std::shared_ptr<const Staged> on_the_way() const {
    const std::lock_guard lock(mutex);
    return staged;
  }
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& o) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = o.write_buffer_bytes;
  options.max_write_buffer_number = 3;
  options.atomic_flush = true;
  // The first two levels are soon written anew: what is compressed there is compressed again before long.
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  options.max_background_jobs = 2;
  options.info_log = std::make_shared<NoLog>();
  options.max_open_files = 256;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(o.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.block_size = 16 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  auto impl = std::make_unique<Impl>();
  options.compaction_filter = &impl->expiry;
  options.periodic_compaction_seconds = compacted_every_s;
  rocksdb::DB* db = nullptr;
  if (const auto status = rocksdb::DB::Open(options, o.directory, &db); !status.ok())
    return error_of(status, "open " + o.directory);
  impl->db.reset(db);
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Result<std::vector<std::string>> Store::get(const std::vector<std::string>& keys) const {
  const auto on_the_way = impl_->on_the_way();  // before the store: what leaves it meanwhile is in the store then
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  impl_->db->MultiGet(rocksdb::ReadOptions(), impl_->db->DefaultColumnFamily(), slices.size(), slices.data(),
                      values.data(), statuses.data(), true);
  std::vector<std::string> out(keys.size());
  auto newer = on_the_way->lower_bound(keys.empty() ? std::string_view() : std::string_view(keys.front()));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    while (newer != on_the_way->changes.end() && newer->first < keys[i]) ++newer;
    if (newer != on_the_way->changes.end() && newer->first == keys[i])
      out[i] = newer->second;
    else if (statuses[i].ok())
      out[i].assign(values[i].data(), values[i].size());
    else if (!statuses[i].IsNotFound())
      return error_of(statuses[i], "read");
  }
  return out;
}

Result<std::string> Store::get(std::string_view key) const {
  const auto on_the_way = impl_->on_the_way();
  if (const auto newer = on_the_way->lower_bound(key); newer != on_the_way->changes.end() && newer->first == key)
    return newer->second;
  std::string value;
  const auto status = impl_->db->Get(rocksdb::ReadOptions(), slice(key), &value);
  if (!status.ok() && !status.IsNotFound()) return error_of(status, "read");
  return value;
}

struct Store::Neighbours::Impl {
  std::shared_ptr<const Staged>
      on_the_way;  ///< taken before the iterator: what leaves it meanwhile is in the store then
  std::unique_ptr<rocksdb::Iterator> stored;

  Result<Entry> entry(std::string_view prefix) const {
    if (!stored->status().ok()) return error_of(stored->status(), "seek");
    if (!stored->Valid() || !stored->key().starts_with(slice(prefix))) return Entry();
    return Entry(std::make_pair(stored->key().ToString(), stored->value().ToString()));
  }
};

Store::Neighbours::Neighbours(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Neighbours::~Neighbours() = default;

Store::Neighbours Store::neighbours() const {
  auto on_the_way = impl_->on_the_way();
  std::unique_ptr<rocksdb::Iterator> stored(impl_->db->NewIterator(rocksdb::ReadOptions()));
  return Neighbours(std::make_unique<Neighbours::Impl>(Neighbours::Impl{std::move(on_the_way), std::move(stored)}));
}

Result<Store::Neighbours::Entry> Store::Neighbours::before(std::string_view key, std::size_t prefix_bytes) {
  const auto& staged = impl_->on_the_way->changes;
  rocksdb::Iterator& it = *impl_->stored;
  it.SeekForPrev(slice(key));
  if (it.Valid() && it.key() == slice(key)) it.Prev();
  Entry stored = FF_TRY(impl_->entry(key.substr(0, prefix_bytes)));
  auto newer = impl_->on_the_way->lower_bound(key);
  if (newer == staged.begin() || !(--newer)->first.starts_with(key.substr(0, prefix_bytes))) return stored;
  return !stored || stored->first <= newer->first ? Entry(*newer) : stored;
}

Result<Store::Neighbours::Entry> Store::Neighbours::after(std::string_view key, std::size_t prefix_bytes) {
  const auto& staged = impl_->on_the_way->changes;
  rocksdb::Iterator& it = *impl_->stored;
  it.Seek(slice(key));
  if (it.Valid() && it.key() == slice(key)) it.Next();
  Entry stored = FF_TRY(impl_->entry(key.substr(0, prefix_bytes)));
  auto newer = impl_->on_the_way->lower_bound(key);
  if (newer != staged.end() && newer->first == key) ++newer;
  if (newer == staged.end() || !newer->first.starts_with(key.substr(0, prefix_bytes))) return stored;
  return !stored || newer->first <= stored->first ? Entry(*newer) : stored;
}

Result<std::vector<std::pair<std::string, std::string>>> Store::scan(std::string_view prefix) const {
  std::vector<std::pair<std::string, std::string>> out;
  const std::unique_ptr<rocksdb::Iterator> it(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (it->Seek(slice(prefix)); it->Valid() && it->key().starts_with(slice(prefix)); it->Next())
    out.emplace_back(it->key().ToString(), it->value().ToString());
  if (!it->status().ok()) return error_of(it->status(), "scan");
  return out;
}

void Store::stage(Changes changes) {
  const auto is_before = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::stable_sort(changes.begin(), changes.end(), is_before);
  // Of several changes of one key the last counts.
  auto kept = changes.begin();
  for (auto it = changes.begin(); it != changes.end(); ++it) {
    if (std::next(it) != changes.end() && std::next(it)->first == it->first) continue;
    if (kept != it) *kept = std::move(*it);
    ++kept;
  }
  changes.erase(kept, changes.end());
  auto staged = std::make_shared<Staged>(Staged{std::move(changes)});
  const std::lock_guard lock(impl_->mutex);
  FF_CHECK(impl_->staged->changes.empty());
  impl_->staged = std::move(staged);
}

Result<void> Store::write_staged(Micros as_of) {
  impl_->expiry.as_of = as_of;
  constexpr std::size_t framing = 16;  // kind and lengths, at most, of a change
  std::size_t bytes = 0;
  for (const auto& [key, value] : impl_->on_the_way()->changes) bytes += key.size() + value.size() + framing;
  rocksdb::WriteBatch batch(bytes);
  for (const auto& [key, value] : impl_->on_the_way()->changes) {
    if (value.empty())
      batch.Delete(key);
    else
      batch.Put(key, slice(expired(value, as_of).value_or(value)));
  }
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  if (const auto status = impl_->db->Write(options, &batch); !status.ok()) return error_of(status, "write");
  const std::lock_guard lock(impl_->mutex);
  impl_->staged = std::make_shared<Staged>();
  return {};
}

Result<void> Store::flush() {
  if (const auto status = impl_->db->Flush(rocksdb::FlushOptions()); !status.ok()) return error_of(status, "flush");
  return {};
}

Result<void> Store::compact() {
  rocksdb::CompactRangeOptions all;
  all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  if (const auto status = impl_->db->CompactRange(all, nullptr, nullptr); !status.ok())
    return error_of(status, "compact");
  return {};
}

std::uint64_t Store::bytes() const {
  std::uint64_t live = 0, memory = 0;
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kEstimateLiveDataSize, &live);
  impl_->db->GetIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
  return live + memory;
}

}  // namespace ff
