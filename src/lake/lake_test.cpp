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

}  // namespace
}  // namespace ff
