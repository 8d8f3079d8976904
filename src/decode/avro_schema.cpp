#include "decode/avro_schema.h"

#include <simdjson.h>

#include <algorithm>
#include <map>
#include <optional>

namespace ff {
namespace {

namespace dom = simdjson::dom;
using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

constexpr std::size_t types_max = 10'000;
constexpr std::uint32_t fixed_bytes_max = 1 << 20, decimal_scale_max = 38;

std::optional<Kind> primitive(std::string_view name) {
  static const std::map<std::string_view, Kind> kinds = {
      {"null", Kind::null_},   {"boolean", Kind::boolean}, {"int", Kind::int_},    {"long", Kind::long_},
      {"float", Kind::float_}, {"double", Kind::double_},  {"bytes", Kind::bytes}, {"string", Kind::string}};
  const auto found = kinds.find(name);
  return found == kinds.end() ? std::nullopt : std::optional(found->second);
}

Logical logical(std::string_view name, Kind kind) {
  static const std::map<std::string_view, Logical> of_long = {
      {"timestamp-millis", Logical::timestamp_millis},
      {"timestamp-micros", Logical::timestamp_micros},
      {"timestamp-nanos", Logical::timestamp_nanos},
      {"local-timestamp-millis", Logical::local_timestamp_millis},
      {"local-timestamp-micros", Logical::local_timestamp_micros},
      {"local-timestamp-nanos", Logical::local_timestamp_nanos}};
  if (kind == Kind::int_ && name == "date") return Logical::date;
  if ((kind == Kind::bytes || kind == Kind::fixed) && name == "decimal") return Logical::decimal;
  const auto found = of_long.find(name);
  return kind == Kind::long_ && found != of_long.end() ? found->second : Logical::plain;
}

class Parser {
 public:
  Result<AvroSchema> parse(std::string_view json) {
    dom::parser parser;
    dom::element root;
    if (const auto e = parser.parse(json.data(), json.size()).get(root)) return bad(simdjson::error_message(e));
    schema_.root = FF_TRY(type(root, ""));
    return std::move(schema_);
  }

 private:
  static Error bad(const std::string& what) {
    return {Recourse::quarantine, "unusable_schema", "the Avro schema cannot be read: " + what};
  }

  Result<std::uint32_t> node(Kind kind) {
    if (schema_.types.size() >= types_max) return bad("more than " + std::to_string(types_max) + " types");
    schema_.types.push_back({});
    schema_.types.back().kind = kind;
    return static_cast<std::uint32_t>(schema_.types.size() - 1);
  }

  Result<std::uint32_t> type(dom::element json, const std::string& space) {
    std::string_view name;
    if (json.get(name) == simdjson::SUCCESS) return named(name, space);
    dom::array branches;
    if (json.get(branches) == simdjson::SUCCESS) {
      const std::uint32_t at = FF_TRY(node(Kind::union_));
      for (const dom::element branch : branches) {
        const std::uint32_t child = FF_TRY(type(branch, space));
        schema_.types[at].children.push_back(child);
      }
      if (schema_.types[at].children.empty()) return bad("a union without branches");
      return at;
    }
    dom::object object;
    if (json.get(object) != simdjson::SUCCESS) return bad("a type is neither a name, a union nor an object");
    dom::element inner;
    if (object["type"].get(inner) != simdjson::SUCCESS) return bad("an object without 'type'");
    if (inner.get(name) != simdjson::SUCCESS) return type(inner, space);  // {"type": {...}}
    if (name == "record" || name == "error") return record(object, space);
    if (name == "enum") return symbols(object, space);
    if (name == "fixed") return fixed(object, space);
    if (name == "array" || name == "map") {
      dom::element items;
      if (object[name == "array" ? "items" : "values"].get(items) != simdjson::SUCCESS)
        return bad("an " + std::string(name) + " that does not say of what");
      const std::uint32_t at = FF_TRY(node(name == "array" ? Kind::array : Kind::map));
      const std::uint32_t child = FF_TRY(type(items, space));
      schema_.types[at].children = {child};
      return at;
    }
    if (!primitive(name)) return named(name, space);
    const std::uint32_t at = FF_TRY(node(*primitive(name)));
    annotate(schema_.types[at], object);
    return at;
  }

