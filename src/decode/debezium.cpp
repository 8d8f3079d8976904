#include "decode/debezium.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/time.h"
#include "contract/read_value.h"
#include "decode/avro_value.h"
#include "decode/avro_writers.h"
#include "decode/file_blocks.h"

namespace ff {
namespace {
namespace sj = simdjson;

/// A member of a JSON object: its name and its value as written.
struct Member {
  std::string_view key;
  sj::ondemand::value& value;
};

/// Calls `each` for the members of an object that is known to be valid JSON and has readable bytes behind it.
template <class F>
bool each_member(sj::ondemand::parser& parser, std::string_view object, F each) {
  sj::ondemand::document document;
  sj::ondemand::object members;
  if (parser.iterate(object.data(), object.size(), object.size() + sj::SIMDJSON_PADDING).get(document) ||
      document.get_object().get(members))
    return false;
  for (auto result : members) {
    sj::ondemand::field field;
    std::string_view key;
    if (std::move(result).get(field) || field.unescaped_key().get(key)) return false;
    each(Member{key, field.value()});
  }
  return true;
}

std::string_view raw(sj::ondemand::value& value) {
  std::string_view token;
  if (value.raw_json().get(token)) return {};
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}
std::string_view text(sj::ondemand::value& value) {
  std::string_view out;
  return value.get_string().get(out) ? std::string_view() : out;
}
std::int64_t number(sj::ondemand::value& value) {
  std::int64_t out = 0;
  return value.get_int64().get(out) ? none : out;
}

/// Where the pieces of an envelope lie.
struct Envelope {
  std::string_view schema, before, after, source, transaction;
  char op = 0;
  std::int64_t ts_ms = none;
};

/// The placeholders for a value that was not sent: of text, of bytes (base64), of arrays and of hstore.
bool is_unavailable(std::string_view token) {
  return token.find(debezium_unavailable) != std::string_view::npos ||
         token == R"("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")";
}

std::optional<Unit> unit_of_schema(std::string_view name) {
  if (name == "io.debezium.time.Date" || name == "org.apache.kafka.connect.data.Date") return Unit::days;
  if (name == "io.debezium.time.Timestamp" || name == "org.apache.kafka.connect.data.Timestamp") return Unit::ms;
  if (name == "io.debezium.time.MicroTimestamp") return Unit::us;
  if (name == "io.debezium.time.NanoTimestamp") return Unit::ns;
  return std::nullopt;
}

class DebeziumDecoder final : public Decoder {
 public:
  DebeziumDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler, SchemaSource* schemas)
      : contract_(contract),
        assembler_(std::move(assembler)),
        writers_(schemas ? std::optional<AvroWriters>(*schemas) : std::nullopt),
        values_(contract.columns.size()),
        is_bare_(contract.columns.size()),
        units_(contract.columns.size()),
        utc_(Zone::load("UTC").value()) {
    std::vector<bool> feeds_key(contract.columns.size());
    for (const Mapping& mapping : contract.mappings) {
      const bool has_id = std::any_of(mapping.fields.begin(), mapping.fields.end(),
                                      [](const FieldMapping& f) { return f.field == FactField::event_id; });
      for (const FactField key : key_fields(mapping.fact, has_id))
        for (const FieldMapping& f : mapping.fields)
          if (f.field == key && static_cast<std::size_t>(f.value) < feeds_key.size())
            feeds_key[static_cast<std::size_t>(f.value)] = true;
    }
    feeds_key_ = std::move(feeds_key);
    has_unit_.resize(contract.columns.size());
    for (const Mapping& mapping : contract.mappings)
      for (const FieldMapping& f : mapping.fields)
        if (f.unit != Unit::native && static_cast<std::size_t>(f.value) < has_unit_.size())
          has_unit_[static_cast<std::size_t>(f.value)] = true;
  }

