#include "contract/read_value.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "contract/pseudonym.h"

namespace ff {
namespace {

TEST(ReadDecimal, IsExactAndRoundsHalfAway) {
  EXPECT_EQ(read_decimal("52.5200066", 7), 525'200'066);
  EXPECT_EQ(read_decimal("-0.00000005", 7), -1);
  EXPECT_EQ(read_decimal("0.00000004999", 7), 0);
  EXPECT_EQ(read_decimal("1e-7", 7), 1);
  EXPECT_EQ(read_decimal("1.25E2", 0), 125);
  EXPECT_EQ(read_decimal("179.99999995", 7), 1'800'000'000);
  EXPECT_EQ(read_decimal("0.07", 3), 70);  // 0.07 * 1000 is 70.00000000000001 as a double
  EXPECT_EQ(read_decimal("0e999", 7), 0);
  for (const char* bad : {"", "-", ".", "1e", "1e99999", "0x1", "1,5", "nan", "99999999999999999999", "1.2.3"})
    EXPECT_EQ(read_decimal(bad, 7), std::nullopt) << bad;
}

TEST(ReadMeasure, KnowsTheUnits) {
  EXPECT_EQ(read_measure("13.4", Unit::m_s), 13'400);
  EXPECT_EQ(read_measure("36", Unit::km_h), 10'000);
  EXPECT_EQ(read_measure("50", Unit::km_h), 13'889);
  EXPECT_EQ(read_measure("227", Unit::min), 13'620);
  EXPECT_EQ(read_measure("525200066", Unit::e7), 525'200'066);
}

TEST(ReadInteger, TakesNoFraction) {
  EXPECT_EQ(read_integer("9007199254740993"), 9'007'199'254'740'993);
  EXPECT_EQ(read_integer("3.0"), 3);
  for (const char* bad : {"3.5", "1e3", "3.", "", "x"}) EXPECT_EQ(read_integer(bad), std::nullopt) << bad;
}

TEST(ReadTime, IsLocalOnlyWithAZone) {
  const auto zone = Zone::load("America/New_York").value();
  const auto at = [](const char* text) { return *parse_rfc3339(text); };
  EXPECT_EQ(read_time("2013-01-01 05:17:00", zone.get()), at("2013-01-01T10:17:00Z"));
  EXPECT_EQ(read_time("2013-07-01", zone.get()), at("2013-07-01T04:00:00Z"));
  EXPECT_EQ(read_time("2013-07-01T04:00:00+02", zone.get()), at("2013-07-01T02:00:00Z"));
  EXPECT_EQ(read_time("2013-01-01 05:17:00", nullptr), std::nullopt);
  for (const char* bad : {"", "2013", "2013-02-30", "01/02/2013", "2013-01-01 25:00:00", "now"})
    EXPECT_EQ(read_time(bad, zone.get()), std::nullopt) << bad;
}

TEST(Zone, ReadsWhatHappensTwiceAsTheEarlierAndWhatNeverHappensWithTheOffsetBefore) {
  const auto zone = Zone::load("America/New_York").value();
  const auto utc = [&](const char* local) { return format_rfc3339(zone->to_utc(*parse_rfc3339(local))); };
  EXPECT_EQ(utc("2013-11-03T00:59:59Z"), "2013-11-03T04:59:59Z");
  EXPECT_EQ(utc("2013-11-03T01:30:00Z"), "2013-11-03T05:30:00Z");  // 01:30 EDT, and again EST an hour later
  EXPECT_EQ(utc("2013-11-03T02:00:00Z"), "2013-11-03T07:00:00Z");
  EXPECT_EQ(utc("2013-03-10T01:59:59Z"), "2013-03-10T06:59:59Z");
  EXPECT_EQ(utc("2013-03-10T02:30:00Z"), "2013-03-10T07:30:00Z");  // the clock jumped from 02:00 to 03:00
  EXPECT_EQ(utc("2013-03-10T03:00:00Z"), "2013-03-10T07:00:00Z");
  EXPECT_EQ(format_rfc3339(zone->to_local(*parse_rfc3339("2013-07-01T03:30:00Z"))), "2013-06-30T23:30:00Z");
  EXPECT_EQ(Zone::load("Mars/Olympus").error().cause, "unknown_zone");
  EXPECT_EQ(Zone::load("../../etc/passwd").error().cause, "unknown_zone");
}

TEST(Pseudonym, IsTheDocumentedHmac) {
  // printf 'acme\x1fD7\x1f0' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
  const PseudonymKey key = PseudonymKey::demo();
  EXPECT_TRUE(key.is_demo());
  EXPECT_EQ(key.driver_key("acme", "D7", 0), "ee9e39e728f5b63080df7af8246671d7");
  EXPECT_NE(key.driver_key("acme", "D7", 0), key.driver_key("acme", "D7", 1));
  EXPECT_NE(key.driver_key("acme", "D7", 0), key.driver_key("bolt", "D7", 0));
  EXPECT_EQ(PseudonymKey::from_hex("00").error().cause, "bad_pseudonym_key");
  EXPECT_FALSE(PseudonymKey::from_hex(std::string(64, 'a')).value().is_demo());
}

}  // namespace
}  // namespace ff
