/// Facts come out by key, and those of one key as they came, whatever the keys have in common.
#include "engine/sorted_by_key.h"

#include <gtest/gtest.h>

#include <string>

namespace ff {
namespace {

std::vector<std::int64_t> order_of(const std::vector<std::string>& keys) {
  std::vector<Fact> facts(keys.size());
  std::vector<Fact*> pointers;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    facts[i].body = DriverFact{keys[i], {}, false};
    facts[i].from.position = static_cast<std::int64_t>(i);
    pointers.push_back(&facts[i]);
  }
  std::vector<std::int64_t> out;
  for (const Fact* f : sorted_by_key(
           pointers, [](const Fact& fact) -> const std::string& { return std::get<DriverFact>(fact.body).driver_key; }))
    out.push_back(f->from.position);
  return out;
}

using Order = std::vector<std::int64_t>;

TEST(SortedByKey, OneKeyKeepsItsOrder) { EXPECT_EQ(order_of({"a", "a", "a"}), (Order{0, 1, 2})); }
TEST(SortedByKey, ByWhatFollowsTheCommonBeginning) {
  EXPECT_EQ(order_of({"S-10", "S-02", "S-1", "S-02"}), (Order{1, 3, 2, 0}));
}
TEST(SortedByKey, ByMoreThanEightBytes) {
  EXPECT_EQ(order_of({"xx1234567890b", "xx1234567890a", "y"}), (Order{1, 0, 2}));
}
TEST(SortedByKey, AKeyThatIsTheBeginningOfAnotherComesFirst) {
  EXPECT_EQ(order_of({std::string("a\0", 2), "a", "ab", ""}), (Order{3, 1, 0, 2}));
}
TEST(SortedByKey, BytesAreUnsigned) { EXPECT_EQ(order_of({"\xc3\xa9", "z"}), (Order{1, 0})); }
TEST(SortedByKey, Nothing) { EXPECT_EQ(order_of({}), Order{}); }

}  // namespace
}  // namespace ff
