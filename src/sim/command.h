/// The command line of the simulator: `fleetflow simulate`.
#pragma once

namespace ff::sim {

/// argv[0] is skipped. Returns the exit code: 0 done, 1 could not write, 2 wrong usage.
int run_command(int argc, char** argv);

}  // namespace ff::sim
