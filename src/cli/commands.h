/// What `fleetflow` can be asked to do.
#pragma once

#include "base/result.h"

namespace ff::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_differs = 1;  ///< a comparison found a difference
inline constexpr int exit_usage = 2;    ///< called wrongly
inline constexpr int exit_halt =
    4;  ///< stopped: our own state or configuration cannot be trusted; the message says what to do
inline constexpr int exit_retry = 5;  ///< nothing is lost; the same call may work later (disk full, file unreadable)

/// What a command that ends with this error exits with.
inline int exit_of(const Error& error) { return error.recourse == Recourse::retry ? exit_retry : exit_halt; }

int run(int argc, char** argv);

}  // namespace ff::cli