  Result<DecodeStats> decode(const FileRef& file, std::int64_t after, Sink& sink) override {
    FileBlocks blocks = FF_TRY(FileBlocks::open(file.path, contract_.encoding));
    assembler_->begin(file, after);
    arrived_at_ = file.arrived_at;
    std::int64_t position = 0;
    bool skipping = false;  // inside a line that did not fit a block
    std::string rest;
    for (bool more = true; more;) {
      Block block = FF_TRY(blocks.next(rest));
      more = !block.is_last;
      std::string_view all = block.text;
      while (!all.empty()) {
        const std::size_t newline = all.find('\n');
        const bool whole = newline != std::string_view::npos;
        if (!whole && more) break;
        const std::string_view line = all.substr(0, newline);
        all.remove_prefix(whole ? newline + 1 : all.size());
        if (std::exchange(skipping, false)) continue;
        ++position;
        if (assembler_->wants(position)) FF_TRY(read_record(line, position));
      }
      if (more && all.size() >= block_bytes - block_padding) {
        if (!skipping && assembler_->wants(++position)) {
          ++assembler_->stats().records;
          assembler_->refuse(
              position, reason::oversized_record,
              "the line is longer than " + std::to_string(block_bytes) + " bytes; its first 1000 are kept",
              all.substr(0, 1000));
        }
        skipping = true;
        all = {};
      }
      rest = all;
      assembler_->batch().adopt(std::move(block.bytes));
      Batch batch = FF_TRY(assembler_->finish_batch());
      if (!batch.records.empty() || !batch.drifts.empty()) FF_TRY(sink.accept(std::move(batch)));
    }
    DecodeStats& stats = assembler_->stats();
    stats.bytes = blocks.bytes_read();
    stats.last_position = position;
    return stats;
  }

  Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) override {
    if (writers_) FF_TRY(writers_->learn(records));
    assembler_->begin(partition);
    for (const RecordRef& record : records) {
      if (!record.bytes.data()) continue;  // a tombstone: the deletion itself came before it
      arrived_at_ = record.ingest_time;
      if (const auto bytes = assembler_->take(record))
        FF_TRY(writers_ ? read_avro(*bytes, record.position) : read_record(*bytes, record.position));
    }
    return assembler_->finish_batch();
  }

 private:
  /// A writer's schema in which Connect's times are the numbers that they are; and what those count, by column.
  struct Envelopes {
    AvroSchema schema;
    std::vector<std::optional<Unit>> units;
  };

  const Envelopes& envelopes_of(const AvroWriters::Found& writer) {
    const auto [known, is_new] = envelopes_.try_emplace(writer.id);
    if (!is_new) return known->second;
    AvroSchema& schema = known->second.schema = *writer.schema;
    for (AvroType& type : schema.types)
      if (unit_of_schema(type.connect_name)) type.logical = AvroType::Logical::plain;
    known->second.units.resize(contract_.columns.size());
    const AvroType& row = value_of(schema, member_of(schema[schema.root], "after").value_or(schema.root));
    for (std::size_t i = 0; i < row.names.size() && i < row.children.size(); ++i)
      if (const int at = column_of(row.names[i]); at >= 0 && !has_unit_[static_cast<std::size_t>(at)])
        known->second.units[static_cast<std::size_t>(at)] =
            unit_of_schema(value_of(schema, row.children[i]).connect_name);
    return known->second;
  }
  static std::optional<std::uint32_t> member_of(const AvroType& record, std::string_view name) {
    const auto at = std::find(record.names.begin(), record.names.end(), name);
    if (at == record.names.end()) return std::nullopt;
    return record.children[static_cast<std::size_t>(at - record.names.begin())];
  }
  /// The type itself; of a union the branch that is not null.
  static const AvroType& value_of(const AvroSchema& schema, std::uint32_t index) {
    for (const std::uint32_t branch : schema[index].children)
      if (schema[index].kind == AvroType::Kind::union_ && schema[branch].kind != AvroType::Kind::null_)
        return schema[branch];
    return schema[index];
  }

