/// The connector: the changes of a Postgres database, or records of topics, onto topics keyed by shipment or driver, as a
/// configuration says, until told to stop; and the word to whoever follows a database that a table is to be read once more.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "cli/config.h"
#include "source/postgres_requests.h"

namespace ff::cli {

/// With the door for monitoring of `http`. Returns when told to stop, with everything acknowledged that was taken in; if that
/// takes longer than closing_max the process ends with 0. Errors: halt `config_bad_value` (no section publish, not exactly one
/// source of type postgres or kafka, or a topic that is read and published to), and those of publish_changes.
Result<void> publish_service(const ServiceConfig& config, const std::string& home, std::stop_token stop);

/// `source`: empty if there is only one of type postgres. Returns the LSN at which the request stands. Errors: halt
/// `config_bad_value` (no such source), and those of emit_request.
Result<std::string> request_snapshot(const ServiceConfig& config, const std::string& home, const std::string& source,
                                     PgSnapshotRequest request);

}  // namespace ff::cli
