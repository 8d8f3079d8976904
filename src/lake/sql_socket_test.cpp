#include "lake/sql_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace ff {
namespace {

class SqlSocketTest : public testing::Test {
 protected:
  std::string path = testing::TempDir() + "ff-" + std::to_string(getpid()) + ".sock";
  std::unique_ptr<Lake> lake = Lake::open({.threads = 1}).value();
  std::unique_ptr<SqlSocket> socket = SqlSocket::serve(*lake, path).value();
};

TEST_F(SqlSocketTest, AnswersWhatTheLakeSays) {
  ASSERT_TRUE(lake->run("create table t as select 1 as a, cast(null as varchar) as b union all select 2, 'zwei'").ok());
  const auto client = SqlClient::connect(path).value();
  const Table table = client->query("select a, b from t order by a").value();
  EXPECT_EQ(table.columns, (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0][1], std::nullopt);
  EXPECT_EQ(table.rows[1][1], "zwei");
}

TEST_F(SqlSocketTest, SeesCommittedRowsOnly) {
  ASSERT_TRUE(lake->run("create table t (a integer)").ok());
  const auto client = SqlClient::connect(path).value();
  ASSERT_TRUE(lake->begin().ok());
  ASSERT_TRUE(lake->run("insert into t values (1)").ok());
  EXPECT_EQ(client->query("select count(*) from t").value().rows[0][0], "0");
  ASSERT_TRUE(lake->commit().ok());
  EXPECT_EQ(client->query("select count(*) from t").value().rows[0][0], "1");
}

TEST_F(SqlSocketTest, LetsNobodyWrite) {
  ASSERT_TRUE(lake->run("create table t (a integer)").ok());
  const auto client = SqlClient::connect(path).value();
  for (const char* sql :
       {"insert into t values (1)", "drop table t", "commit; insert into t values (1)", "rollback; drop table t"})
    EXPECT_FALSE(client->query(sql).ok()) << sql;
  EXPECT_EQ(client->query("select count(*) from t").value().rows[0][0], "0");
}

TEST_F(SqlSocketTest, NamesWhatIsWrongAndGoesOn) {
  const auto client = SqlClient::connect(path).value();
  EXPECT_NE(client->query("select nothing_like_it").error().message.find("nothing_like_it"), std::string::npos);
  EXPECT_EQ(client->query("select 1").value().rows[0][0], "1");
}

TEST_F(SqlSocketTest, IsGoneWithTheEngine) {
  socket.reset();
  EXPECT_EQ(SqlClient::connect(path).error().cause, "engine_absent");
}

}  // namespace
}  // namespace ff
