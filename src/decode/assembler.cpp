#include "decode/assembler.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "base/hash.h"
#include "decode/file_blocks.h"
#include "decode/mask.h"

namespace ff {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80); }

/// Whether `column` stands in the expression as a word, in any case: true too often rather than too seldom.
bool names_column(std::string_view sql, std::string_view column) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (auto at = sql.begin();; ++at) {
    at = std::search(at, sql.end(), column.begin(), column.end(), same);
    if (at == sql.end()) return false;
    const auto end = at + static_cast<std::ptrdiff_t>(column.size());
    if ((at == sql.begin() || !is_word(at[-1])) && (end == sql.end() || !is_word(*end))) return true;
  }
}

std::uint32_t key_bits(const Mapping& mapping) {
  const auto maps = [&](FactField field) {
    return std::any_of(mapping.fields.begin(), mapping.fields.end(),
                       [&](const FieldMapping& f) { return f.field == field; });
  };
  std::uint32_t bits = 0;
  for (const FactField field : key_fields(mapping.fact, maps(FactField::event_id))) bits |= bit(field);
  return bits;
}

/// False: such a fact knows no deletion.
bool mark_deleted(FactBody& body) {
  return std::visit(
      [](auto& b) {
        if constexpr (requires { b.retracted; }) b.retracted = true;
        if constexpr (requires { b.is_deleted; }) b.is_deleted = true;
        return requires { b.retracted; }
        || requires { b.is_deleted; };
      },
      body);
}

}  // namespace

Assembler::Assembler(const Contract& contract, std::uint32_t feed, const PseudonymKey& key, DriverIds ids)
    : contract_(contract),
      feed_(feed),
      judge_(contract, feed),
      pseudonymizer_(key, contract.driver_namespace, contract.driver_generation),
      ids_are_keys_(ids == DriverIds::keys),
      has_private_columns_(contract.has_private_columns()) {
  for (const Mapping& mapping : contract.mappings) keys_.push_back(key_bits(mapping));
  for (const Expression& expression : contract.expressions) {
    std::vector<std::size_t> reads;
    for (std::size_t i = 0; i < contract.columns.size(); ++i)
      if (names_column(expression.sql, contract.columns[i].name)) reads.push_back(i);
    expression_reads_.push_back(std::move(reads));
  }
}

Result<std::unique_ptr<Assembler>> Assembler::make(const Contract& contract, std::uint32_t feed,
                                                   const PseudonymKey& key, DriverIds ids) {
  auto assembler = std::unique_ptr<Assembler>(new Assembler(contract, feed, key, ids));
  if (!contract.expressions.empty()) assembler->expressions_ = FF_TRY(Expressions::make(contract));
  return assembler;
}

void Assembler::begin(const FileRef& file, std::int64_t after) {
  partition_ = file.partition;
  telling_ = {.ingest_time = file.arrived_at};
  headers_ = {};
  after_ = after;
  waiting_.clear();
  batch_ = {};
  stats_ = {};
}

std::optional<std::string_view> Assembler::take(const RecordRef& record) {
  telling_ = {.ingest_time = record.ingest_time};
  headers_ = record.headers.empty() ? std::string_view() : batch_.keep(record.headers);
  const bool is_blank = record.bytes.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (!is_blank && record.bytes.size() <= block_bytes) return batch_.keep(record.bytes);
  ++stats_.records;
  if (!record.bytes.data())
    refuse(record.position, reason::tombstone, "the record has no value, and this feed does not say that it deletes",
           {});
  else if (is_blank)
    refuse(record.position, reason::malformed_record, "the record is blank", record.bytes.substr(0, 1000));
  else
    refuse(record.position, reason::oversized_record,
           "the record has " + std::to_string(record.bytes.size()) + " bytes, more than " +
               std::to_string(block_bytes) + "; its first 1000 are kept",
           record.bytes.substr(0, 1000));
  return std::nullopt;
}

void Assembler::hide(std::vector<Value>& values) {
  pseudonymizer_.trim();
  for (std::size_t i = 0; i < contract_.columns.size(); ++i) {
    Value& value = values[i];
    if (contract_.columns[i].role == ColumnRole::plain || value.is_null()) continue;
    if (contract_.columns[i].role == ColumnRole::pii || value.kind == Value::nested)
      value = {Value::null, {}};
    else if (!ids_are_keys_ && !value.bytes.empty())
      value.bytes = pseudonymizer_.driver_key(value.bytes);
  }
}

Result<void> Assembler::add(std::int64_t position, Row row, std::string_view payload, std::string_view received) {
  if (!expressions_) return judge(position, row, payload, received), Result<void>{};
  expressions_->add(row);
  std::vector<std::size_t> unchanged;
  for (std::size_t i = 0; i < contract_.columns.size(); ++i)
    if (row[i].kind == Value::unchanged) unchanged.push_back(i);
  waiting_.push_back({position, payload, received, headers_, nullptr, telling_, std::move(unchanged)});
  return expressions_->size() == Expressions::rows_max ? evaluate() : Result<void>{};
}

