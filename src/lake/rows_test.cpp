/// Rows arrive in the lake as they were put, cell by cell.
#include "lake/rows.h"

#include <gtest/gtest.h>

#include "domain/fact.h"
#include "lake/lake.h"

namespace ff {
namespace {

TEST(Rows, ArriveAsPut) {
  const auto lake = Lake::open({.threads = 1}).value();
  ASSERT_TRUE(lake->run("create table t (a varchar, b bigint, c boolean, d timestamp, e date)").ok());
  Rows rows("sibtd");
  rows.text("it's\tthere").integer(-7).boolean(true).integer(1'000'001).integer(1);
  rows.text_or_null("").integer(none).null().integer(none).null();
  rows.text("").integer(0).boolean(false).integer(0).integer(0);
  ASSERT_EQ(rows.size(), 3u);
  ASSERT_TRUE(lake->insert("t", rows).ok());
  const Table table =
      lake->query("select a, b::varchar, c::varchar, d::varchar, e::varchar from t order by b nulls last").value();
  using Row = std::vector<std::optional<std::string>>;
  EXPECT_EQ(table.rows[0], (Row{"it's\tthere", "-7", "true", "1970-01-01 00:00:01.000001", "1970-01-02"}));
  EXPECT_EQ(table.rows[1], (Row{"", "0", "false", "1970-01-01 00:00:00", "1970-01-01"}));
  EXPECT_EQ(table.rows[2], Row(5));
}

TEST(Rows, MoreThanOneChunkKeepsItsOrder) {
  const auto lake = Lake::open({.threads = 1}).value();
  ASSERT_TRUE(lake->run("create table t (a bigint, b varchar)").ok());
  Rows rows("is");
  for (std::int64_t n = 0; n < 5000; ++n) rows.integer(n).text(std::to_string(n));
  ASSERT_TRUE(lake->insert("t", rows).ok());
  EXPECT_EQ(lake->value("select count(*) from t where a::varchar = b").value(), "5000");
}

TEST(Rows, TextsOfAnyLengthKeepTheirPlace) {
  const auto lake = Lake::open({.threads = 1}).value();
  ASSERT_TRUE(lake->run("create table t (n bigint, a varchar)").ok());
  Rows rows("is");
  std::vector<std::string> put;
  for (const std::size_t length : {3, 0, 16'384, 16'385, 7, 100'000, 1, 16'000, 16'000, 16'000, 2})
    put.emplace_back(length, static_cast<char>('a' + put.size()));
  for (std::size_t n = 0; n < put.size(); ++n) rows.integer(static_cast<std::int64_t>(n)).text(put[n]);
  ASSERT_TRUE(lake->insert("t", rows).ok());
  const Table table = lake->query("select a from t order by n").value();
  for (std::size_t n = 0; n < put.size(); ++n) EXPECT_EQ(*table.rows[n][0], put[n]) << n;
}

TEST(Lake, WantOfMemorySaysSoAndIsTriedAgain) {
  const auto lake = Lake::open({.memory_limit = "10MB", .threads = 1}).value();
  const auto failed = lake->query("select length(string_agg(range::varchar, '')) from range(20000000)");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().cause, "out_of_memory");
  EXPECT_EQ(failed.error().recourse, Recourse::retry);
}

TEST(Lake, ATransactionIsWholeOrAbsent) {
  const auto lake = Lake::open({.threads = 1}).value();
  ASSERT_TRUE(lake->run("create table t (a bigint)").ok());
  ASSERT_TRUE(lake->begin().ok());
  ASSERT_TRUE(lake->run("insert into t values (1)").ok());
  EXPECT_FALSE(lake->run("insert into nowhere values (1)").ok());
  lake->rollback();
  EXPECT_EQ(lake->value("select count(*) from t").value(), "0");
}

}  // namespace
}  // namespace ff
