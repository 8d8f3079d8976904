// Other people's broken files: JSONTestSuite, the Big List of Naughty Strings, csv-spectrum and frictionless.
#include <simdjson.h>

#include <map>

#include "decode/csv_row.h"
#include "decode/decode_testing.h"

namespace ff {
namespace {

using namespace ff::testing;

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, const std::string& extension) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == extension) out.push_back(entry.path());
  return out;
}

TEST(Torture, JsonTestSuite) {
  if (samples().empty()) GTEST_SKIP() << "no sample data (FLEETFLOW_SAMPLES)";
  int files = 0;
  for (const auto& path : files_of(samples() / "json-suite", ".json")) {
    const auto out = decode_file(native("events"), path);
    EXPECT_EQ(out.error.cause, "") << path;
    // None is one of our events, so all are refused: right JSON for its fields or shape, wrong JSON as malformed.
    const char kind = path.filename().string()[0];
    for (std::size_t i = 0; i < out.all.size(); ++i) {
      EXPECT_NE(out.outcome(i), "fact") << path;
      const bool is_multiline = out.all.size() > 1 || out.stats.last_position > 1;
      const bool broken = out.refusal(i).reason == "malformed_record" || out.refusal(i).reason == "truncated_record";
      if (is_multiline) continue;
      if (kind == 'n') {
        EXPECT_TRUE(broken || out.refusal(i).reason == "empty_file") << path << " " << out.outcome(i);
      }
      if (kind == 'y' && broken) {
        const std::string& detail = out.refusal(i).detail;
        const bool has_wrong_shape = detail.find("not a JSON object") != std::string::npos ||
                                     detail.find("twice") != std::string::npos ||
                                     detail.find("control") != std::string::npos;
        EXPECT_TRUE(has_wrong_shape) << path << " " << detail;
      }
    }
    ++files;
  }
  EXPECT_GT(files, 150);
}

TEST(Torture, NaughtyStringsArriveUnchanged) {
  if (samples().empty()) GTEST_SKIP() << "no sample data (FLEETFLOW_SAMPLES)";
  int strings = 0;
  for (const auto& path : files_of(samples() / "strings", ".json")) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.load(path).get(root) || !root.is_array()) continue;
    for (simdjson::dom::element element : root.get_array()) {
      std::string_view text;
      if (element.get_string().get(text)) continue;
      const auto out =
          decode_text(native("events"),
                      R"({"shipment_id":"S1","status":"exception","event_time":"2026-03-02T08:00:00Z","reason":)" +
                          simdjson::minify(element) + "}\n");
      ASSERT_EQ(out.all.size(), 1u);
      if (text.find_first_of(std::string_view("\0\x1f", 2)) == std::string_view::npos) {
        ASSERT_EQ(out.outcome(0), "fact") << text;
        EXPECT_EQ(out.fact<ShipmentEventFact>(0).reason, text);
      } else {
        EXPECT_EQ(out.outcome(0), "malformed_record");
      }
      ++strings;
    }
  }
  EXPECT_GT(strings, 100);
}

/// The cells of every row, as CPython's csv.reader counts them (expected.json).
TEST(Torture, CsvFilesHaveTheRowsThatPythonSees) {
  if (samples().empty()) GTEST_SKIP() << "no sample data (FLEETFLOW_SAMPLES)";
  simdjson::dom::parser parser;
  const simdjson::dom::object files = parser.load(samples() / "csv/expected.json")["files"].get_object();
  int compared = 0;
  for (const auto& [name, expected] : files) {
    std::string_view encoding;
    bool nul = false;
    simdjson::dom::object wanted;
    if (expected["encoding"].get(encoding) || expected["nul"].get(nul) || expected["fields_per_record"].get(wanted) ||
        nul || encoding != "utf-8-sig")
      continue;
    std::string text = read_file(samples() / "csv" / name);
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.erase(0, 3);
    std::map<std::string, std::int64_t> want, have;
    for (const auto& [fields, count] : wanted) want[std::string(fields)] = count.get_int64();
    std::string_view rest = text;
    std::vector<CsvCell> cells;
    bool closed = true;
    while (!rest.empty()) {
      const CsvRow row = split_csv_row(rest, CsvDialect{}, cells);
      if (row.end == CsvRow::End::open_quote) closed = false;
      if (!closed) break;
      ++have[row.bytes.empty() ? "0" : std::to_string(cells.size())];
      rest.remove_prefix(row.consumed);
    }
    if (!closed) continue;  // Python takes the rest of the file as one field; we refuse one line
    EXPECT_EQ(have, want) << name;
    ++compared;
  }
  EXPECT_GT(compared, 20);
  // And through the decoder: nothing crashes, nothing is lost.
  for (const auto& path : files_of(samples() / "csv", ".csv")) {
    const auto out = decode_file(native("partner"), path);
    EXPECT_EQ(out.error.cause, "") << path;
    EXPECT_EQ(static_cast<std::int64_t>(out.all.size()),
              std::max<std::int64_t>(out.stats.records, out.stats.bytes == 0))
        << path;
  }
}

}  // namespace
}  // namespace ff
