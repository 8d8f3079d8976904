#include "sim/simulate.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>

#include "base/hash.h"
#include "base/time.h"

namespace ff::sim {
namespace {
namespace fs = std::filesystem;

class Simulate : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ff_sim_" + std::to_string(::getpid()));
    options_.shipments = 600;
    options_.drain_h = 24;
    options_.out = folder_ / "world";
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string read(const fs::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  /// Every file's name and hash.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : fs::recursive_directory_iterator(options_.out))
      if (entry.is_regular_file())
        out[fs::relative(entry.path(), options_.out).string()] = hex(hash128(read(entry.path())));
    return out;
  }
  /// Calls `line` for each line of the files `<name>-*`, in the order of their names.
  template <class F>
  void each_line(const std::string& name, F line) const {
    std::map<std::string, fs::path> files;
    for (const auto& entry : fs::directory_iterator(options_.out))
      if (entry.path().filename().string().starts_with(name + "-"))
        files[entry.path().filename().string()] = entry.path();
    for (const auto& [file, path] : files) {
      std::ifstream in(path);
      for (std::string text; std::getline(in, text);) line(text);
    }
  }

  fs::path folder_;
  SimOptions options_;
};

TEST_F(Simulate, same_seed_same_bytes_other_seed_others) {
  options_.partner = true;
  simulate(options_);
  const auto first = contents();
  simulate(options_);
  EXPECT_EQ(first, contents());
  options_.seed = 2;
  simulate(options_);
  EXPECT_NE(first.at("events-0001.ndjson"), contents().at("events-0001.ndjson"));
}

TEST_F(Simulate, a_world_without_faults_has_nothing_to_find) {
  options_.faults = FaultRates::none();
  const SimSummary s = simulate(options_);
  EXPECT_EQ(s.findings, 0U);
  EXPECT_EQ(s.orders, options_.shipments);
  EXPECT_EQ(read(options_.out / "truth/findings.csv"), "check_name,subject,anchor,driver\n");
}

TEST_F(Simulate, lines_stand_in_the_order_of_arrival_until_the_end) {
  options_.file_lines_max = 500;
  simulate(options_);
  for (const std::string name : {"orders", "drivers", "events", "assignments", "gps"}) {
    Micros before = 0;
    std::uint64_t lines = 0;
    each_line(name, [&](const std::string& line) {
      const auto at = line.rfind(R"("ingest_time":")");
      const auto heard =
          at == std::string::npos ? std::nullopt : parse_rfc3339(line.substr(at + 15, line.rfind('"') - at - 15));
      if (!heard) return;  // a broken line
      ++lines;
      EXPECT_GE(*heard, before) << line;
      EXPECT_LT(*heard, options_.end()) << line;
      before = *heard;
    });
    EXPECT_GT(lines, 30U) << name;
  }
}

TEST_F(Simulate, personal_data_is_planted_in_driver_records_only) {
  options_.faults[Fault::corrupt_driver] = 0.5;
  simulate(options_);
  std::string drivers, others;
  each_line("drivers", [&](const std::string& line) { drivers += line + "\n"; });
  for (const std::string name : {"orders", "events", "assignments", "gps"})
    each_line(name, [&](const std::string& line) { others += line + "\n"; });
  std::ifstream pii(options_.out / "truth/pii.txt");
  std::uint64_t planted = 0;
  for (std::string text; std::getline(pii, text); ++planted) {
    EXPECT_NE(drivers.find(text), std::string::npos) << text;
    EXPECT_EQ(others.find(text), std::string::npos) << text;
  }
  EXPECT_GT(planted, 300U);
}

TEST_F(Simulate, each_fault_can_be_made_alone_and_is_counted) {
  for (const Fault fault : {Fault::late, Fault::orphan, Fault::missing_driver, Fault::contradiction,
                            Fault::corrupt_line, Fault::gps_jump, Fault::schema_drift}) {
    options_.faults = FaultRates::none();
    options_.faults[fault] = 0.2;
    const SimSummary s = simulate(options_);
    for (std::size_t i = 0; i < fault_count; ++i) {
      if (i == static_cast<std::size_t>(fault)) {
        EXPECT_GT(s.injected[i], 10U) << name(fault);
      } else {
        EXPECT_EQ(s.injected[i], 0U) << name(fault);
      }
    }
    EXPECT_GT(s.findings, 0U) << name(fault);
  }
}

TEST_F(Simulate, options_without_sense_are_refused) {
  options_.days = 0;
  EXPECT_THROW(simulate(options_), std::invalid_argument);
}

}  // namespace
}  // namespace ff::sim
