#include "decode/assembler.h"

#include "base/hash.h"
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
  arrived_at_ = file.arrived_at;
  after_ = after;
  waiting_.clear();
  batch_ = {};
  stats_ = {};
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
  waiting_.push_back({position, payload, received, nullptr});
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
  waiting_.push_back({position, {}, {}, std::make_unique<Refusal>(std::move(refusal))});
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
  for (Waiting& record : waiting_) {
    if (record.refusal) {
      const std::string_view payload = batch_.keep(record.refusal->raw);
      keep(std::move(*record.refusal), payload);
    } else {
      judge(record.position, (*rows)[next++], record.payload, record.received);
    }
  }
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
