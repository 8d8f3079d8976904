/// The service: live sources, the loop and the door for monitoring, as a configuration says, until told to stop.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/config.h"

namespace ff::cli {

/// Where the contracts of a service are.
std::string contracts_folder(const EngineOptions& options, const std::string& home);

/// Prints what would run and, per source, which contracts feed it; starts nothing and asks no server. Errors: those of
/// contracts, the pseudonym key and the reporting zone; halt `config_bad_value` (a landing folder that is not there, a
/// source without a contract).
Result<void> check_service(const ServiceConfig& config, const std::string& home);

/// Returns when told to stop, with everything committed that was taken in; or with the error that ended it.
Result<void> serve(const ServiceConfig& config, const std::string& home, std::stop_token stop);

}  // namespace ff::cli
