/// What may be kept of bytes that nobody could read: their shape, not their content.
///
/// A record that does not parse cannot be freed of PII field by field, so letters become x, digits 9, and everything
/// beyond ASCII x; punctuation stays, and so do the names of known fields where they stand as a JSON key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "contract/contract.h"

namespace ff {

std::string mask_record(std::string_view bytes, const std::vector<Column>& columns);

/// The bytes as valid UTF-8 without NUL, so that every table and tool takes them: what is not becomes '?'.
std::string printable(std::string_view bytes);

}  // namespace ff
