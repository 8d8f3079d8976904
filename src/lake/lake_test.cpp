#include "lake/lake.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ff {
namespace {

/// A kill while DuckDB made the file left it empty, and no later start opened it.
TEST(Lake, AFileHasItsNameWhenItIsWhole) {
  const std::string path = testing::TempDir() + "ff-" + std::to_string(getpid()) + ".duckdb";
  std::ofstream(path + ".new");
  {
    const auto lake = Lake::open({.path = path, .threads = 1});
    ASSERT_TRUE(lake.ok()) << lake.error().message;
    ASSERT_TRUE(lake.value()->run("create table ops.kept as select 1 as a").ok());
  }
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  EXPECT_EQ(Lake::open({.path = path, .threads = 1}).value()->integer("select a from ops.kept").value(), 1);
  std::filesystem::remove(path);
}

/// DuckDB's words for it are their own; they told a service to halt.
TEST(Lake, WantOfMemoryInACheckpointIsTriedAgain) {
  const std::string path = testing::TempDir() + "ff-want-" + std::to_string(getpid()) + ".duckdb";
  {
    const auto lake = Lake::open({.path = path, .threads = 1}).value();
    std::string columns = "range as a0";
    for (int i = 1; i < 40; ++i) columns += ", range * " + std::to_string(i) + " as a" + std::to_string(i);
    ASSERT_TRUE(lake->run("create table ops.t as select " + columns + " from range(2000)").ok());
    ASSERT_TRUE(lake->run("set memory_limit = '1MB'").ok());
    const auto failed = lake->run("checkpoint");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().cause, "out_of_memory") << failed.error().message;
    EXPECT_EQ(failed.error().recourse, Recourse::retry);
  }
  std::filesystem::remove(path);
  std::filesystem::remove(path + ".wal");
}

}  // namespace
}  // namespace ff
