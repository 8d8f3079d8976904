#include "engine/unchanged.h"

#include <gtest/gtest.h>

#include "contract/fields.h"

namespace ff {
namespace {

Fact order(std::int64_t ordinal, const std::string& hub, std::uint32_t unchanged = 0) {
  Fact fact;
  fact.body = ShipmentFact{.name_space = "acme", .shipment_id = "S1", .destination_hub = hub, .created_at = 7};
  fact.version.ordinal = ordinal;
  fact.unchanged = unchanged;
  return fact;
}

/// Borrows the texts of `facts`.
ShipmentFacts known_with(std::initializer_list<const Fact*> facts) {
  ShipmentFacts known;
  for (const Fact* fact : facts) {
    const Fact& f = *fact;
    const auto& s = std::get<ShipmentFact>(f.body);
    known.add(ClaimTelling{.name_space = s.name_space,
                           .destination_hub = s.destination_hub,
                           .created_at = s.created_at,
                           .version = f.version});
  }
  return known;
}

TEST(Unchanged, TakesTheValueOfTheTellingBefore) {
  const Fact a = order(10, "CGN"), b = order(20, "LEJ"), c = order(30, "MUC");
  const ShipmentFacts known = known_with({&a, &b, &c});
  Fact update = order(25, "", bit(FactField::destination_hub));
  EXPECT_EQ(fill_unchanged(known, update), Unchanged::filled);
  EXPECT_EQ(std::get<ShipmentFact>(update.body).destination_hub, "LEJ");
  EXPECT_EQ(update.unchanged, 0U);
}

TEST(Unchanged, OfADeletedRowOnlyTheKeyIsSent) {
  const Fact a = order(10, "CGN");
  const ShipmentFacts known = known_with({&a});
  Fact deleted = order(20, "", ~(bit(FactField::shipment_id) | bit(FactField::name_space)));
  std::get<ShipmentFact>(deleted.body).is_deleted = true;
  std::get<ShipmentFact>(deleted.body).created_at = 0;
  EXPECT_EQ(fill_unchanged(known, deleted), Unchanged::filled);
  const auto& s = std::get<ShipmentFact>(deleted.body);
  EXPECT_EQ(s.created_at, 7) << "it is the claim that was told before";
  EXPECT_EQ(s.destination_hub, "CGN");
  EXPECT_TRUE(s.is_deleted);
}

TEST(Unchanged, GuessesNothing) {
  const std::uint32_t hub = bit(FactField::destination_hub);
  Fact update = order(5, "", hub), newest = order(40, "MUC");
  EXPECT_EQ(fill_unchanged(ShipmentFacts(), update), Unchanged::unknown);
  EXPECT_EQ(fill_unchanged(known_with({&newest}), update), Unchanged::superseded) << "a newer telling is whole";
  Fact deleted = order(5, "", hub);
  std::get<ShipmentFact>(deleted.body).is_deleted = true;
  EXPECT_EQ(fill_unchanged(ShipmentFacts(), deleted), Unchanged::superseded) << "it deletes what was never told";
  Fact other_source = order(50, "", hub);
  other_source.version.authority_rank = 1;
  EXPECT_EQ(fill_unchanged(known_with({&newest}), other_source), Unchanged::unknown)
      << "another source's value is not its own";
}

TEST(Unchanged, OfADriversRow) {
  DriverFacts known;
  const std::string hub = "CGN";
  known.add({.home_hub = hub, .version = {0, 0, 10, 0}});
  Fact deleted;
  deleted.body = DriverFact{.driver_key = "k", .is_deleted = true};
  deleted.version.ordinal = 11;
  deleted.unchanged = bit(FactField::home_hub);
  EXPECT_EQ(fill_unchanged(known, deleted), Unchanged::filled);
  EXPECT_EQ(std::get<DriverFact>(deleted.body).home_hub, "CGN");
}

}  // namespace
}  // namespace ff
