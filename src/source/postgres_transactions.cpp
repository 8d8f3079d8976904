#include "source/postgres_transactions.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "decode/pg_bytes.h"

namespace ff {
namespace {

Error protocol_error(const char* what) {
  return {Recourse::halt, "replication_protocol", std::string("the replication stream is out of order: ") + what};
}

Error disk_error(const std::string& directory) {
  return {Recourse::retry, "disk_full",
          "a transaction cannot be spilled to " + directory + ": " + std::strerror(errno) +
              "; free space, or set streaming off so that the server keeps it"};
}

bool is_change(PgMessageKind kind) {
  return kind == PgMessageKind::relation || kind == PgMessageKind::insert || kind == PgMessageKind::update ||
         kind == PgMessageKind::remove || kind == PgMessageKind::truncate;
}

}  // namespace

Result<void> PgTransactions::accept(std::string_view bytes) {
  const auto kind = static_cast<PgMessageKind>(bytes.empty() ? '\0' : bytes[0]);
  if (chunk_of_ != 0 && kind != PgMessageKind::stream_stop) return spill(bytes);
  FF_TRY(parse_pgoutput(bytes, PgStreaming::no, message_));
  switch (kind) {
    case PgMessageKind::begin:
      if (inside_) return protocol_error("a transaction begins inside another");
      inside_ = true;
      return sink_.begin({message_.xid, message_.commit_lsn, message_.commit_time});
    case PgMessageKind::commit:
      if (!inside_) return protocol_error("a commit without its begin");
      inside_ = false;
      return sink_.commit(message_.end_lsn);
    case PgMessageKind::stream_start:
      if (inside_) return protocol_error("a chunk begins inside a transaction");
      chunk_of_ = message_.xid;
      return {};
    case PgMessageKind::stream_stop:
      chunk_of_ = 0;
      return {};
    case PgMessageKind::stream_commit:
      return replay(message_);
    case PgMessageKind::stream_abort:
      if (message_.sub_xid == message_.xid)
        drop(message_.xid);
      else if (const auto spilled = spills_.find(message_.xid); spilled != spills_.end())
        spilled->second.rolled_back.insert(message_.sub_xid);
      return {};
    default:
      if (kind == PgMessageKind::logical && inside_) return sink_.message(message_);
      if (!is_change(kind)) return {};  // origin, type: nothing of ours
      if (!inside_) return protocol_error("a change outside any transaction");
      return sink_.change(message_);
  }
}

Result<void> PgTransactions::spill(std::string_view bytes) {
  const auto kind = static_cast<PgMessageKind>(bytes[0]);
  if (!is_change(kind)) return {};
  Spill& to = spills_[chunk_of_];
  if (!to.file) {
    const int file = ::open(spill_directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return disk_error(spill_directory_);
    to.file.reset(::fdopen(file, "w+b"));
  }
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (std::fwrite(&size, sizeof size, 1, to.file.get()) != 1 ||
      std::fwrite(bytes.data(), 1, bytes.size(), to.file.get()) != bytes.size())
    return disk_error(spill_directory_);
  to.bytes += static_cast<std::int64_t>(sizeof size + bytes.size());
  spilled_bytes_ += static_cast<std::int64_t>(sizeof size + bytes.size());
  if (spilled_bytes_ > spill_bytes_max_)
    return Error{Recourse::halt, "spill_full",
                 "transactions that have not ended yet take more than " + std::to_string(spill_bytes_max_) +
                     " bytes in " + spill_directory_ +
                     "; set streaming off (the server keeps them), or raise spill_bytes_max"};
  return {};
}

Result<void> PgTransactions::replay(const PgMessage& commit) {
  const std::uint32_t xid = commit.xid;
  const Lsn end = commit.end_lsn;
  const PgTransaction transaction{xid, commit.commit_lsn, commit.commit_time};
  if (inside_) return protocol_error("a streamed commit inside a transaction");
  inside_ = true;
  FF_TRY(sink_.begin(transaction));
  if (const auto spilled = spills_.find(xid); spilled != spills_.end() && spilled->second.file) {
    std::FILE* const file = spilled->second.file.get();
    if (std::fflush(file) != 0) return disk_error(spill_directory_);
    std::rewind(file);
    std::vector<char> bytes;
    std::uint32_t size = 0;
    while (std::fread(&size, sizeof size, 1, file) == 1) {
      bytes.resize(size);
      if (std::fread(bytes.data(), 1, size, file) != size) return disk_error(spill_directory_);
      FF_TRY(parse_pgoutput({bytes.data(), size}, PgStreaming::yes, message_));
      if (!spilled->second.rolled_back.contains(message_.xid)) FF_TRY(sink_.change(message_));
    }
    if (std::ferror(file)) return disk_error(spill_directory_);
  }
  drop(xid);
  inside_ = false;
  return sink_.commit(end);
}

void PgTransactions::drop(std::uint32_t xid) {
  const auto spilled = spills_.find(xid);
  if (spilled == spills_.end()) return;
  spilled_bytes_ -= spilled->second.bytes;
  spills_.erase(spilled);
}

}  // namespace ff
