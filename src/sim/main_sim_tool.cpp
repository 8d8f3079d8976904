// The simulator alone, for its own tests; the product's command is `fleetflow simulate`.
#include "sim/command.h"

int main(int argc, char** argv) { return ff::sim::run_command(argc, argv); }
