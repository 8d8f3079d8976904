/// Rows of one Postgres table to facts, by its contract: from a tuple's cells straight to values and the Assembler.
///
/// The raw payload is written here as well, in the form in which Debezium would have told the change (decode/debezium.h reads
/// it back): without what is private, without columns that the contract does not know. One per table and thread.
///
/// What a row is about are its contract's key fields (contract/fields.h). An update that changes one of them is two records:
/// the old row is gone, the new one is there. A value that was not sent (TOAST, or all but the key of a deleted row) becomes
/// Value::unchanged, never null.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "decode/assembler.h"
#include "decode/pgoutput.h"

namespace ff {

/// One record that a change becomes; points into the change.
struct PgRecord {
  char op = 'c';  ///< as Debezium has it: c created, u updated, d deleted, r read by a snapshot
  std::span<const PgCell> cells;
  bool has_only_key = false;  ///< cells outside the replica identity were not sent
};

/// Where a record stands: the version and the envelope are made of it.
struct PgRecordPlace {
  std::int64_t position = 0;
  Lsn lsn;                 ///< of the commit, or of the snapshot
  std::int64_t index = 0;  ///< in the transaction, from 1; of a snapshot's row: 0
  std::uint32_t xid = 0;
  Micros time = 0;  ///< of the commit, or of the snapshot's start
};

class PostgresRows {
 public:
  /// Error: halt `contract_bad_expression`.
  static Result<std::unique_ptr<PostgresRows>> make(const Contract& contract, std::uint32_t feed,
                                                    const PseudonymKey& key);

  void begin(std::uint32_t partition);
  /// The table's layout from now on; columns that either side lacks are noted as drift.
  void bind(const PgRelation& relation, std::int64_t position);

  /// One record, or two where an update changes what the row is about. Fills in what the new row left unchanged and the old
  /// one says. Valid until the next call.
  std::span<const PgRecord> records_of(PgMessage& change);
  Result<void> add(const PgRecord& record, const PgRecordPlace& place);
  Result<Batch> finish_batch() { return assembler_->finish_batch(); }
  bool has_nothing() const { return assembler_->batch().records.empty() && assembler_->batch().drifts.empty(); }

 private:
  /// What the layout says of one of the table's columns.
  struct Bound {
    int column = -1;  ///< in the contract; -1: unknown to it
    std::uint32_t type = 0;
    bool is_key = false;    ///< of the replica identity
    bool is_about = false;  ///< feeds a key field
  };
  PostgresRows(const Contract& contract, std::unique_ptr<Assembler> assembler);
  std::string_view payload_of(const PgRecord& record, const PgRecordPlace& place);

  const Contract& contract_;
  std::unique_ptr<Assembler> assembler_;
  std::vector<bool> feeds_key_;  ///< by column of the contract
  std::vector<Bound> bound_;     ///< by column of the table
  std::vector<Value> values_;
  std::vector<bool> is_bare_;  ///< by column of the contract: in the payload
  std::vector<PgRecord> records_;
  std::string scratch_, binary_;
};

/// The columns of the table that feed the contract's key fields, in the contract's order; `by_expression`: a key field is made by
/// an expression, so that all columns may count.
struct KeyColumns {
  std::vector<std::string> names;
  bool by_expression = false;
};
KeyColumns key_columns(const Contract& contract);

}  // namespace ff
