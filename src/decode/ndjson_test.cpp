#include "base/time.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

const std::string good =
    R"({"event_id":"e1","shipment_id":"S1","status":"picked_up","event_time":"2026-03-02T10:00:00+02:00","facility":"AAA","version":3,"ingest_time":"2026-03-02T08:00:01Z"})";

std::string with(const std::string& from, const std::string& to, std::string line = good) {
  return line.replace(line.find(from), from.size(), to) + "\n";
}

TEST(Ndjson, ReadsAnEvent) {
  const auto out = decode_text(native("events"), good + "\n");
  ASSERT_EQ(out.all.size(), 1u);
  const auto& event = out.fact<ShipmentEventFact>(0);
  EXPECT_EQ(event.name_space, "acme");
  EXPECT_EQ(event.event_id, "e1");
  EXPECT_EQ(event.event_time, *parse_rfc3339("2026-03-02T08:00:00Z"));
  EXPECT_EQ(event.driver_key, "");
  EXPECT_EQ(out.all[0]->fact()->version.ordinal, 3);
  EXPECT_EQ(out.all[0]->fact()->from.ingest_time, *parse_rfc3339("2026-03-02T08:00:01Z"));
  EXPECT_EQ(out.payload(0), good);
}

TEST(Ndjson, EveryWayToBeRefusedHasItsWord) {
  const std::pair<std::string, std::string> cases[] = {
      {with("\"S1\"", "null"), "missing_field shipment_id"},
      {with("\"S1\"", "\"\""), "missing_field shipment_id"},
      {with("\"S1\"", "17"), "wrong_type shipment_id"},
      {with("\"S1\"", "{\"a\":1}"), "wrong_type shipment_id"},
      {with("\"picked_up\"", "\"stolen\""), "unmapped_status status"},
      {with("2026-03-02T10:00:00+02:00", "yesterday"), "wrong_type event_time"},
      {with("2026-03-02T10:00:00+02:00", "2026-03-02 10:00:00"), "wrong_type event_time"},
      {with("2026-03-02T10:00:00+02:00", "2025-03-02T10:00:00Z"), "beyond_horizon"},
      {with(":3,", ":\"3\","), "wrong_type version"},
      {with(":3,", ":-3,"), "out_of_range version"},
      {with(":3,", ":3.5,"), "wrong_type version"},
      {with(":3,", ":03,"), "malformed_record"},
      {with(":3,", ":tru,"), "malformed_record"},
      {with("{", "[{"), "malformed_record"},
      {with("\"e1\"", "\"e1\",\"event_id\":\"e2\""), "malformed_record"},
      {with("\"e1\"", "\"e\\u0000\""), "malformed_record"},
      {with("\"e1\"", "\"e\xff\""), "malformed_record"},
      {with("}", "} {}"), "malformed_record"},
      {with("\"e1\"", "\"e1\":1"), "malformed_record"},
      {with("\"e1\"", "\"e1\":\"e2\""), "malformed_record"},
      {with("\"e1\"", "\"e1\" \"e2\""), "malformed_record"},
      {with(":3,", ":3:4,"), "malformed_record"},
      {with(",\"facility\"", ",\"new\":\"A\":null,\"facility\""), "malformed_record"},
      {"[]\n", "malformed_record"},
      {"null\n", "malformed_record"},
      {good.substr(0, 60), "truncated_record"},
      {good, "fact"},  // a last line without its line end is whole if it can be read
  };
  for (const auto& [line, outcome] : cases) {
    const auto out = decode_text(native("events"), line);
    ASSERT_EQ(out.all.size(), 1u) << line;
    EXPECT_EQ(out.outcome(0), outcome) << line << (out.all[0]->refusal() ? out.refusal(0).detail : "");
    if (const Refusal* refusal = out.all[0]->refusal()) {
      EXPECT_FALSE(refusal->raw.empty());
      EXPECT_EQ(refusal->content_hash.size(), 32u);
    }
  }
}

TEST(Ndjson, PositionsAreLinesAndReadingGoesOnAfterAnyOfThem) {
  const std::string text = good + "\n\n" + "broken\n" + good + "\r\n" + good;
  const auto all = decode_text(native("events"), text);
  std::vector<std::int64_t> positions;
  for (const Decoded* d : all.all)
    positions.push_back(d->fact() ? d->fact()->from.position : -d->refusal()->from.position);
  EXPECT_EQ(positions, (std::vector<std::int64_t>{1, -3, 4, 5}));
  EXPECT_EQ(all.stats.records, 4);
  EXPECT_EQ(all.stats.last_position, 5);
  const auto rest = decode_text(native("events"), text, 3);
  ASSERT_EQ(rest.all.size(), 2u);
  EXPECT_EQ(rest.all[0]->fact()->from.position, 4);
}