  Result<void> read_avro(std::string_view bytes, std::int64_t position) {
    const auto refuse = [&](std::string_view why, std::string detail) {
      ++assembler_->stats().records;
      assembler_->refuse(position, why, std::move(detail), bytes);
      return Result<void>{};
    };
    const AvroWriters::Found writer = writers_->find(bytes);
    if (!writer.schema) return refuse(writer.reason, writer.detail);
    const Envelopes& envelopes = envelopes_of(writer);
    AvroReader reader(envelopes.schema, writer.data);
    const std::string_view json = reader.read(envelopes.schema.root, avro_).bytes;
    if (const std::string broken = reader.end(); !broken.empty())
      return refuse(reason::malformed_record, "read by schema " + std::to_string(writer.id) + ": " + broken);
    if (json.size() > block_bytes)
      return refuse(reason::oversized_record, "as JSON it is longer than " + std::to_string(block_bytes) + " bytes");
    units_ = envelopes.units;
    return read_record(assembler_->batch().keep(json), position);
  }

  /// `line` must have block_padding readable bytes behind it and live in the batch.
  Result<void> read_record(std::string_view line, std::int64_t position) {
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
    if (line.empty() || line == "null") return {};  // a tombstone: the deletion itself came before it
    ++assembler_->stats().records;
    assembler_->tell({.ingest_time = arrived_at_});
    const auto refuse = [&](std::string_view why, std::string detail) {
      assembler_->refuse(position, why, std::move(detail), line);
      return Result<void>{};
    };
    if (const auto e = parser_.parse(line.data(), line.size(), false).get(dom_))  // All of it must be JSON.
      return refuse(reason::malformed_record, sj::error_message(e));
    Envelope envelope;
    if (!split(line, envelope)) return refuse(reason::malformed_record, "no change envelope with op, before and after");
    if (envelope.op != 'c' && envelope.op != 'u' && envelope.op != 'd' && envelope.op != 'r')
      return refuse(reason::malformed_record, "op is not one of c, u, d, r (a TRUNCATE cannot be told row by row)");
    const std::string_view row = envelope.op == 'd' ? envelope.before : envelope.after;
    if (row.empty() || row.front() != '{')
      return refuse(reason::malformed_record,
                    envelope.op == 'd' ? "a deletion without 'before': the table's replica identity is NOTHING"
                                       : "a change without 'after'");
    ChangeHead head{.op = envelope.op, .time = arrived_at_};
    read_head(envelope, head);
    if (!writers_) read_units(envelope);
    const auto is_unreadable = [&] {
      return refuse(reason::malformed_record,
                    "a text holds a control character that FleetFlow separates ids with (U+0000, U+001F)");
    };
    if (!read_row(row, envelope.op == 'd' && !is_ours_, position)) return is_unreadable();
    if (envelope.op == 'u' && names_another(envelope.before)) {
      if (!read_row(envelope.before, true, position)) return is_unreadable();
      ChangeHead end = head;
      end.op = 'd';
      --end.ordinal_minor;
      FF_TRY(add_row(end, position, line));
      head.op = 'c';
      read_row(row, false, position);
    }
    return add_row(head, position, line);
  }

  /// The row that was read last, as one record.
  Result<void> add_row(const ChangeHead& head, std::int64_t position, std::string_view line) {
    assembler_->tell({.ingest_time = head.time,
                      .ordinal = head.ordinal,
                      .ordinal_minor = static_cast<std::int32_t>(head.ordinal_minor),
                      .is_deleted = head.op == 'd'});
    if (assembler_->has_private_columns()) assembler_->hide(values_);
    scratch_.clear();
    append_envelope(head, contract_.columns, values_, is_bare_, scratch_);
    return assembler_->add(position, values_, assembler_->batch().keep(scratch_), line);
  }

  /// Whether `before` was about another thing than the row that was read last. A key field that it lacks or has as null
  /// may not have been sent, and tells nothing.
  bool names_another(std::string_view before) {
    bool is_another = false;
    if (!before.starts_with('{')) return false;
    each_member(before_, before, [&](const Member& m) {
      const int at = column_of(m.key);
      if (at < 0 || !feeds_key_[static_cast<std::size_t>(at)]) return;
      const auto column = static_cast<std::size_t>(at);
      const Value was = read_value(m.value, column), &is = values_[column];
      is_another |= was.kind == Value::cell && is.kind == Value::cell && was.bytes != is.bytes;
    });
    return is_another;
  }