  Result<std::uint32_t> named(std::string_view name, const std::string& space) {
    if (const auto kind = primitive(name)) return node(*kind);
    const bool is_full = name.find('.') != std::string_view::npos;
    for (const std::string& full :
         {is_full || space.empty() ? std::string(name) : space + "." + std::string(name), std::string(name)})
      if (const auto found = names_.find(full); found != names_.end()) return found->second;
    return bad("the type '" + std::string(name) + "' is not declared (schema references are not followed)");
  }

  /// Declares a named type before its parts are read; `space` becomes the one its parts live in.
  Result<std::uint32_t> declare(dom::object object, std::string& space, Kind kind) {
    std::string_view name, name_space;
    if (object["name"].get(name) != simdjson::SUCCESS || name.empty()) return bad("a named type without 'name'");
    if (object["namespace"].get(name_space) == simdjson::SUCCESS) space = name_space;
    std::string full(name);
    if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos)
      space = name.substr(0, dot);
    else if (!space.empty())
      full = space + "." + full;
    const std::uint32_t at = FF_TRY(node(kind));
    if (!names_.emplace(full, at).second) return bad("the type '" + full + "' is declared twice");
    return at;
  }

  Result<std::uint32_t> record(dom::object object, std::string space) {
    const std::uint32_t at = FF_TRY(declare(object, space, Kind::record));
    dom::array fields;
    if (object["fields"].get(fields) != simdjson::SUCCESS) return bad("a record without 'fields'");
    for (const dom::element field : fields) {
      std::string_view name;
      dom::element of;
      if (field["name"].get(name) != simdjson::SUCCESS || field["type"].get(of) != simdjson::SUCCESS)
        return bad("a field without 'name' or 'type'");
      const std::uint32_t child = FF_TRY(type(of, space));
      AvroType& self = schema_.types[at];
      if (std::find(self.names.begin(), self.names.end(), name) != self.names.end())
        return bad("the field '" + std::string(name) + "' stands twice");
      self.names.emplace_back(name);
      self.children.push_back(child);
    }
    return at;
  }

  Result<std::uint32_t> symbols(dom::object object, std::string space) {
    const std::uint32_t at = FF_TRY(declare(object, space, Kind::enum_));
    dom::array words;
    if (object["symbols"].get(words) != simdjson::SUCCESS) return bad("an enum without 'symbols'");
    for (const dom::element word : words) {
      std::string_view symbol;
      if (word.get(symbol) != simdjson::SUCCESS || symbol.find_first_of(std::string_view("\0\x1f", 2)) != symbol.npos)
        return bad("an enum's symbol is no string, or holds a control character");
      schema_.types[at].names.emplace_back(symbol);
    }
    return at;
  }

  Result<std::uint32_t> fixed(dom::object object, std::string space) {
    const std::uint32_t at = FF_TRY(declare(object, space, Kind::fixed));
    std::uint64_t size = 0;
    if (object["size"].get(size) != simdjson::SUCCESS || size > fixed_bytes_max)
      return bad("a fixed type without a 'size' of at most 1 MiB");
    schema_.types[at].size = static_cast<std::uint32_t>(size);
    annotate(schema_.types[at], object);
    return at;
  }

  /// A logical type that does not fit is left out: its value then is what it is without one.
  static void annotate(AvroType& type, dom::object object) {
    std::string_view name;
    if (object["connect.name"].get(name) == simdjson::SUCCESS) type.connect_name = name;
    if (object["logicalType"].get(name) != simdjson::SUCCESS) return;
    type.logical = logical(name, type.kind);
    std::uint64_t scale = 0;
    if (type.logical != Logical::decimal || object["scale"].get(scale) != simdjson::SUCCESS) return;
    if (scale > decimal_scale_max)
      type.logical = Logical::plain;
    else
      type.scale = static_cast<std::uint32_t>(scale);
  }

  AvroSchema schema_;
  std::map<std::string, std::uint32_t> names_;
};

}  // namespace

Result<AvroSchema> parse_avro_schema(std::string_view json) { return Parser().parse(json); }

}  // namespace ff
