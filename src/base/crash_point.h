/// Places at which a test may kill the process, as a power cut would: FLEETFLOW_CRASH_AT="name" or "name:n" (the n-th
/// passing, from 1). "name:n:stop" stops it there instead (SIGSTOP), as a machine that sleeps would, until somebody sends
/// SIGCONT. Every place is listed here, so that a test can visit them all; in a process without the variable
/// passing one costs a load and a branch.
#pragma once

#include <array>
#include <string_view>

namespace ff {

/// In the order of one commit.
inline constexpr std::array<std::string_view, 14> crash_points = {
    "files_noted",    // new files stand in ops.files, nothing of them is read
    "batch_decoded",  // facts are in memory only
    "transaction_begun",
    "raw_written",  // the following are inside the transaction
    "core_deleted",      "core_written",      "marks_written", "curated_written",
    "lake_committed",  // visible to readers; state and source do not know it yet
    "state_written",   // in the state's memory table
    "state_flushed",
    "confirmed",                               // the file's done-mark stands
    "drivers_written",   "drivers_committed",  // beside commits: the transaction of the models of drivers
};

void pass_crash_point(std::string_view name);

}  // namespace ff
