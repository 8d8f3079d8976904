/// Values in Postgres' binary format as the text that the server itself would print (DateStyle ISO, time zone UTC, bytea in
/// hex, floats shortest).
///
/// So binary tuples and text tuples give the same Values, and everything behind sees text only. Types that are not
/// implemented here are asked for as text by the reader.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ff {

/// Whether binary values of this type can be read here. Enums have OIDs of their own and are sent as their label: the caller
/// knows them and need not ask.
bool is_binary_known(std::uint32_t type);

/// Appends the text of `bytes` to `out`; false if the type is not known or the bytes are not such a value, and `out` then is
/// as it was.
bool append_binary_as_text(std::uint32_t type, std::string_view bytes, std::string& out);

}  // namespace ff
