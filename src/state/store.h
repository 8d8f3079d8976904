/// Keyed state on RocksDB: a cache of what the lake's sources said, so that a fact can be folded with all facts before it.
///
/// State may lag the lake, never lead it: `write` is called after the lake's commit, with that commit's marks in the same
/// batch; a crash in between is mended by reading raw.* from the state's marks on, silently. There is no
/// write-ahead log: what was not flushed yet is replayed the same way, and one column family with atomic flushes keeps keys
/// and marks of one moment together. A generation names contracts, transitions and zone; another one starts empty.
/// What has expired (codec.h) is cut to its stub when it is written, or when RocksDB next compacts it: within about a day.
/// One thread stages, one calls `write_staged` and `flush`; all may read. Source: architecture, "Keyed state is a cache of core"; RocksDB 7.8.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "domain/fact.h"

namespace ff {

struct StoreOptions {
  std::string directory;
  std::size_t cache_bytes = 64u << 20;         ///< block cache
  std::size_t write_buffer_bytes = 32u << 20;  ///< flushed when full, or by flush()
};

class Store {
 public:
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();

  /// The values of `keys`, which are sorted; an empty string where there is none.
  Result<std::vector<std::string>> get(const std::vector<std::string>& keys) const;
  Result<std::string> get(std::string_view key) const;
  /// Finds what lies beside a key, all as of the moment it was made. It holds memory back: for one fold, no longer.
  class Neighbours {
   public:
    ~Neighbours();
    /// The greatest key < `key` and the least key > `key` that share its first `prefix_bytes` bytes, with their values.
    using Entry = std::optional<std::pair<std::string, std::string>>;
    Result<Entry> before(std::string_view key, std::size_t prefix_bytes);
    Result<Entry> after(std::string_view key, std::size_t prefix_bytes);

   private:
    friend class Store;
    struct Impl;
    explicit Neighbours(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  Neighbours neighbours() const;
  /// All entries whose key starts with `prefix`.
  Result<std::vector<std::pair<std::string, std::string>>> scan(std::string_view prefix) const;

  using Changes = std::vector<std::pair<std::string, std::string>>;
  /// Readers see these from now on, though the lake does not yet: the next batch can be folded while this one is being
  /// committed. An empty value removes the key. The batch staged before must have been written.
  void stage(Changes changes);
  /// Writes what was staged, all or nothing. What has expired at `as_of` may be cut to its stub from now on: everything
  /// staged up to now must be in raw.* for all to see.
  Result<void> write_staged(Micros as_of);
  /// Makes everything written so far durable.
  Result<void> flush();

  /// Cuts all that has expired, now; reads and writes the whole state.
  Result<void> compact();

  /// Bytes on disk and in memory tables, as RocksDB estimates them.
  std::uint64_t bytes() const;

 private:
  struct Staged;
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
