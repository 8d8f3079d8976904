/// A lake in an Iceberg catalog wants DuckDB's extensions, which are published later than its library, and a library refuses
/// another version's: such a lake is spoken to by an older library than a file is (docs/dependencies.md).
#pragma once

#include "base/result.h"
#include "lake/lake.h"

namespace ff::cli {

/// Returns when the library that `lake` wants is the one at hand; else, for one that is attached, begins the program anew with
/// the older: the same process, the same words (`argv` of main), the folder of the library first in LD_LIBRARY_PATH. Call it
/// before any other thread exists, before signals are taken and before DuckDB is. Errors: halt `iceberg_library`, it is not
/// there or the program cannot begin anew.
Result<void> use_library_for(const LakeOptions& lake, char** argv);

}  // namespace ff::cli
