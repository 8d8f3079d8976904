/// From a record's values to Decoded, the same for every format: the door where PII stays out, the expressions, the judge.
///
/// A reader of a format splits bytes into values, one per column of the contract, and says at once where each record stands;
/// it hides what is private with hide() and then hands the row to add(). Records that it cannot read go to refuse().
/// Everything comes out in the order in which it went in. One per decoder; one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "contract/judge.h"
#include "contract/pseudonym.h"
#include "decode/decoder.h"
#include "decode/expressions.h"

namespace ff {

/// What a source says about a record beside its values; see Assembler::tell().
struct Telling {
  Micros ingest_time = 0;    ///< where no field of the contract says another
  std::int64_t ordinal = 0;  ///< of the Version, likewise
  std::int32_t ordinal_minor = 0;
  bool is_deleted =
      false;  ///< the row is gone: is_deleted of what has it, a retraction of an event, nothing for a ping
};

class Assembler {
 public:
  static Result<std::unique_ptr<Assembler>> make(const Contract& contract, std::uint32_t feed, const PseudonymKey& key,
                                                 DriverIds ids);

  /// Until finish_batch() records go to `batch`, and those at or before `after` nowhere.
  void begin(const FileRef& file, std::int64_t after);
  /// The same for records in memory; each is announced by take().
  void begin(std::uint32_t partition) { begin({{}, partition, 0}, 0); }
  /// What is added or refused from now on was heard of with this record. Its bytes, kept in the batch; null: there are
  /// none to read (no value, blank, too long), and it was refused.
  std::optional<std::string_view> take(const RecordRef& record);
  bool wants(std::int64_t position) const { return position > after_; }
  Batch& batch() { return batch_; }

  /// Driver ids become keys and pii null. Values then may point into the pseudonymizer, until the next hide().
  void hide(std::vector<Value>& values);
  bool has_private_columns() const { return has_private_columns_; }

  /// `received` (the record's bytes) and `payload` must live in the batch; `row` is read before this returns.
  /// `tell()` before it says what else is known of the record; what it said stays true for the records after it.
  void tell(const Telling& telling) { telling_ = telling; }
  Result<void> add(std::int64_t position, Row row, std::string_view payload, std::string_view received);
  void refuse(std::int64_t position, std::string_view reason, std::string detail, std::string_view received);
  void note_drift(std::string_view field, std::int64_t position);

  /// Everything added so far as a batch.
  Result<Batch> finish_batch();
  const DecodeStats& stats() const { return stats_; }
  DecodeStats& stats() { return stats_; }

 private:
  Assembler(const Contract& contract, std::uint32_t feed, const PseudonymKey& key, DriverIds ids);
  /// A record that waits for its expressions, or a refusal that waits for its turn.
  struct Waiting {
    std::int64_t position;
    std::string_view payload, received, headers;
    std::unique_ptr<Refusal> refusal;
    Telling telling;
    std::vector<std::size_t> unchanged;  ///< columns
  };
  Provenance provenance(std::int64_t position) const { return {feed_, partition_, position, telling_.ingest_time}; }
  void judge(std::int64_t position, Row row, std::string_view payload, std::string_view received);
  Refusal refusal_of(std::int64_t position, std::string_view reason, std::string detail,
                     std::string_view received) const;
  void keep(Refusal refusal, std::string_view payload);
  std::optional<Objection> judge_one(std::size_t mapping, Row row, Fact& fact) const;
  Result<void> evaluate();
  /// The row with Value::unchanged back in `columns`, and in every expression that reads one of them.
  std::vector<Value> with_unchanged(const std::vector<Value>& row, const std::vector<std::size_t>& columns) const;

  const Contract& contract_;
  std::uint32_t feed_;
  Judge judge_;
  Pseudonymizer pseudonymizer_;
  bool ids_are_keys_, has_private_columns_;
  std::unique_ptr<Expressions> expressions_;                ///< null: the contract has none
  std::vector<std::vector<std::size_t>> expression_reads_;  ///< by expression: the columns that its text names
  std::vector<std::uint32_t> keys_;                         ///< by mapping: the bits of its key fields
  std::vector<Waiting> waiting_;
  std::unordered_set<std::string> drifted_;

  std::uint32_t partition_ = 0;
  Telling telling_;           ///< of the record taken or told of last, or of the file
  std::string_view headers_;  ///< of the record taken last
  std::int64_t after_ = 0;
  Batch batch_;
  DecodeStats stats_;
};

}  // namespace ff
