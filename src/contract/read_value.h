/// Text to typed values, exactly: no number passes through a double, no time loses a digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "contract/contract.h"
#include "contract/zone.h"
#include "domain/fact.h"

namespace ff {

/// RFC 3339; what SQL prints as well (`2026-03-02 08:00:00+00`, no offset, a date alone). Without an offset the time is
/// local to `zone`; null if there is none, or if the text is no time.
std::optional<Micros> read_time(std::string_view text, const Zone* zone);

/// A time as a number of `unit` since 1970, by a clock in `zone` (null: refused, as a local time without a zone is).
std::optional<Micros> read_time_number(std::string_view text, Unit unit, const Zone* zone);

/// An integer, exactly; a fraction of zeros is none ("3.0").
std::optional<std::int64_t> read_integer(std::string_view text);

/// A decimal number (exponent allowed) times 10^scale, rounded half away from zero. Null if it is no number or too large.
std::optional<std::int64_t> read_decimal(std::string_view text, int scale);

/// true, false; t, f, yes, no, y, n, 1, 0 in any case.
std::optional<bool> read_boolean(std::string_view text);

/// A measure in the source's unit as the fact's integer: 1e-7 degree, mm/s or s.
std::optional<std::int64_t> read_measure(std::string_view text, Unit unit);

}  // namespace ff
