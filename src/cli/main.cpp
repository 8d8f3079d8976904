/// The program: one command line over the engine's parts. Exit codes are documented in docs/configuration.md.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

int main(int argc, char** argv) {
  try {
    return ff::cli::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "fleetflow: unexpected: " << e.what() << "\n";
    return ff::cli::exit_halt;
  }
}