void Assembler::refuse(std::int64_t position, std::string_view reason, std::string detail, std::string_view received) {
  Refusal refusal = refusal_of(position, reason, std::move(detail), received);
  refusal.raw = has_private_columns_ ? mask_record(received, contract_.columns) : printable(received);
  if (contract_.mappings.size() == 1) refusal.fact_type = static_cast<int>(contract_.mappings[0].fact);
  if (waiting_.empty()) {
    const std::string_view payload = batch_.keep(refusal.raw);
    return keep(std::move(refusal), payload);
  }
  waiting_.push_back({position, {}, {}, headers_, std::make_unique<Refusal>(std::move(refusal)), telling_, {}});
}

void Assembler::note_drift(std::string_view field, std::int64_t position) {
  if (drifted_.emplace(field).second) batch_.drifts.push_back({printable(field), provenance(position)});
}

Refusal Assembler::refusal_of(std::int64_t position, std::string_view reason, std::string detail,
                              std::string_view received) const {
  Refusal refusal;
  refusal.reason = reason;
  refusal.detail = std::move(detail);
  refusal.content_hash = hex(hash128(received));
  refusal.from = provenance(position);
  return refusal;
}

void Assembler::keep(Refusal refusal, std::string_view payload) {
  ++stats_.refusals;
  Decoded& out = batch_.records.emplace_back();
  out.what = std::move(refusal);
  out.payload = payload;
  out.headers = headers_;
}

void Assembler::judge(std::int64_t position, Row row, std::string_view payload, std::string_view received) {
  bool any = false;
  for (std::size_t m = 0; m < contract_.mappings.size(); ++m) {
    const Mapping& mapping = contract_.mappings[m];
    if (!Judge::applies(mapping, row)) continue;
    any = true;
    Decoded& out = batch_.records.emplace_back();
    Fact& fact = std::get<Fact>(out.what);
    fact.from = provenance(position);
    fact.version.ordinal = telling_.ordinal;
    fact.version.ordinal_minor = telling_.ordinal_minor;
    auto objection = judge_one(m, row, fact);
    out.payload = payload;
    out.headers = headers_;
    if (!objection) {
      if (telling_.is_deleted && !mark_deleted(fact.body))
        batch_.records.pop_back();
      else
        ++stats_.facts;
      continue;
    }
    Refusal refusal = refusal_of(position, objection->reason, std::move(objection->detail), received);
    refusal.from.ingest_time = fact.from.ingest_time;
    refusal.field = objection->field;
    refusal.subject = Judge::subject(mapping, row);
    refusal.raw = payload;
    refusal.fact_type = static_cast<int>(mapping.fact);
    out.what = std::move(refusal);
    ++stats_.refusals;
  }
  if (any) return;
  Refusal refusal =
      refusal_of(position, reason::unmapped_record, "no `when` of the contract is true for this record", received);
  refusal.raw = payload;
  keep(std::move(refusal), payload);
}

std::optional<Objection> Assembler::judge_one(std::size_t mapping, Row row, Fact& fact) const {
  const Mapping& what = contract_.mappings[mapping];
  if (what.when >= 0 && !telling_.is_deleted && row[static_cast<std::size_t>(what.when)].kind == Value::unchanged)
    return Objection{
        reason::unresolved_value,
        {},
        "the condition of '" + what.name +
            "' reads a column whose unchanged value was not sent; ALTER TABLE … REPLICA IDENTITY FULL sends it"};
  auto objection = judge_.judge(what, row, fact);
  // Of pings nothing is kept that could fill them in.
  const bool is_lost = fact.unchanged != 0 && what.fact == FactType::gps_location && !telling_.is_deleted;
  if (!objection && ((fact.unchanged & keys_[mapping]) || is_lost))
    return Objection{reason::unresolved_value,
                     {},
                     "a field that is needed was left unchanged and so not sent; ALTER TABLE … "
                     "REPLICA IDENTITY FULL sends it"};
  return objection;
}

std::vector<Value> Assembler::with_unchanged(const std::vector<Value>& row,
                                             const std::vector<std::size_t>& columns) const {
  std::vector<Value> out = row;
  for (const std::size_t column : columns) out[column] = {Value::unchanged, {}};
  for (std::size_t e = 0; e < expression_reads_.size(); ++e)
    for (const std::size_t read : expression_reads_[e])
      if (out[read].kind == Value::unchanged) out[contract_.columns.size() + e] = {Value::unchanged, {}};
  return out;
}

Result<void> Assembler::evaluate() {
  if (waiting_.empty()) return {};
  const auto* rows = expressions_->size() > 0 ? FF_TRY(expressions_->evaluate()) : nullptr;
  std::size_t next = 0;
  const auto last = std::pair(telling_, headers_);
  for (Waiting& record : waiting_) {
    telling_ = record.telling;
    headers_ = record.headers;
    if (record.refusal) {
      const std::string_view payload = batch_.keep(record.refusal->raw);
      keep(std::move(*record.refusal), payload);
    } else {
      const std::vector<Value>& row = (*rows)[next++];
      if (record.unchanged.empty())
        judge(record.position, row, record.payload, record.received);
      else
        judge(record.position, with_unchanged(row, record.unchanged), record.payload, record.received);
    }
  }
  std::tie(telling_, headers_) = last;
  waiting_.clear();
  return {};
}

Result<Batch> Assembler::finish_batch() {
  if (expressions_) FF_TRY(evaluate());
  Batch done = std::move(batch_);
  batch_ = {};
  batch_.records.reserve(done.records.size() + done.records.size() / 8);
  return done;
}

}  // namespace ff
