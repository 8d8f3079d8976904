#include "decode/avro_writers.h"

#include "contract/judge.h"

namespace ff {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t head_bytes = 5, writers_max = 10'000;
/// A number that the registry does not know is asked for again after this: it may have been restored.
constexpr std::chrono::seconds unknown_for{30};

bool has_head(std::string_view bytes) { return bytes.size() >= head_bytes && bytes[0] == 0; }

std::uint32_t schema_id(std::string_view bytes) {
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < head_bytes; ++i) id = id << 8 | static_cast<unsigned char>(bytes[i]);
  return id;
}

}  // namespace

Result<void> AvroWriters::learn(std::span<const RecordRef> records) {
  for (const RecordRef& record : records)
    if (has_head(record.bytes)) FF_TRY(learn(schema_id(record.bytes)));
  return {};
}

Result<void> AvroWriters::learn(std::uint32_t id) {
  const auto known = writers_.find(id);
  if (known != writers_.end() &&
      (known->second.reason != reason::unknown_schema || Clock::now() - known->second.asked_at < unknown_for))
    return {};
  Writer writer;
  writer.asked_at = Clock::now();
  const auto is_of_no_use = [&](const std::string& why) {
    writer.reason = reason::unusable_schema;
    writer.detail = "schema " + std::to_string(id) + why;
  };
  auto answer = schemas_.schema(id);
  if (!answer.ok() && answer.error().recourse != Recourse::quarantine) return answer.error();
  if (answer.ok() && !answer.value()) {
    writer.reason = reason::unknown_schema;
    writer.detail = "the registry has no schema " + std::to_string(id);
  } else if (auto schema = answer.ok() ? parse_avro_schema(*answer.value()) : Result<AvroSchema>(answer.error());
             !schema.ok()) {
    is_of_no_use(": " + schema.error().message);
  } else if (schema.value()[schema.value().root].kind != AvroType::Kind::record) {
    is_of_no_use(" is no record");
  } else {
    writer.schema = std::move(schema).value();
  }
  if (writers_.size() >= writers_max)  // garbage that begins with a zero byte names any number
    std::erase_if(writers_, [](const auto& each) { return each.second.reason == reason::unknown_schema; });
  writers_[id] = std::move(writer);
  return {};
}

AvroWriters::Found AvroWriters::find(std::string_view record) const {
  Found out;
  if (!has_head(record)) {
    out.reason = reason::malformed_record;
    out.detail = "it does not begin with a zero byte and a schema's number (the contract says that it is Avro)";
    return out;
  }
  out.id = schema_id(record);
  out.data = record.substr(head_bytes);
  const auto found = writers_.find(out.id);
  if (found == writers_.end()) {  // learned, and forgotten again within this batch
    out.reason = reason::unknown_schema;
    out.detail = "the registry has no schema " + std::to_string(out.id);
  } else if (!found->second.reason.empty()) {
    out.reason = found->second.reason;
    out.detail = found->second.detail;
  } else {
    out.schema = &found->second.schema;
  }
  return out;
}

}  // namespace ff
