/// Reads a folder by its contracts and says what would be accepted and what refused, and why; writes nothing.
#pragma once

#include <string>

#include "base/result.h"
#include "contract/contract.h"

namespace ff::cli {

/// Prints a line per feed, then one per reason with an example. Files that no contract claims are named.
Result<void> check_folder(const std::string& input, const ContractSet& contracts);

}  // namespace ff::cli