TEST(Ndjson, BatchesAreBoundedAndLosenNothing) {
  std::string text;
  const int lines = 20'000;
  for (int i = 0; i < lines; ++i) text += with("\"e1\"", "\"e" + std::to_string(i) + "\"");
  const auto out = decode_text(native("events"), text);
  EXPECT_GT(out.batches.size(), 2u);
  ASSERT_EQ(out.all.size(), static_cast<std::size_t>(lines));
  for (int i = 0; i < lines; ++i) {
    ASSERT_EQ(out.fact<ShipmentEventFact>(static_cast<std::size_t>(i)).event_id, "e" + std::to_string(i));
    ASSERT_NE(out.payload(static_cast<std::size_t>(i)).find("\"e" + std::to_string(i) + "\""), std::string::npos);
  }
}

TEST(Ndjson, ALineLongerThanABlockIsRefusedAndTheNextOneRead) {
  const auto out = decode_text(native("events"),
                               good + "\n" + with("\"e1\"", "\"" + std::string(3'000'000, 'x') + "\"") + good + "\n");
  ASSERT_EQ(out.all.size(), 3u);
  EXPECT_EQ(out.outcome(1), "oversized_record");
  EXPECT_EQ(out.all[2]->fact()->from.position, 3);
}

TEST(Ndjson, PersonalDataStaysOutside) {
  const std::string line =
      R"({"driver_id":"D7","home_hub":"AAA","name":"Ada Lovelace","phone":"+4930123","email":"ada@example.org","licence_number":"L-1","home_address":"Main St 1","date_of_birth":"1990-01-01","nick":"Countess","version":1})";
  const auto everything = [](const Collected& out) {
    std::string all;
    for (const Decoded* d : out.all) {
      all.append(d->payload);
      if (const Refusal* r = d->refusal()) all += r->raw + r->detail + r->subject;
    }
    return all;
  };
  const auto expect_clean = [](const std::string& text) {
    for (const char* secret : {"D7", "Ada", "4930123", "example.org", "L-1", "Main", "1990", "Countess"})
      EXPECT_EQ(text.find(secret), std::string::npos) << secret << " in " << text;
  };
  const auto out = decode_text(native("drivers"), line + "\n");
  ASSERT_EQ(out.outcome(0), "fact");
  const std::string key = PseudonymKey::demo().driver_key("acme", "D7", 0);
  EXPECT_EQ(out.fact<DriverFact>(0).driver_key, key);
  EXPECT_EQ(
      out.payload(0),
      R"({"driver_id":")" + key +
          R"(","home_hub":"AAA","name":null,"phone":null,"email":null,"licence_number":null,"home_address":null,"date_of_birth":null,"nick":null,"version":1})");
  EXPECT_EQ(out.drifts, std::vector<std::string>{"nick"});
  // What was read back from raw gives the same fact and payload.
  const auto again = decode_text(native("drivers"), std::string(out.payload(0)) + "\n", 0, DriverIds::keys);
  EXPECT_EQ(again.fact<DriverFact>(0).driver_key, key);
  EXPECT_EQ(again.payload(0), out.payload(0));
  // Cut anywhere, or broken in any field, still nothing shows.
  for (std::size_t cut = 1; cut < line.size(); ++cut)
    expect_clean(everything(decode_text(native("drivers"), line.substr(0, cut) + "\n")));
  for (const char* bad : {"\"version\":\"Ada\"", "\"version\":[\"Ada\"]", "\"home_hub\":\"Ada"}) {
    const auto refused = decode_text(native("drivers"), with("\"version\":1", bad, line));
    ASSERT_NE(refused.outcome(0), "fact");
    if (refused.outcome(0) == "malformed_record") expect_clean(everything(refused));
  }
}

TEST(Ndjson, CoordinatesAreExact) {
  const auto ping = [](const std::string& lat) {
    return R"({"driver_id":"D7","device_id":"T1","event_time":"2026-03-02T08:00:00Z","lat":)" + lat +
           R"(,"lon":-13.4050001,"speed_mps":null})" + "\n";
  };
  const auto out = decode_text(native("gps"), ping("52.52") + ping("90.1") + ping("\"52\"") + ping("null"));
  EXPECT_EQ(out.fact<GpsLocationFact>(0).latitude_e7, 525'200'000);
  EXPECT_EQ(out.fact<GpsLocationFact>(0).longitude_e7, -134'050'001);
  EXPECT_EQ(out.fact<GpsLocationFact>(0).speed_mm_s, none);
  EXPECT_EQ(out.outcome(1), "coordinate_out_of_range latitude_e7");
  EXPECT_EQ(out.refusal(1).subject, PseudonymKey::demo().driver_key("acme", "D7", 0));
  EXPECT_EQ(out.outcome(2), "wrong_type latitude_e7");
  EXPECT_EQ(out.outcome(3), "missing_field latitude_e7");
}

TEST(Ndjson, AnEmptyFileIsSaidAndAnAbsentOneIsAnError) {
  EXPECT_EQ(decode_text(native("events"), "").outcome(0), "empty_file");
  EXPECT_EQ(decode_text(native("events"), "\n").all.size(), 0u);
  EXPECT_EQ(decode_file(native("events"), "/no/such/file").error.cause, "unreadable_file");
}

}  // namespace
}  // namespace ff