  /// The members of the envelope, and of the wrapper around it if there is one.
  bool split(std::string_view line, Envelope& out) {
    std::string_view payload;
    const auto collect = [&](const Member& m) {
      if (m.key == "schema") out.schema = raw(m.value);
      if (m.key == "payload") payload = raw(m.value);
      if (m.key == "before") out.before = raw(m.value);
      if (m.key == "after") out.after = raw(m.value);
      if (m.key == "source") out.source = raw(m.value);
      if (m.key == "transaction") out.transaction = raw(m.value);
      if (m.key == "ts_ms") out.ts_ms = number(m.value);
      if (m.key == "op")
        if (const std::string_view op = text(m.value); op.size() == 1) out.op = op.front();
    };
    if (line.front() != '{' || !each_member(outer_, line, collect)) return false;
    if (out.op == 0 && payload.starts_with('{')) each_member(inner_, payload, collect);
    return out.op != 0;
  }

  /// Version, time and names: what `source` and `transaction` say.
  void read_head(const Envelope& envelope, ChangeHead& head) {
    std::int64_t ts_us = none, ts_ms = none, lsn = none, order = none;
    is_ours_ = false;
    std::string sequence;
    if (envelope.source.starts_with('{'))
      each_member(outer_, envelope.source, [&](const Member& m) {
        if (m.key == "ts_us") ts_us = number(m.value);
        if (m.key == "ts_ms") ts_ms = number(m.value);
        if (m.key == "lsn") lsn = number(m.value);
        if (m.key == "txId")
          if (const std::int64_t xid = number(m.value); xid > 0) head.xid = static_cast<std::uint32_t>(xid);
        if (m.key == "version") is_ours_ = text(m.value) == own_envelope;
        if (m.key == "schema") schema_name_ = text(m.value);
        if (m.key == "table") table_name_ = text(m.value);
        if (m.key == "sequence") sequence = text(m.value);
      });
    if (envelope.transaction.starts_with('{'))
      each_member(outer_, envelope.transaction, [&](const Member& m) {
        if (m.key == "total_order") order = number(m.value);
      });
    head.schema = schema_name_;
    head.table = table_name_;
    if (ts_ms == none) ts_ms = envelope.ts_ms;
    if (ts_us != none)
      head.time = ts_us;
    else if (std::int64_t us = 0; ts_ms != none && !__builtin_mul_overflow(ts_ms, 1000, &us))  // else the arrival stays
      head.time = us;
    set_version(sequence, lsn, order, head);
  }

  /// `sequence` is a JSON array of two numbers as texts: the last commit before, and this change. The first is null before
  /// any commit was seen; then the change's own place comes before all of that connector's later ones.
  /// In others' envelopes places count double, so that the end of an old thing fits before the change that made it another.
  void set_version(std::string_view sequence, std::int64_t lsn, std::int64_t order, ChangeHead& head) const {
    const auto next = [&]() -> std::int64_t {
      const std::size_t start = sequence.find_first_of("0123456789n");
      if (start == std::string_view::npos) return none;
      const std::size_t end = std::min(sequence.find_first_of("\",]", start), sequence.size());
      const auto value = read_integer(sequence.substr(start, end - start));
      sequence.remove_prefix(std::min(end + 1, sequence.size()));
      return value.value_or(none);
    };
    const std::int64_t committed = next(), changed = next();
    const std::int64_t at = changed != none ? changed : lsn >= 0 ? lsn : none;
    head.ordinal = committed != none ? committed : at != none ? at : 0;
    using Minor = std::numeric_limits<std::int32_t>;
    std::int64_t place = 0;
    if (order != none)
      place = std::clamp<std::int64_t>(order, 0, Minor::max());
    else if (committed != none && at != none)  // Records of the log begin at multiples of 8: 8 GiB either way fit.
      place = std::clamp<std::int64_t>((at - committed) / 8, Minor::min(), Minor::max());
    head.ordinal_minor = is_ours_ ? place : std::clamp<std::int64_t>(2 * place, Minor::min() + 1, Minor::max());
  }

