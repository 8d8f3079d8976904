// Any bytes as a schema with data behind it, and as records of a feed whose schema is known.
//   build/fuzz/bin/avro_fuzz -max_total_time=60 tests/corpus/avro
#include "decode/avro_testing.h"
#include "decode/avro_value.h"
#include "decode/fuzz_testing.h"

namespace {

/// The data behind the first line, read by the schema that the line is.
void fuzz_schema(std::string_view bytes) {
  const std::size_t newline = bytes.find('\n');
  const auto schema = ff::parse_avro_schema(bytes.substr(0, newline));
  if (!schema.ok() || newline == std::string_view::npos) return;
  const std::string_view data = bytes.substr(newline + 1);
  std::string scratch;
  ff::AvroReader read(schema.value(), data), skipped(schema.value(), data);
  read.read(schema.value().root, scratch);
  skipped.skip(schema.value().root);
  // What can be read can be skipped, and both end at the same byte; skipping asks less of strings and enums.
  FF_CHECK(!read.ok() || (skipped.ok() && skipped.rest().size() == read.rest().size()));
}

const char* const scan = R"({"type":"record","name":"Scan","fields":[
  {"name":"shipment_id","type":"string"},{"name":"unknown","type":["null",{"type":"array","items":"string"}]},
  {"name":"status","type":{"type":"enum","name":"S","symbols":["picked_up","delivered"]}},
  {"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"driver_id","type":["null","string","long",{"type":"map","values":"double"}]}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ff::testing::FixedSchemas schemas;
  static const ff::Contract contract = [] {
    schemas.schemas[1] = scan;
    ff::Contract events = ff::load_contract("contracts/events.yaml").value();
    events.format = ff::Format::avro;
    return events;
  }();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  fuzz_schema(bytes);
  const std::string record = ff::testing::AvroBytes::of_schema(1).bytes + std::string(bytes);
  ff::testing::fuzz_records(contract, record, &schemas);
  return 0;
}
