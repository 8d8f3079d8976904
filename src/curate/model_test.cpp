/// Models as the engine reads them: inputs filled in, parts narrowed, everything else refused.
#include "curate/model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/repository_testing.h"

namespace ff {
namespace {
namespace fs = std::filesystem;

class ModelTest : public ::testing::Test {
 protected:
  fs::path folder = fs::path(::testing::TempDir()) / ("ff-models-" + std::to_string(getpid()));
  void SetUp() override { fs::create_directories(folder / "curated"); }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string& name, const std::string& sql, const std::string& meta = "") {
    std::ofstream(folder / "curated" / (name + ".sql")) << sql;
    std::ofstream(folder / "curated" / (name + ".yml"))
        << "version: 2\nmodels:\n  - name: " << name << "\n    config: {meta: {" << meta << "}}\n";
  }
};

TEST_F(ModelTest, ComesAfterWhatItReads) {
  write("a", "select * from {{ ref('b') }}");
  write("b", "select * from {{ source('core', 'shipments') }}");
  const auto models = load_models(folder.string()).value();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "b");
  EXPECT_EQ(render(models[1], models, {}), "select * from curated.b");
}

TEST_F(ModelTest, OnlyItsSliceIsNarrowedToWhatWasTouched) {
  write("a", "from {{ source('core', 'shipments') }} join {{ source('ops', 'clock') }}",
        "touched: shipments, key: shipment_id, slice: {core.shipments: shipment_id}");
  const auto models = load_models(folder.string()).value();
  EXPECT_EQ(render(models[0], models, {}), "from core.shipments join ops.clock");
  EXPECT_EQ(render(models[0], models, TouchedTable{"temp.t"}),
            "from (select * from core.shipments where shipment_id in (select key from temp.t)) join ops.clock");
}

TEST_F(ModelTest, AnInputIsReadInPlaceAndOnlyWhereItLiesInTheTouchedSpan) {
  write("a", "with events as (select * from {{ source('core', 'shipment_events') }}) select * from events",
        "touched: driver_days, key: driver_key, within: date, "
        "slice: {core.shipment_events: {key: driver_key, from: event_time, to: event_time}}");
  const auto models = load_models(folder.string()).value();
  EXPECT_EQ(render(models[0], models, {}),
            "with events as not materialized (select * from core.shipment_events) select * from events");
  EXPECT_EQ(render(models[0], models, TouchedTable{"temp.t", "A", "Z"}),
            "with events as not materialized (select * from (select x.* from core.shipment_events x join temp.t on "
            "driver_key = key and event_time <= span_end and event_time >= span_start where event_time <= Z and "
            "event_time >= A)) select * from events");
}

TEST_F(ModelTest, OtherTemplatesCyclesAndUnknownModelsAreRefused) {
  write("a", "select {{ var('x') }}");
  EXPECT_EQ(load_models(folder.string()).error().cause, "model_template");
  write("a", "{% if true %} select 1 {% endif %}");
  EXPECT_EQ(load_models(folder.string()).error().cause, "model_template");
  write("a", "select * from {{ ref('nobody') }}");
  EXPECT_EQ(load_models(folder.string()).error().cause, "model_template");
  write("a", "select * from {{ ref('b') }}");
  write("b", "select * from {{ ref('a') }}");
  EXPECT_EQ(load_models(folder.string()).error().cause, "model_cycle");
}

TEST(Models, OfTheProductAllLoad) {
  const auto models = load_models((testing::repository() / "models").string());
  ASSERT_TRUE(models.ok()) << models.error().message;
  EXPECT_GE(models.value().size(), 15u);
}

}  // namespace
}  // namespace ff
