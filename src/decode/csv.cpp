#include "decode/csv.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "decode/block_decoder.h"
#include "decode/csv_row.h"
#include "decode/json_text.h"

namespace ff {
namespace {

class CsvDecoder final : public BlockDecoder {
 public:
  CsvDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler)
      : BlockDecoder(contract, std::move(assembler)), values_(contract.columns.size()) {}

  Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) override {
    if (contract_.csv.has_header)
      return Error{Recourse::halt, "contract_bad_value",
                   contract_.file +
                       ": records of this feed come one by one, without a header: the custom property csv "
                       "must say header: false and name the columns"};
    assembler_->begin(partition);
    bind(contract_.csv.columns);
    for (const RecordRef& record : records) {
      const auto bytes = assembler_->take(record);
      if (!bytes) continue;
      CsvRow row = split_csv_row(*bytes, contract_.csv, cells_);
      if (row.end == CsvRow::End::open_quote) row.broken = "a quote is opened and never closed";
      if (row.broken.empty() && row.consumed < bytes->size()) row.broken = "more than one row in a record";
      row.bytes = row.broken.empty() ? row.bytes : *bytes;
      FF_TRY(read_row(row, record.position, false));
    }
    return assembler_->finish_batch();
  }

 private:
  void begin_file() override {
    has_columns_ = !contract_.csv.has_header;
    if (has_columns_) bind(contract_.csv.columns);
  }

  Result<void> take_records(std::string_view& text, bool more) override {
    while (!text.empty()) {
      CsvRow row = split_csv_row(text, contract_.csv, cells_);
      if (row.end == CsvRow::End::open && more) break;
      // A quote that is never closed would eat the rest of the file: give up one line only.
      if (row.end == CsvRow::End::open_quote) {
        if (more && (!fills_block(text) || text.find('\n') == std::string_view::npos)) break;
        row.bytes = text.substr(0, std::min(text.find('\n'), text.size()));
        row.consumed = std::min(row.bytes.size() + 1, text.size());
        row.broken = "a quote is opened and never closed";
      }
      text.remove_prefix(row.consumed);
      if (!has_columns_) {
        std::vector<std::string> names;
        for (const CsvCell& cell : cells_) names.emplace_back(cell.text);
        bind(names);
        has_columns_ = true;
      } else if (!row.bytes.empty()) {
        ++position_;
        const bool is_last = text.empty() && !more && row.end != CsvRow::End::newline;
        if (assembler_->wants(position_)) FF_TRY(read_row(row, position_, is_last));
      }
    }
    return {};
  }

  /// Which of the contract's columns stands where in the file. One that the file lacks reads as null.
  void bind(const std::vector<std::string>& names) {
    bound_.clear();
    for (const std::string& name : names) {
      const auto column = std::find_if(contract_.columns.begin(), contract_.columns.end(),
                                       [&](const Column& c) { return c.name == name; });
      const bool known = column != contract_.columns.end();
      bound_.push_back(known ? static_cast<int>(column - contract_.columns.begin()) : -1);
      if (!known) assembler_->note_drift(name, 1);
    }
  }

  Result<void> read_row(const CsvRow& row, std::int64_t position, bool is_last) {
    ++assembler_->stats().records;
    std::string broken = row.broken;
    if (broken.empty() && cells_.size() != bound_.size())
      broken = "the row has " + std::to_string(cells_.size()) + " cells, not " + std::to_string(bound_.size()) +
               " (csv.delimiter is '" + contract_.csv.delimiter + "')";
    if (broken.empty() && !simdjson::validate_utf8(row.bytes))
      broken = "the row is not UTF-8 (server encoding in the contract)";
    if (broken.empty() && row.bytes.find_first_of(std::string_view("\0\x1f", 2)) != std::string_view::npos)
      broken = "the row holds a control character (U+0000, U+001F)";
    if (!broken.empty()) {
      if (is_last && cells_.size() < bound_.size())
        assembler_->refuse(position, reason::truncated_record, "the file ends within this row: " + broken, row.bytes);
      else
        assembler_->refuse(position, reason::malformed_record, std::move(broken), row.bytes);
      return {};
    }
    std::fill(values_.begin(), values_.end(), Value{});
    const auto& null_words = contract_.csv.null_words;
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      if (bound_[i] < 0) continue;
      const bool is_null =
          !cells_[i].is_quoted && std::find(null_words.begin(), null_words.end(), cells_[i].text) != null_words.end();
      values_[static_cast<std::size_t>(bound_[i])] =
          is_null ? Value{Value::null, {}} : Value{Value::cell, cells_[i].text};
    }
    assembler_->hide(values_);
    return assembler_->add(position, values_, payload(), row.bytes);
  }

  /// The known cells as a JSON object, by the contract's order of columns; so raw.* holds one format only.
  std::string_view payload() {
    scratch_ = "{";
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].kind == Value::absent) continue;
      if (scratch_.size() > 1) scratch_ += ',';
      append_json_string(scratch_, contract_.columns[i].name);
      scratch_ += ':';
      if (values_[i].is_null())
        scratch_ += "null";
      else
        append_json_string(scratch_, values_[i].bytes);
    }
    scratch_ += '}';
    return assembler_->batch().keep(scratch_);
  }

  std::vector<Value> values_;
  std::vector<CsvCell> cells_;
  bool has_columns_ = false;  ///< the header was read, or there is none
  std::vector<int> bound_;    ///< by cell: the contract's column; -1: unknown
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_csv_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler) {
  return std::make_unique<CsvDecoder>(contract, std::move(assembler));
}

}  // namespace ff
