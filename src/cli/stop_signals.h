/// SIGTERM and SIGINT as a wish to stop: the first asks for an orderly end, the second ends the process at once.
#pragma once

#include <stop_token>
#include <thread>

namespace ff::cli {

/// Make it before any other thread: signals are kept from all threads made afterwards and taken by one of its own. The
/// second signal exits with 128 + its number, without unwinding; what is committed is safe then as after a kill.
class StopSignals {
 public:
  StopSignals();
  /// Signals that come later are the system's business again.
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;

  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

}  // namespace ff::cli
