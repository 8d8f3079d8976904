/// The lake's tables as Parquet, for every tool that does not speak to the engine.
#pragma once

#include <string>

#include "base/result.h"
#include "lake/lake.h"

namespace ff {

/// Writes FOLDER/<schema>/<table>.parquet for core, curated and ops, views included. Written beside and then swapped in:
/// a reader sees the old export or the new one, never a mixture.
Result<void> export_parquet(Lake& lake, const std::string& folder);

}  // namespace ff
