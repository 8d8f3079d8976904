#include "cli/stop_signals.h"

#include <signal.h>
#include <unistd.h>

namespace ff::cli {
namespace {

constexpr timespec look_again_after{0, 100'000'000};
constexpr int exit_by_signal = 128;  // plus its number, as shells say it

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  waiter_ = std::jthread([this, set](const std::stop_token& over) {
    while (!over.stop_requested()) {
      const int signal = sigtimedwait(&set, nullptr, &look_again_after);
      if (signal > 0 && !stop_.request_stop()) _exit(exit_by_signal + signal);
    }
  });
}

StopSignals::~StopSignals() {
  waiter_.request_stop();
  waiter_.join();
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace ff::cli
