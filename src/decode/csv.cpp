#include "decode/csv.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "decode/csv_row.h"
#include "decode/file_blocks.h"

namespace ff {
namespace {

class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler)
      : contract_(contract), assembler_(std::move(assembler)), values_(contract.columns.size()) {}

  Result<DecodeStats> decode(const FileRef& file, std::int64_t after, Sink& sink) override {
    FileBlocks blocks = FF_TRY(FileBlocks::open(file.path, contract_.encoding));
    assembler_->begin(file, after);
    bool has_columns = !contract_.csv.has_header;
    if (has_columns) bind(contract_.csv.columns);
    std::int64_t position = 0;
    std::string rest;
    bool is_skipping = false;  // inside a row that did not fit a block
    for (bool more = true; more;) {
      Block block = FF_TRY(blocks.next(rest));
      more = !block.is_last;
      std::string_view text = block.text;
      while (!text.empty()) {
        if (is_skipping) {  // to the end of the line, wherever its quotes stand
          const std::size_t newline = text.find('\n');
          text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
          is_skipping = newline == std::string_view::npos;
          continue;
        }
        CsvRow row = split_csv_row(text, contract_.csv, cells_);
        if (row.end == CsvRow::End::open && more) break;
        // A quote that is never closed would eat the rest of the file: give up one line only.
        if (row.end == CsvRow::End::open_quote) {
          if (more && (text.size() < block_bytes - block_padding || text.find('\n') == std::string_view::npos)) break;
          row.bytes = text.substr(0, std::min(text.find('\n'), text.size()));
          row.consumed = std::min(row.bytes.size() + 1, text.size());
          row.broken = "a quote is opened and never closed";
        }
        text.remove_prefix(row.consumed);
        if (!has_columns) {
          std::vector<std::string> names;
          for (const CsvCell& cell : cells_) names.emplace_back(cell.text);
          bind(names);
          has_columns = true;
        } else if (!row.bytes.empty()) {
          ++position;
          const bool last = text.empty() && !more && row.end != CsvRow::End::newline;
          if (assembler_->wants(position)) FF_TRY(read_row(row, position, last));
        }
      }
      if (more && text.size() >= block_bytes - block_padding) {
        if (assembler_->wants(++position)) {
          ++assembler_->stats().records;
          assembler_->refuse(
              position, reason::oversized_record,
              "the row is longer than " + std::to_string(block_bytes) + " bytes; its first 1000 are kept",
              text.substr(0, 1000));
        }
        is_skipping = true;
        text = {};
      }
      rest = text;
      assembler_->batch().adopt(std::move(block.bytes));
      Batch batch = FF_TRY(assembler_->finish_batch());
      if (!batch.records.empty() || !batch.drifts.empty()) FF_TRY(sink.accept(std::move(batch)));
    }
    if (blocks.bytes_read() == 0 && assembler_->wants(1)) {
      assembler_->refuse(1, reason::empty_file, "the file has no bytes, not even a header", {});
      Batch batch = FF_TRY(assembler_->finish_batch());
      FF_TRY(sink.accept(std::move(batch)));
    }
    DecodeStats& stats = assembler_->stats();
    stats.bytes = blocks.bytes_read();
    stats.last_position = position;
    return stats;
  }

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
      append_json_string(contract_.columns[i].name);
      scratch_ += ':';
      if (values_[i].is_null())
        scratch_ += "null";
      else
        append_json_string(values_[i].bytes);
    }
    scratch_ += '}';
    return assembler_->batch().keep(scratch_);
  }

  void append_json_string(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    scratch_ += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        scratch_ += '\\';
        scratch_ += c;
      } else if (static_cast<unsigned char>(c) < 0x20) {
        scratch_.append("\\u00").append(1, digits[c >> 4]).append(1, digits[c & 15]);
      } else {
        scratch_ += c;
      }
    }
    scratch_ += '"';
  }

  const Contract& contract_;
  std::unique_ptr<Assembler> assembler_;
  std::vector<Value> values_;
  std::vector<CsvCell> cells_;
  std::vector<int> bound_;  ///< by cell: the contract's column; -1: unknown
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_csv_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler) {
  return std::make_unique<CsvDecoder>(contract, std::move(assembler));
}

}  // namespace ff
