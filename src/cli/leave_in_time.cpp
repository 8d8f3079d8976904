#include "cli/leave_in_time.h"

#include <unistd.h>

#include <condition_variable>
#include <iostream>
#include <mutex>

namespace ff::cli {

LeaveInTime::LeaveInTime(std::chrono::milliseconds at_most, int status, std::string words)
    : waiter_([=, words = std::move(words)](const std::stop_token& closed) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        never.wait_for(lock, closed, at_most, [] { return false; });
        if (closed.stop_requested()) return;
        std::cerr << words << std::endl;
        _exit(status);
      }) {}

}  // namespace ff::cli
