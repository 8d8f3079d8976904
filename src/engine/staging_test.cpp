/// Staged rows fit the lake's tables: as many columns, of these types, with those key columns.
#include "engine/staging.h"

#include <gtest/gtest.h>

#include <map>

#include "lake/schema.h"

namespace ff {
namespace {

char letter(const std::string& type) {
  if (type == "VARCHAR") return 's';
  if (type == "BIGINT") return 'i';
  if (type == "BOOLEAN") return 'b';
  if (type == "TIMESTAMP") return 't';
  return type == "DATE" ? 'd' : '?';
}

TEST(Staging, ShapesAreThoseOfTheSchema) {
  const auto lake = Lake::open({.threads = 1}).value();
  ASSERT_TRUE(create_tables(*lake).ok());
  Staging staging;
  std::vector<TableChange*> tables = staging.raw_tables();
  for (TableChange* t : staging.core_tables()) tables.push_back(t);
  for (const TableChange* t : tables) {
    std::string shape;
    std::map<std::string, char> by_name;
    const Table columns = lake->query("select column_name, column_type from (describe " + t->table + ")").value();
    for (const auto& row : columns.rows) {
      shape += letter(*row[1]);
      by_name[*row[0]] = shape.back();
    }
    EXPECT_EQ(t->inserts.shape(), shape) << t->table;
    std::string keys;
    for (const std::string& key : t->keys) keys += by_name[key];
    EXPECT_EQ(t->keys.empty() ? keys : t->deletes.shape(), keys) << t->table;
  }
}

TEST(Staging, LetsGoOfRawAndCoreOnly) {
  Staging staging;
  for (TableChange* t : {&staging.raw[0], &staging.events, &staging.quarantine})
    for (std::size_t i = 0; i < t->inserts.shape().size(); ++i) t->inserts.null();
  staging.let_go();
  EXPECT_TRUE(staging.raw[0].inserts.empty() && staging.events.inserts.empty());
  EXPECT_EQ(staging.quarantine.inserts.size(), 1u);
}

}  // namespace
}  // namespace ff
