#include "decode/avro.h"

#include <algorithm>
#include <unordered_map>

#include "decode/avro_value.h"
#include "decode/avro_writers.h"
#include "decode/file_blocks.h"
#include "decode/json_text.h"

namespace ff {
namespace {

class AvroDecoder final : public Decoder {
 public:
  AvroDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler, SchemaSource& schemas)
      : contract_(contract),
        assembler_(std::move(assembler)),
        writers_(schemas),
        values_(contract.columns.size()),
        scratch_(contract.columns.size()) {}

  Result<DecodeStats> decode(const FileRef& file, std::int64_t, Sink&) override {
    return Error{Recourse::halt, "contract_bad_value",
                 file.path + ": " + contract_.file + " says avro, which comes as a topic, not as files"};
  }

  Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) override {
    FF_TRY(writers_.learn(records));
    assembler_->begin(partition);
    for (const RecordRef& record : records)
      if (const auto bytes = assembler_->take(record)) FF_TRY(read_record(*bytes, record.position));
    return assembler_->finish_batch();
  }

 private:
  /// Where a writer's fields go: the contract's column; -1: unknown.
  const std::vector<int>& columns_of(const AvroWriters::Found& writer) {
    const auto [known, is_new] = columns_.try_emplace(writer.id);
    if (!is_new) return known->second;
    for (const std::string& name : (*writer.schema)[writer.schema->root].names) {
      const auto at = std::find_if(contract_.columns.begin(), contract_.columns.end(),
                                   [&](const Column& column) { return column.name == name; });
      known->second.push_back(at == contract_.columns.end() ? -1 : static_cast<int>(at - contract_.columns.begin()));
    }
    return known->second;
  }

  Result<void> read_record(std::string_view bytes, std::int64_t position) {
    ++assembler_->stats().records;
    const auto refuse = [&](std::string_view reason, std::string detail) {
      assembler_->refuse(position, reason, std::move(detail), bytes);
      return Result<void>{};
    };
    const AvroWriters::Found writer = writers_.find(bytes);
    if (!writer.schema) return refuse(writer.reason, writer.detail);
    const std::vector<int>& columns = columns_of(writer);
    if (std::string broken = read_fields(writer, columns, position); !broken.empty())
      return refuse(reason::malformed_record, "read by schema " + std::to_string(writer.id) + ": " + std::move(broken));
    assembler_->hide(values_);
    const std::string_view json = payload(columns);
    if (json.size() > block_bytes)
      return refuse(reason::oversized_record, "as JSON it is longer than " + std::to_string(block_bytes) + " bytes");
    return assembler_->add(position, values_, assembler_->batch().keep(json), bytes);
  }

  /// Fills values_; what is wrong with the data, or empty.
  std::string read_fields(const AvroWriters::Found& writer, const std::vector<int>& columns, std::int64_t position) {
    std::fill(values_.begin(), values_.end(), Value{});
    const AvroType& root = (*writer.schema)[writer.schema->root];
    AvroReader reader(*writer.schema, writer.data);
    for (std::size_t i = 0; i < root.children.size() && reader.ok(); ++i) {
      if (columns[i] < 0) {
        reader.skip(root.children[i]);
        continue;
      }
      const auto column = static_cast<std::size_t>(columns[i]);
      values_[column] = reader.read(root.children[i], scratch_[column]);
    }
    if (std::string broken = reader.end(); !broken.empty()) return broken;
    for (std::size_t i = 0; i < root.names.size(); ++i)
      if (columns[i] < 0) assembler_->note_drift(root.names[i], position);
    return {};
  }

  std::string_view payload(const std::vector<int>& columns) {
    payload_ = "{";
    for (const int column : columns) {
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
  AvroWriters writers_;
  std::unordered_map<std::uint32_t, std::vector<int>> columns_;  ///< by schema
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
