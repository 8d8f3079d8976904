#include <charconv>

#include "decode/debezium.h"
#include "decode/json_text.h"

namespace ff {
namespace {

void append_number(std::int64_t value, std::string& out) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_row(const std::vector<Column>& columns, std::span<const Value> row, const std::vector<bool>& is_bare,
                std::string& out) {
  out += '{';
  bool is_first = true;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (row[c].kind == Value::absent) continue;
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(out, columns[c].name);
    out += ':';
    if (row[c].kind == Value::unchanged)
      append_json_string(out, debezium_unavailable);
    else if (row[c].kind == Value::null)
      out += "null";
    else if (is_bare[c] && columns[c].role == ColumnRole::plain)
      out += row[c].bytes;
    else
      append_json_string(out, row[c].bytes);
  }
  out += '}';
}

}  // namespace

void append_envelope(const ChangeHead& head, const std::vector<Column>& columns, std::span<const Value> row,
                     const std::vector<bool>& is_bare, std::string& out) {
  out.append(R"({"op":")").append(1, head.op).append(head.op == 'd' ? R"(","before":)" : R"(","before":null,"after":)");
  append_row(columns, row, is_bare, out);
  if (head.op == 'd') out += R"(,"after":null)";
  out.append(R"(,"source":{"version":")").append(own_envelope);
  out.append(R"(","connector":"postgresql","snapshot":)").append(head.op == 'r' ? R"("true")" : R"("false")");
  out += R"(,"schema":)";
  append_json_string(out, head.schema);
  out += R"(,"table":)";
  append_json_string(out, head.table);
  out += R"(,"ts_us":)";
  append_number(head.time, out);
  out += R"(,"txId":)";
  append_number(head.xid, out);
  out += R"(,"lsn":)";
  append_number(head.ordinal, out);
  out += R"(,"sequence":"[\")";
  append_number(head.ordinal, out);
  out += R"(\",\")";
  append_number(head.ordinal, out);
  out += R"(\"]"},"transaction":{"id":")";
  append_number(head.xid, out);
  out += ':';
  append_number(head.ordinal, out);
  out += R"(","total_order":)";
  append_number(head.ordinal_minor, out);
  out += "}}";
}

}  // namespace ff
