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

/// What DuckDB cannot spill of a checkpoint: 16 KB for each 2,048 rows of which one was deleted. It told a service to halt.
TEST(Lake, WantOfMemoryInACheckpointIsTriedAgain) {
  const std::string path = testing::TempDir() + "ff-deleted-" + std::to_string(getpid()) + ".duckdb";
  {
    const auto lake = Lake::open({.path = path, .threads = 1}).value();
    ASSERT_TRUE(lake->run("create table ops.t as select range as a from range(5000000)").ok());
    ASSERT_TRUE(lake->run("delete from ops.t where a % 1000 = 0").ok());
    ASSERT_TRUE(lake->run("checkpoint").ok());
  }
  {
    const auto lake = Lake::open({.path = path, .memory_limit = "25MB", .threads = 1}).value();
    ASSERT_TRUE(lake->run("create table ops.u as select 1 as a").ok());
    const auto failed = lake->run("checkpoint");
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().cause, "out_of_memory") << failed.error().message;
    EXPECT_EQ(failed.error().recourse, Recourse::retry);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ff