  /// By column: what a number counts, where the wrapper's schema says that it is a time. A contract's own `unit` goes first.
  void read_units(const Envelope& envelope) {
    std::fill(units_.begin(), units_.end(), std::nullopt);
    sj::dom::array members;
    if (envelope.schema.empty() || dom_["schema"]["fields"].get(members)) return;
    for (const sj::dom::element member : members) {
      std::string_view name;
      sj::dom::array fields;
      if (member["field"].get(name) || name != (envelope.op == 'd' ? "before" : "after") ||
          member["fields"].get(fields))
        continue;
      for (const sj::dom::element field : fields) {
        std::string_view column, type;
        if (field["field"].get(column) || field["name"].get(type)) continue;
        const int at = column_of(column);
        if (at >= 0 && !has_unit_[static_cast<std::size_t>(at)])
          units_[static_cast<std::size_t>(at)] = unit_of_schema(type);
      }
    }
  }

  bool read_row(std::string_view row, bool only_key, std::int64_t position) {
    std::fill(values_.begin(), values_.end(), Value{});
    std::fill(is_bare_.begin(), is_bare_.end(), false);
    times_.clear();
    times_.reserve(2 * values_.size());  // Values of a row and of the one before it point into them.
    bool is_clean = true;
    each_member(row_, row, [&](const Member& m) {
      const int at = column_of(m.key);
      if (at < 0) return assembler_->note_drift(m.key, position);
      const auto column = static_cast<std::size_t>(at);
      values_[column] = only_key && !feeds_key_[column] ? Value{Value::unchanged, {}} : read_value(m.value, column);
      is_clean &= values_[column].bytes.find_first_of(std::string_view("\0\x1f", 2)) == std::string_view::npos;
    });
    return is_clean;
  }

  Value read_value(sj::ondemand::value& json, std::size_t column) {
    std::string_view token = json.raw_json_token();
    while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
    switch (token.empty() ? 'n' : token.front()) {
      case 'n':
        return {Value::null, {}};
      case '"': {
        const std::string_view value = text(json);
        if (value == debezium_unavailable || is_unavailable(token)) return {Value::unchanged, {}};
        return {Value::cell, value};
      }
      case '[':
      case '{': {
        const std::string_view value = raw(json);
        if (is_unavailable(value)) return {Value::unchanged, {}};
        return {Value::nested, value};
      }
      default:
        if (const auto unit = units_[column]; unit && token.front() != 't' && token.front() != 'f') {
          const auto instant = read_time_number(token, *unit, utc_.get());
          if (!instant) return {Value::cell, token};
          std::string& time = times_.emplace_back(format_rfc3339(*instant));
          time.pop_back();  // the Z: it is a reading of a local clock
          return {Value::cell, time};
        }
        is_bare_[column] = true;
        return {Value::cell, token};
    }
  }

  int column_of(std::string_view name) const {
    for (std::size_t i = 0; i < contract_.columns.size(); ++i)
      if (contract_.columns[i].name == name) return static_cast<int>(i);
    return -1;
  }

  const Contract& contract_;
  std::unique_ptr<Assembler> assembler_;
  std::optional<AvroWriters> writers_;  ///< null: the envelopes are JSON
  std::unordered_map<std::uint32_t, Envelopes> envelopes_;
  sj::dom::parser parser_;
  sj::dom::element dom_;
  sj::ondemand::parser outer_, inner_, row_, before_;
  std::vector<Value> values_;
  std::vector<bool> is_bare_, feeds_key_, has_unit_;
  std::vector<std::string> times_;
  std::vector<std::optional<Unit>> units_;
  std::shared_ptr<const Zone> utc_;
  Micros arrived_at_ = 0;
  bool is_ours_ = false;
  std::string scratch_, avro_, schema_name_, table_name_;
};

}  // namespace

std::unique_ptr<Decoder> make_debezium_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler,
                                               SchemaSource* schemas) {
  return std::make_unique<DebeziumDecoder>(contract, std::move(assembler), schemas);
}

}  // namespace ff
