#include "report/report.h"

#include <gtest/gtest.h>

#include "report/charts.h"
#include "report/words.h"

namespace ff {
namespace {

Table table(std::vector<std::string> columns, std::vector<std::vector<std::optional<std::string>>> rows) {
  return {std::move(columns), std::move(rows)};
}

TEST(Words, AColumnsNameSaysItsUnit) {
  EXPECT_EQ(words("shipments", "1234567"), "1,234,567");
  EXPECT_EQ(words("on_time_rate", "0.8914"), "89.1 %");
  EXPECT_EQ(words("p90_delay_s", "-5400"), "−1.5 h");
  EXPECT_EQ(words("silent_s", "59"), "59 s");
  EXPECT_EQ(words("distance_cm", "182855590"), "1,829 km");
  EXPECT_EQ(words("oldest_open", "2026-03-03 23:15:00.398"), "2026-03-03 23:15");
  EXPECT_EQ(words("carrier", std::nullopt), "–");
  EXPECT_EQ(heading("on_time_rate"), "on time");
}

TEST(Words, APseudonymOfDigitsIsNoNumber) { EXPECT_EQ(words("driver", "471200000000"), "471200000000"); }

TEST(Charts, EveryPartIsDrawnAndNamed) {
  const std::string chart =
      columns_chart(table({"day", "on_time", "late"}, {{"02 Mar", "3", "1"}, {"03 Mar", "0", "2"}}), 640);
  EXPECT_NE(chart.find("<title>02 Mar: 3 on time, 1 late</title>"), std::string::npos);
  EXPECT_NE(chart.find("<rect class=\"on_time\""), std::string::npos);
  EXPECT_NE(chart.find("<i class=\"late\"></i>late"), std::string::npos);
}

TEST(Charts, WhatTheDataSaysIsNeverMarkup) {
  const Table carriers = table({"carrier", "delivered"}, {{"<script>", "3"}});
  for (const std::string& drawn :
       {columns_chart(carriers, 640), rows_chart(carriers, Scale::amounts), html_table(carriers, "delivered")})
    EXPECT_EQ(drawn.find("<script>"), std::string::npos);
}

TEST(Charts, NothingIsSaidToBeNothing) {
  const Table empty = table({"day", "on_time"}, {});
  for (const std::string& drawn :
       {columns_chart(empty, 640), rows_chart(empty, Scale::shares), heat_grid(empty), html_table(empty, "")})
    EXPECT_NE(drawn.find("Nothing to show"), std::string::npos);
}

}  // namespace
}  // namespace ff
