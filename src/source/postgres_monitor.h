/// What a server says of a slot, asked every few seconds over a connection of its own: replication connections answer no
/// questions while they stream. An error leaves the numbers as they are; they carry the time at which they were true.
/// Threads: stats() by any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "domain/fact.h"

namespace ff {

struct PgSlotStats {
  std::string slot;
  Micros taken_at = none;  ///< by our clock; `none`: the server has not answered yet
  bool is_active = false;
  std::string wal_status;  ///< reserved, extended, unreserved or lost; empty: there is no such slot
  std::uint64_t confirmed_lsn = 0;
  std::int64_t retained_bytes = 0;     ///< of log that the server keeps for it
  std::int64_t unconfirmed_bytes = 0;  ///< between what we confirmed and the log's end
  std::int64_t safe_bytes = none;  ///< that may be written before it is lost (max_slot_wal_keep_size); `none`: no cap
  std::int64_t oldest_transaction_us = 0;  ///< age of the oldest one that is open: nothing behind it can be confirmed
};

class PgMonitor {
 public:
  PgMonitor(std::string conninfo, std::string slot, std::chrono::seconds interval);
  ~PgMonitor();
  PgSlotStats stats() const;

 private:
  void run();
  const std::string conninfo_, slot_;
  const std::chrono::seconds interval_;
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_stopping_ = false;
  PgSlotStats stats_;
  std::thread thread_;
};

}  // namespace ff
