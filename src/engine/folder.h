/// The landing folder as the engine sees it: what arrived is noted in ops.files before it is read (S1.3).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lake/lake.h"
#include "source/file_source.h"

namespace ff {

/// The name that the folder has among the sources.
inline constexpr const char* folder_source = "folder";

/// Notes new files in ops.files, durably, and lists those that are not done, each from its mark on.
/// Errors: halt 'file_changed', 'input_unreadable'.
Result<std::vector<FilePart>> unread_files(Lake& lake, const std::string& folder, const ContractSet& contracts,
                                           Partitions& partitions, const std::map<std::string, Mark>& marks);

}  // namespace ff
