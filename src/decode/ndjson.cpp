#include "decode/ndjson.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "decode/block_decoder.h"

namespace ff {
namespace {

namespace sj = simdjson;
static_assert(block_padding >= sj::SIMDJSON_PADDING);

/// RFC 8259 §6; simdjson checks a number only when it is asked for its value.
bool is_json_number(std::string_view t) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < t.size() && t[at] >= '0' && t[at] <= '9') ++at;
    return at - from;
  };
  if (at < t.size() && t[at] == '-') ++at;
  const bool zero = at < t.size() && t[at] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (at < t.size() && t[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < t.size() && (t[at] == 'e' || t[at] == 'E')) {
    ++at;
    if (at < t.size() && (t[at] == '+' || t[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == t.size();
}

class NdjsonDecoder final : public BlockDecoder {
 public:
  NdjsonDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler)
      : BlockDecoder(contract, std::move(assembler)),
        values_(contract.columns.size()),
        expected_after_(contract.columns.size() + 1) {
    for (std::size_t i = 0; i < contract.columns.size(); ++i) {
      by_name_.emplace(contract.columns[i].name, static_cast<int>(i));
      expected_after_[i] = i + 1 < contract.columns.size() ? static_cast<int>(i) + 1 : -1;
    }
    expected_after_.back() = contract.columns.empty() ? -1 : 0;
  }

  Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) override {
    assembler_->begin(partition);
    for (const RecordRef& record : records)
      if (const auto bytes = assembler_->take(record)) FF_TRY(read_record(*bytes, record.position));
    return assembler_->finish_batch();
  }

 private:
  Result<void> take_records(std::string_view& text, bool more) override {
    while (!text.empty()) {
      const std::size_t newline = text.find('\n');
      const bool whole = newline != std::string_view::npos;
      if (!whole && more) break;
      const std::string_view line = text.substr(0, newline);
      text.remove_prefix(whole ? newline + 1 : text.size());
      ++position_;
      if (assembler_->wants(position_)) FF_TRY(read_line(line, position_, whole));
    }
    return {};
  }

  /// Part of a line that leaves as something else than it came: private or unknown.
  struct Splice {
    std::string_view token;
    int column;  ///< -1: unknown
  };

  Result<void> read_line(std::string_view line, std::int64_t position, bool whole) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) return {};
    ++assembler_->stats().records;
    if (std::string broken = parse(line, position); !broken.empty()) {
      if (whole)
        assembler_->refuse(position, reason::malformed_record, std::move(broken), line);
      else
        assembler_->refuse(position, reason::truncated_record, "the file ends within this line: " + broken, line);
      return {};
    }
    return assembler_->add(position, values_, payload_of(line), line);
  }

  Result<void> read_record(std::string_view record, std::int64_t position) {
    ++assembler_->stats().records;
    if (std::string broken = parse(record, position); !broken.empty()) {
      assembler_->refuse(position, reason::malformed_record, std::move(broken), record);
      return {};
    }
    std::string_view payload = payload_of(record);
    if (payload.find_first_of("\r\n") != std::string_view::npos) {  // white space: strings escape theirs
      std::string line(payload);
      std::replace_if(
          line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
      payload = assembler_->batch().keep(line);
    }
    return assembler_->add(position, values_, payload, record);
  }

  std::string_view payload_of(std::string_view record) {
    if (splices_.empty()) return record;
    assembler_->hide(values_);
    return spliced(record);
  }

  /// Fills values_ and splices_; what is wrong with the line, or empty.
  std::string parse(std::string_view line, std::int64_t position) {
    std::fill(values_.begin(), values_.end(), Value{});
    splices_.clear();
    sj::ondemand::document document;
    sj::ondemand::object object;
    if (const auto e = parser_.iterate(line.data(), line.size(), line.size() + sj::SIMDJSON_PADDING).get(document))
      return sj::error_message(e);
    if (const auto e = document.get_object().get(object))
      return e == sj::INCORRECT_TYPE ? "not a JSON object" : sj::error_message(e);
    bool has_nested = false;
    std::size_t before = values_.size();  // what came before the first key
    for (auto result : object) {
      sj::ondemand::field field;
      if (const auto e = std::move(result).get(field)) return sj::error_message(e);
      std::string_view key = field.escaped_key();
      const bool escaped_key = std::memchr(key.data(), '\\', key.size()) != nullptr;
      if (escaped_key)
        if (const auto e = field.unescaped_key().get(key)) return sj::error_message(e);
      const int column = column_of(key, before);
      sj::ondemand::value& json = field.value();
      std::string_view token = json.raw_json_token();
      const char follows = token.data()[token.size()];  // in the padding at the furthest
      while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
      Value value;
      if (token.empty()) return "a value is missing";
      switch (token.front()) {
        case '"':
          value.kind = Value::text;
          if (token.size() < 2 || token.back() != '"') return "a string is not closed";
          value.bytes = token.substr(1, token.size() - 2);
          if (std::memchr(value.bytes.data(), '\\', value.bytes.size())) {
            if (const auto e = json.get_string().get(value.bytes)) return sj::error_message(e);
            if (value.bytes.find_first_of(std::string_view("\0\x1f", 2)) != std::string_view::npos)
              return "a string holds a control character that FleetFlow separates ids with (U+0000, U+001F)";
          }
          break;
        case '{':
        case '[':
          value.kind = Value::nested;
          has_nested = true;
          if (const auto e = json.raw_json().get(token)) return sj::error_message(e);
          while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
          value.bytes = token;
          break;
        case 't':
        case 'f':
          value = {Value::boolean, token};
          if (token != "true" && token != "false") return "a word is neither true, false nor null";
          break;
        case 'n':
          value.kind = Value::null;
          if (token != "null") return "a word is neither true, false nor null";
          break;
        default:
          value = {Value::number, token};
          if (!is_json_number(token)) return "a number is not written as JSON does";
      }
      // On-demand takes a string that nobody reads and a ':' follows for one more key, and goes on (`"a":"b":1`).
      if (value.kind != Value::nested && follows != ',' && follows != '}') return "a value is followed by no comma";
      if (column < 0) {
        assembler_->note_drift(key, position);
        splices_.push_back({token, -1});
        continue;
      }
      Value& slot = values_[static_cast<std::size_t>(column)];
      if (slot.kind != Value::absent)
        return "the field '" + contract_.columns[static_cast<std::size_t>(column)].name + "' stands twice";
      slot = value;
      if (value.kind != Value::null && contract_.columns[static_cast<std::size_t>(column)].role != ColumnRole::plain)
        splices_.push_back({token, column});
    }
    if (!document.at_end()) return "something follows the JSON object";
    if (has_nested)  // on-demand skips over what nobody asks for; here everything must be JSON
      if (const auto e = dom_.parse(line.data(), line.size(), false).error()) return sj::error_message(e);
    return {};
  }

  /// The column of a key, guessed from the key before it; -1: unknown.
  int column_of(std::string_view key, std::size_t& before) {
    int& guess = expected_after_[before];
    if (guess < 0 || contract_.columns[static_cast<std::size_t>(guess)].name != key) {
      const auto found = by_name_.find(key);
      if (found == by_name_.end()) return -1;
      guess = found->second;
    }
    before = static_cast<std::size_t>(guess);
    return guess;
  }

  /// The line with private values replaced by what values_ now says, and unknown ones by null.
  std::string_view spliced(std::string_view line) {
    scratch_.clear();
    const char* at = line.data();
    for (const Splice& splice : splices_) {
      scratch_.append(at, splice.token.data());
      at = splice.token.data() + splice.token.size();
      const Value& value = values_[splice.column < 0 ? 0 : static_cast<std::size_t>(splice.column)];
      if (splice.column < 0 || value.is_null())
        scratch_ += "null";
      else
        scratch_.append(1, '"').append(value.bytes).append(1, '"');
    }
    scratch_.append(at, line.data() + line.size());
    return assembler_->batch().keep(scratch_);
  }

  sj::ondemand::parser parser_;
  sj::dom::parser dom_;
  std::vector<Value> values_;
  std::vector<Splice> splices_;
  std::vector<int> expected_after_;  ///< by column: the one that followed it last time; the last entry: the first one
  std::unordered_map<std::string_view, int> by_name_;
  std::string scratch_;
};

}  // namespace

std::unique_ptr<Decoder> make_ndjson_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler) {
  return std::make_unique<NdjsonDecoder>(contract, std::move(assembler));
}

}  // namespace ff
