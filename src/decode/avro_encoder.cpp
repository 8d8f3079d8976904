#include "decode/avro_encoder.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "contract/read_value.h"
#include "decode/json_text.h"

namespace ff {
namespace {
namespace sj = simdjson;
using Kind = AvroType::Kind;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_letter_or_digit(char c) { return is_letter(c) || (c >= '0' && c <= '9'); }

bool is_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) && std::all_of(name.begin(), name.end(), is_letter_or_digit);
}

std::string_view type_of(const Contract& contract, std::size_t column) {
  constexpr std::string_view text = R"(["null","string"])", number = R"(["null","long","double","string"])",
                             truth = R"(["null","boolean","string"])";
  for (const Mapping& mapping : contract.mappings)
    for (const FieldMapping& field : mapping.fields) {
      if (field.value != static_cast<int>(column)) continue;
      switch (traits(field.field).kind) {
        case FieldKind::boolean:
          return truth;
        case FieldKind::integer:
        case FieldKind::coordinate:
        case FieldKind::speed:
        case FieldKind::duration:
          return number;
        case FieldKind::time:
          return field.unit == Unit::native ? text : number;
        case FieldKind::text:
        case FieldKind::driver:
        case FieldKind::status:
        case FieldKind::action:
          return text;
      }
    }
  return text;
}

std::string field(std::string_view name, std::string_view type) {
  return R"({"name":")" + std::string(name) + R"(","type":)" + std::string(type) + R"(,"default":null})";
}

Result<std::string> row_schema(const Contract& contract, std::string_view name, const std::string& name_space) {
  std::string out = R"({"type":"record","name":")" + std::string(name) + '"';
  if (!name_space.empty()) out += R"(,"namespace":")" + name_space + '"';
  out += R"(,"fields":[)";
  for (std::size_t i = 0; i < contract.columns.size(); ++i) {
    const Column& column = contract.columns[i];
    if (column.role == ColumnRole::pii) continue;
    if (!is_name(column.name))
      return Error{
          Recourse::halt, "contract_bad_value",
          contract.file + ": the column '" + column.name +
              "' has no name that Avro allows (letters, digits, _); publish it as JSON, without a registry_url"};
    if (out.back() == '}') out += ',';
    out += field(column.name, type_of(contract, i));
  }
  return out + "]}";
}

/// As append_envelope (debezium.h) writes it, in Debezium's order.
Result<std::string> envelope_schema(const Contract& contract, const std::string& name_space) {
  const std::string row = FF_TRY(row_schema(contract, "Value", ""));
  std::string source;
  for (const char* name : {"version", "connector", "snapshot", "schema", "table", "sequence"})
    source += field(name, R"(["null","string"])") + ',';
  for (const char* name : {"ts_us", "txId", "lsn"}) source += field(name, R"(["null","long"])") + ',';
  source.pop_back();
  return R"({"type":"record","name":"Envelope","namespace":")" + name_space + R"(","fields":[)" +
         field("before", R"(["null",)" + row + "]") + ',' + field("after", R"(["null","Value"])") + ',' +
         field("source", R"(["null",{"type":"record","name":"Source","fields":[)" + source + "]}]") + ',' +
         field("transaction", R"(["null",{"type":"record","name":"Transaction","fields":[)" +
                                  field("id", R"(["null","string"])") + ',' +
                                  field("total_order", R"(["null","long"])") + "]}]") +
         ',' + field("op", R"(["null","string"])") + "]}";
}

void put_long(std::int64_t value, std::string& out) {
  auto zigzag = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (; zigzag >= 0x80; zigzag >>= 7) out += static_cast<char>(zigzag | 0x80);
  out += static_cast<char>(zigzag);
}

void put_text(std::string_view text, std::string& out) {
  put_long(static_cast<std::int64_t>(text.size()), out);
  out += text;
}

/// A JSON value by one of our own types: a record, or a union of null and what it may be.
class Writer {
 public:
  Writer(const AvroSchema& schema, std::string& out) : schema_(schema), out_(out) {}

  bool put_record(const AvroType& record, sj::ondemand::object object) {
    for (std::size_t i = 0; i < record.names.size(); ++i) {
      const AvroType& type = schema_[record.children[i]];
      sj::ondemand::value value;
      const auto found = object.find_field_unordered(record.names[i]).get(value);
      if (found == sj::NO_SUCH_FIELD)
        put_long(0, out_);  // null
      else if (found || !put(type, value))
        return false;
    }
    return true;
  }

