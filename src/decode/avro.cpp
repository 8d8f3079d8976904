#include "decode/avro.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>

#include "decode/avro_schema.h"
#include "decode/avro_value.h"
#include "decode/file_blocks.h"
#include "decode/json_text.h"

namespace ff {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t head_bytes = 5, writers_max = 10'000;
/// A number that the registry does not know is asked for again after this: it may have been restored.
constexpr std::chrono::seconds unknown_for{30};

/// A writer's schema and where its fields go; or why its records are refused.
struct Writer {
  AvroSchema schema;
  std::vector<int> columns;  ///< by field of the root record: the contract's column; -1: unknown
  std::string_view reason;   ///< empty: usable
  std::string detail;
  Clock::time_point asked_at;
};

std::uint32_t schema_id(std::string_view bytes) {
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < head_bytes; ++i) id = id << 8 | static_cast<unsigned char>(bytes[i]);
  return id;
}

bool has_head(std::string_view bytes) { return bytes.size() >= head_bytes && bytes[0] == 0; }

class AvroDecoder final : public Decoder {
 public:
  AvroDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler, SchemaSource& schemas)
      : contract_(contract),
        assembler_(std::move(assembler)),
        schemas_(schemas),
        values_(contract.columns.size()),
        scratch_(contract.columns.size()) {}

  Result<DecodeStats> decode(const FileRef& file, std::int64_t, Sink&) override {
    return Error{Recourse::halt, "contract_bad_value",
                 file.path + ": " + contract_.file + " says avro, which comes as a topic, not as files"};
  }

  Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) override {
    // All schemas first: if nobody answers, nothing was begun.
    for (const RecordRef& record : records)
      if (has_head(record.bytes)) FF_TRY(learn(schema_id(record.bytes)));
    assembler_->begin(partition);
    for (const RecordRef& record : records)
      if (const auto bytes = assembler_->take(record)) FF_TRY(read_record(*bytes, record.position));
    return assembler_->finish_batch();
  }

 private:
  Result<void> learn(std::uint32_t id) {
    const auto known = writers_.find(id);
    if (known != writers_.end() &&
        (known->second.reason != reason::unknown_schema || Clock::now() - known->second.asked_at < unknown_for))
      return {};
    Writer writer;
    writer.asked_at = Clock::now();
    auto answer = schemas_.schema(id);
    if (!answer.ok() && answer.error().recourse != Recourse::quarantine) return answer.error();
    if (answer.ok() && !answer.value()) {
      writer.reason = reason::unknown_schema;
      writer.detail = "the registry has no schema " + std::to_string(id);
    } else if (auto schema = answer.ok() ? parse_avro_schema(*answer.value()) : Result<AvroSchema>(answer.error());
               schema.ok()) {
      writer.schema = std::move(schema).value();
      bind(writer, id);
    } else {
      writer.reason = reason::unusable_schema;
      writer.detail = "schema " + std::to_string(id) + ": " + schema.error().message;
    }
    if (writers_.size() >= writers_max)  // garbage that begins with a zero byte names any number
      std::erase_if(writers_, [](const auto& each) { return each.second.reason == reason::unknown_schema; });
    writers_[id] = std::move(writer);
    return {};
  }

  void bind(Writer& writer, std::uint32_t id) const {
    const AvroType& root = writer.schema[writer.schema.root];
    if (root.kind != AvroType::Kind::record) {
      writer.reason = reason::unusable_schema;
      writer.detail = "schema " + std::to_string(id) + " is no record";
      return;
    }
    for (const std::string& name : root.names) {
      const auto at = std::find_if(contract_.columns.begin(), contract_.columns.end(),
                                   [&](const Column& column) { return column.name == name; });
      writer.columns.push_back(at == contract_.columns.end() ? -1 : static_cast<int>(at - contract_.columns.begin()));
    }
  }

  Result<void> read_record(std::string_view bytes, std::int64_t position) {
    ++assembler_->stats().records;
    const auto refuse = [&](std::string_view reason, std::string detail) {
      assembler_->refuse(position, reason, std::move(detail), bytes);
      return Result<void>{};
    };
    if (!has_head(bytes))
      return refuse(reason::malformed_record,
                    "it does not begin with a zero byte and a schema's number (the contract says format: avro)");
    const auto found = writers_.find(schema_id(bytes));
    if (found == writers_.end())  // learned, and forgotten again within this batch
      return refuse(reason::unknown_schema, "the registry has no schema " + std::to_string(schema_id(bytes)));
    const Writer& writer = found->second;
    if (!writer.reason.empty()) return refuse(writer.reason, writer.detail);
    if (std::string broken = read_fields(writer, bytes.substr(head_bytes), position); !broken.empty())
      return refuse(reason::malformed_record,
                    "read by schema " + std::to_string(schema_id(bytes)) + ": " + std::move(broken));
    assembler_->hide(values_);
    const std::string_view json = payload(writer);
    if (json.size() > block_bytes)
      return refuse(reason::oversized_record, "as JSON it is longer than " + std::to_string(block_bytes) + " bytes");
    return assembler_->add(position, values_, assembler_->batch().keep(json), bytes);
  }

  /// Fills values_; what is wrong with the data, or empty.
  std::string read_fields(const Writer& writer, std::string_view data, std::int64_t position) {
    std::fill(values_.begin(), values_.end(), Value{});
    const AvroType& root = writer.schema[writer.schema.root];
    AvroReader reader(writer.schema, data);
    for (std::size_t i = 0; i < root.children.size() && reader.ok(); ++i) {
      if (writer.columns[i] < 0) {
        reader.skip(root.children[i]);
        continue;
      }
      const auto column = static_cast<std::size_t>(writer.columns[i]);
      values_[column] = reader.read(root.children[i], scratch_[column]);
    }
    if (!reader.ok()) return reader.broken();
    if (!reader.rest().empty()) return std::to_string(reader.rest().size()) + " bytes follow the record";
    for (std::size_t i = 0; i < root.names.size(); ++i)
      if (writer.columns[i] < 0) assembler_->note_drift(root.names[i], position);
    return {};
  }

  std::string_view payload(const Writer& writer) {
    payload_ = "{";
    for (const int column : writer.columns) {
      if (column < 0) continue;
      const auto at = static_cast<std::size_t>(column);
      if (payload_.size() > 1) payload_ += ',';
      append_json_string(payload_, contract_.columns[at].name);
      payload_ += ':';
      if (values_[at].is_null())
        payload_ += "null";
      else if (values_[at].kind == Value::text || contract_.columns[at].role != ColumnRole::plain)
        append_json_string(payload_, values_[at].bytes);
      else
        payload_ += values_[at].bytes;
    }
    return payload_ += '}';
  }

  const Contract& contract_;
  std::unique_ptr<Assembler> assembler_;
  SchemaSource& schemas_;
  std::unordered_map<std::uint32_t, Writer> writers_;
  std::vector<Value> values_;
  std::vector<std::string> scratch_;  ///< by column: where a value that is not in the data lies
  std::string payload_;
};

}  // namespace

std::unique_ptr<Decoder> make_avro_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler,
                                           SchemaSource& schemas) {
  return std::make_unique<AvroDecoder>(contract, std::move(assembler), schemas);
}

}  // namespace ff
