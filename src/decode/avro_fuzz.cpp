// Any bytes as a schema with data behind it, as records and change envelopes whose schema is known, and as JSON to be written.
//   build/fuzz/bin/avro_fuzz -max_total_time=60 tests/corpus/avro
#include "decode/avro_encoder.h"
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

/// What the encoder writes can be read to its end.
void fuzz_encoder(ff::AvroEncoder& encoder, std::string_view json) {
  static const ff::AvroSchema schema = ff::parse_avro_schema(encoder.schema()).value();
  std::string data;
  if (!encoder.append(json, data)) return;
  ff::AvroReader reader(schema, data);
  reader.skip(schema.root);
  FF_CHECK(reader.end().empty());
}

ff::Contract contract_of(const char* file, ff::Format format) {
  ff::Contract contract = ff::load_contract(file).value();
  contract.format = format;
  return contract;
}

const char* const scan = R"({"type":"record","name":"Scan","fields":[
  {"name":"shipment_id","type":"string"},{"name":"unknown","type":["null",{"type":"array","items":"string"}]},
  {"name":"status","type":{"type":"enum","name":"S","symbols":["picked_up","delivered"]}},
  {"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},
  {"name":"driver_id","type":["null","string","long",{"type":"map","values":"double"}]}]})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ff::Contract events = contract_of("contracts/events.yaml", ff::Format::avro),
                            orders = contract_of("contracts/orders.yaml", ff::Format::debezium_avro);
  static ff::AvroEncoder encoder = ff::AvroEncoder::make(orders).value();
  static ff::testing::FixedSchemas schemas;
  schemas.schemas = {{1, scan}, {2, encoder.schema()}};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  fuzz_schema(bytes);
  fuzz_encoder(encoder, bytes);
  const auto record = [&](std::uint32_t id) {
    return ff::testing::AvroBytes::of_schema(id).bytes + std::string(bytes);
  };
  ff::testing::fuzz_records(events, record(1), &schemas);
  ff::testing::fuzz_records(orders, record(2), &schemas);
  return 0;
}
