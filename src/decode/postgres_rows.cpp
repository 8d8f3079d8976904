#include "decode/postgres_rows.h"

#include <algorithm>

#include "decode/debezium.h"
#include "decode/pg_binary.h"

namespace ff {
namespace {

/// OIDs of pg_type.dat. Whole numbers and booleans stand bare in JSON; all else is text.
constexpr std::uint32_t bool_type = 16, int8_type = 20, int2_type = 21, int4_type = 23;
bool stands_bare(std::uint32_t type) {
  return type == bool_type || type == int8_type || type == int2_type || type == int4_type;
}

}  // namespace

KeyColumns key_columns(const Contract& contract) {
  KeyColumns keys;
  for (const Mapping& mapping : contract.mappings) {
    const auto mapped = [&](FactField field) {
      return std::find_if(mapping.fields.begin(), mapping.fields.end(),
                          [&](const FieldMapping& f) { return f.field == field; });
    };
    for (const FactField field : key_fields(mapping.fact, mapped(FactField::event_id) != mapping.fields.end())) {
      const auto at = mapped(field);
      if (at == mapping.fields.end()) continue;
      if (static_cast<std::size_t>(at->value) >= contract.columns.size()) {
        keys.by_expression = true;
        continue;
      }
      const std::string& name = contract.columns[static_cast<std::size_t>(at->value)].name;
      if (std::find(keys.names.begin(), keys.names.end(), name) == keys.names.end()) keys.names.push_back(name);
    }
  }
  return keys;
}

PostgresRows::PostgresRows(const Contract& contract, std::unique_ptr<Assembler> assembler)
    : contract_(contract), assembler_(std::move(assembler)), values_(contract.columns.size()) {
  const KeyColumns keys = key_columns(contract);
  for (const Column& c : contract.columns)
    feeds_key_.push_back(keys.by_expression ||
                         std::find(keys.names.begin(), keys.names.end(), c.name) != keys.names.end());
}

Result<std::unique_ptr<PostgresRows>> PostgresRows::make(const Contract& contract, std::uint32_t feed,
                                                         const PseudonymKey& key) {
  auto assembler = FF_TRY(Assembler::make(contract, feed, key, DriverIds::from_source));
  return std::unique_ptr<PostgresRows>(new PostgresRows(contract, std::move(assembler)));
}

void PostgresRows::begin(std::uint32_t partition) { assembler_->begin(partition); }

void PostgresRows::bind(const PgRelation& relation, std::int64_t position) {
  bound_.clear();
  is_bare_.assign(contract_.columns.size(), false);
  std::vector<bool> is_there(contract_.columns.size());
  for (const PgColumn& column : relation.columns) {
    Bound& bound = bound_.emplace_back();
    bound.type = column.type;
    bound.is_key = column.is_key;
    const auto at = std::find_if(contract_.columns.begin(), contract_.columns.end(),
                                 [&](const Column& c) { return c.name == column.name; });
    if (at == contract_.columns.end()) {
      assembler_->note_drift(column.name, position);
      continue;
    }
    bound.column = static_cast<int>(at - contract_.columns.begin());
    bound.is_about = feeds_key_[static_cast<std::size_t>(bound.column)];
    is_there[static_cast<std::size_t>(bound.column)] = true;
    is_bare_[static_cast<std::size_t>(bound.column)] = stands_bare(column.type);
  }
  for (std::size_t c = 0; c < is_there.size(); ++c)
    if (!is_there[c]) assembler_->note_drift(contract_.columns[c].name, position);
}

std::span<const PgRecord> PostgresRows::records_of(PgMessage& change) {
  records_.clear();
  const bool only_key = change.old_kind == PgOldRow::key;
  if (change.kind == PgMessageKind::remove) {
    records_.push_back({'d', change.old_row, only_key});
    return records_;
  }
  const char op = change.kind == PgMessageKind::insert ? 'c' : 'u';
  if (change.old_kind == PgOldRow::absent || change.old_row.size() != change.new_row.size()) {
    records_.push_back({op, change.new_row, false});
    return records_;
  }
  bool is_another = false;
  for (std::size_t i = 0; i < std::min(bound_.size(), change.new_row.size()); ++i) {
    const PgCell& before = change.old_row[i];
    PgCell& after = change.new_row[i];
    if (only_key && !bound_[i].is_key) continue;  // not sent
    if (after.kind == PgCell::unchanged) after = before;
    is_another |= bound_[i].is_about && (before.kind != after.kind || before.bytes != after.bytes);
  }
  if (is_another) records_.push_back({'d', change.old_row, only_key});
  records_.push_back({is_another ? 'c' : op, change.new_row, false});
  return records_;
}

Result<void> PostgresRows::add(const PgRecord& record, const PgRecordPlace& place) {
  if (record.cells.size() != bound_.size())
    return Error{Recourse::halt, "replication_protocol",
                 "a row of " + contract_.table_schema + "." + contract_.table + " has " +
                     std::to_string(record.cells.size()) + " values and its table " + std::to_string(bound_.size()) +
                     " columns"};
  std::fill(values_.begin(), values_.end(), Value{});
  binary_.clear();
  std::size_t binary_bytes = 0;
  for (const PgCell& cell : record.cells) binary_bytes += cell.kind == PgCell::binary ? 64 + 8 * cell.bytes.size() : 0;
  if (binary_bytes > 0) binary_.reserve(binary_bytes);  // Values point into it, and it must not move.
  bool has_separator = false, is_unreadable = false;
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i].column < 0) continue;
    const PgCell& cell = record.cells[i];
    Value& value = values_[static_cast<std::size_t>(bound_[i].column)];
    if (record.has_only_key && !bound_[i].is_key) {
      value.kind = Value::unchanged;
      continue;
    }
    switch (cell.kind) {
      case PgCell::null:
        value.kind = Value::null;
        break;
      case PgCell::unchanged:
        value.kind = Value::unchanged;
        break;
      case PgCell::text:
        value = {Value::cell, cell.bytes};
        break;
      case PgCell::binary: {
        const std::size_t start = binary_.size(), capacity = binary_.capacity();
        if (append_binary_as_text(bound_[i].type, cell.bytes, binary_) && binary_.capacity() == capacity)
          value = {Value::cell, std::string_view(binary_).substr(start)};
        else if (is_binary_known(bound_[i].type))
          is_unreadable = true;
        else
          value = {Value::cell, cell.bytes};  // a label of an enum
        break;
      }
    }
    if (bound_[i].type == bool_type && value.kind == Value::cell) value.bytes = value.bytes == "t" ? "true" : "false";
    has_separator |= value.bytes.find('\x1f') != std::string_view::npos;
  }
  ++assembler_->stats().records;
  assembler_->tell({.ingest_time = place.time,
                    .ordinal = static_cast<std::int64_t>(place.lsn.bytes),
                    .ordinal_minor = static_cast<std::int32_t>(place.index),
                    .is_deleted = record.op == 'd'});
  if (assembler_->has_private_columns()) assembler_->hide(values_);
  const std::string_view payload = payload_of(record, place);
  if (has_separator) {
    assembler_->refuse(place.position, reason::malformed_record,
                       "a value holds a control character that FleetFlow separates ids with (U+001F)", payload);
    return {};
  }
  if (is_unreadable) {
    assembler_->refuse(place.position, reason::malformed_record, "a value in binary is not written as its type has it",
                       payload);
    return {};
  }
  return assembler_->add(place.position, values_, payload, payload);
}

std::string_view PostgresRows::payload_of(const PgRecord& record, const PgRecordPlace& place) {
  scratch_.clear();
  append_envelope({.op = record.op,
                   .schema = contract_.table_schema,
                   .table = contract_.table,
                   .ordinal = static_cast<std::int64_t>(place.lsn.bytes),
                   .ordinal_minor = place.index,
                   .xid = place.xid,
                   .time = place.time},
                  contract_.columns, values_, is_bare_, scratch_);
  return assembler_->batch().keep(scratch_);
}

}  // namespace ff
