#include "decode/assembler.h"

#include <tuple>

#include "base/hash.h"
#include "decode/file_blocks.h"
#include "decode/mask.h"

namespace ff {

Assembler::Assembler(const Contract& contract, std::uint32_t feed, const PseudonymKey& key, DriverIds ids)
    : contract_(contract),
      feed_(feed),
      judge_(contract, feed),
      pseudonymizer_(key, contract.driver_namespace, contract.driver_generation),
      ids_are_keys_(ids == DriverIds::keys),
      has_private_columns_(contract.has_private_columns()) {}

Result<std::unique_ptr<Assembler>> Assembler::make(const Contract& contract, std::uint32_t feed,
                                                   const PseudonymKey& key, DriverIds ids) {
  auto assembler = std::unique_ptr<Assembler>(new Assembler(contract, feed, key, ids));
  if (!contract.expressions.empty()) assembler->expressions_ = FF_TRY(Expressions::make(contract));
  return assembler;
}

void Assembler::begin(const FileRef& file, std::int64_t after) {
  partition_ = file.partition;
  heard_at_ = file.arrived_at;
  headers_ = {};
  after_ = after;
  waiting_.clear();
  batch_ = {};
  stats_ = {};
}

std::optional<std::string_view> Assembler::take(const RecordRef& record) {
  heard_at_ = record.ingest_time;
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
  waiting_.push_back({position, payload, received, headers_, heard_at_, nullptr});
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
  waiting_.push_back({position, {}, {}, headers_, heard_at_, std::make_unique<Refusal>(std::move(refusal))});
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
  for (const Mapping& mapping : contract_.mappings) {
    if (!Judge::applies(mapping, row)) continue;
    any = true;
    Decoded& out = batch_.records.emplace_back();
    Fact& fact = std::get<Fact>(out.what);
    fact.from = provenance(position);
    auto objection = judge_.judge(mapping, row, fact);
    out.payload = payload;
    out.headers = headers_;
    if (!objection) {
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

Result<void> Assembler::evaluate() {
  if (waiting_.empty()) return {};
  const auto* rows = expressions_->size() > 0 ? FF_TRY(expressions_->evaluate()) : nullptr;
  std::size_t next = 0;
  const auto last = std::pair(heard_at_, headers_);
  for (Waiting& record : waiting_) {
    heard_at_ = record.heard_at;
    headers_ = record.headers;
    if (record.refusal) {
      const std::string_view payload = batch_.keep(record.refusal->raw);
      keep(std::move(*record.refusal), payload);
    } else {
      judge(record.position, (*rows)[next++], record.payload, record.received);
    }
  }
  std::tie(heard_at_, headers_) = last;
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