 private:
  static std::optional<std::size_t> branch_of(const AvroSchema& schema, const AvroType& of, Kind kind) {
    for (std::size_t i = 0; i < of.children.size(); ++i)
      if (schema[of.children[i]].kind == kind) return i;
    return std::nullopt;
  }
  bool enter(const AvroType& of, Kind kind) {
    const auto branch = branch_of(schema_, of, kind);
    if (branch) put_long(static_cast<std::int64_t>(*branch), out_);
    return branch.has_value();
  }

  bool put(const AvroType& type, sj::ondemand::value& value) {
    sj::ondemand::json_type kind;
    if (value.type().get(kind)) return false;
    switch (kind) {
      case sj::ondemand::json_type::null:
        return enter(type, Kind::null_);
      case sj::ondemand::json_type::boolean:
        if (enter(type, Kind::boolean)) return out_ += value.get_bool().value_unsafe() ? '\1' : '\0', true;
        return put_string(type, token(value));
      case sj::ondemand::json_type::number:
        return put_number(type, token(value));
      case sj::ondemand::json_type::string: {
        std::string_view text;
        return !value.get_string().get(text) && put_string(type, text);
      }
      case sj::ondemand::json_type::object:
        if (const auto record = branch_of(schema_, type, Kind::record)) {
          put_long(static_cast<std::int64_t>(*record), out_);
          sj::ondemand::object object;
          return !value.get_object().get(object) && put_record(schema_[type.children[*record]], object);
        }
        [[fallthrough]];
      case sj::ondemand::json_type::array: {
        std::string_view text;
        return !value.raw_json().get(text) && put_string(type, text);
      }
      default:
        return false;
    }
  }

  bool put_string(const AvroType& type, std::string_view text) {
    if (!enter(type, Kind::string)) return false;
    put_text(text, out_);
    return true;
  }

  bool put_number(const AvroType& type, std::string_view token) {
    if (branch_of(schema_, type, Kind::long_))
      if (const auto whole = read_integer(token)) return enter(type, Kind::long_) && (put_long(*whole, out_), true);
    double number = 0;
    if (branch_of(schema_, type, Kind::double_) &&
        std::from_chars(token.data(), token.data() + token.size(), number).ec == std::errc{} &&
        enter(type, Kind::double_)) {
      char bytes[sizeof number];
      std::memcpy(bytes, &number, sizeof number);
      out_.append(bytes, sizeof bytes);
      return true;
    }
    return put_string(type, token);
  }

  static std::string_view token(sj::ondemand::value& value) {
    std::string_view token = value.raw_json_token();
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
    return token;
  }

  const AvroSchema& schema_;
  std::string& out_;
};

}  // namespace

struct AvroEncoder::Parsers {
  sj::dom::parser whole;  ///< All of it must be JSON, which the other does not look at.
  sj::ondemand::parser values;
};

AvroEncoder::AvroEncoder(std::string text) : text_(std::move(text)), parsers_(std::make_unique<Parsers>()) {
  auto parsed = parse_avro_schema(text_);
  FF_CHECK(parsed.ok());
  schema_ = std::move(parsed).value();
}
AvroEncoder::~AvroEncoder() = default;
AvroEncoder::AvroEncoder(AvroEncoder&&) noexcept = default;

Result<AvroEncoder> AvroEncoder::make(const Contract& contract) {
  std::string id = contract.id;
  std::replace_if(
      id.begin(), id.end(), [](char c) { return !is_letter_or_digit(c); }, '_');
  const std::string name_space = "fleetflow.feed_" + id;
  const bool is_table = contract.format == Format::postgres || contract.format == Format::debezium ||
                        contract.format == Format::debezium_avro;
  return AvroEncoder(is_table ? FF_TRY(envelope_schema(contract, name_space))
                              : FF_TRY(row_schema(contract, "Record", name_space)));
}

bool AvroEncoder::append(std::string_view json, std::string& out) {
  const std::size_t before = out.size();
  const sj::padded_string padded(json);
  sj::dom::element whole;
  sj::ondemand::document document;
  sj::ondemand::object object;
  const bool is_written = !parsers_->whole.parse(padded).get(whole) && whole.is_object() &&
                          !parsers_->values.iterate(padded).get(document) && !document.get_object().get(object) &&
                          Writer(schema_, out).put_record(schema_[schema_.root], object);
  if (!is_written) out.resize(before);
  return is_written;
}

}  // namespace ff
