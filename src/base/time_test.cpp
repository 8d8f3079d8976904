#include "base/time.h"

#include <gtest/gtest.h>

namespace ff {

TEST(Time, ReadsWhatItWrites) {
  for (const char* text : {"1970-01-01T00:00:00Z", "2026-03-02T08:00:00Z", "2024-02-29T23:59:59.000001Z",
                           "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.500000Z"})
    EXPECT_EQ(format_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(Time, AnOffsetIsAnotherWayToNameTheInstant) {
  EXPECT_EQ(parse_rfc3339("2026-03-02T08:00:00Z"), parse_rfc3339("2026-03-02T03:00:00-05:00"));
  EXPECT_EQ(parse_rfc3339("2026-03-02 08:00:00.25Z"), parse_rfc3339("2026-03-02T08:00:00.250000+00:00"));
}

TEST(Time, RefusesWhatIsNoInstant) {
  for (const char* text : {"", "2026-03-02", "2026-02-30T00:00:00Z", "2026-03-02T24:00:00Z", "2026-03-02T08:00:00",
                           "2026-03-02T08:00:00.Z", "2026-03-02T08:00:00.1234567Z", "2026-03-02T08:00:00+5",
                           "2026-13-02T08:00:00Z", "2026-03-02T08:00:00Zx"})
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

}  // namespace ff
