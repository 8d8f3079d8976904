/// Bounds how long a service closes what it has open: a client library that waits for an answer that never comes would keep
/// it, and whoever waits for its end. For ends at which nothing more has to become durable.
#pragma once

#include <chrono>
#include <string>
#include <thread>

namespace ff::cli {

/// What services have for closing.
inline constexpr std::chrono::seconds closing_max{30};

/// If it lives longer than `at_most`, the process says `words` on stderr and ends with `status`, as after a kill.
class LeaveInTime {
 public:
  LeaveInTime(std::chrono::milliseconds at_most, int status, std::string words);

 private:
  std::jthread waiter_;
};

}  // namespace ff::cli
