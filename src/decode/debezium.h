/// Debezium's change envelope (JSON, with or without the `schema`/`payload` wrapper, or Avro) to facts: for teams that run Debezium into
/// Kafka, and for reading back what our own Postgres reader keeps in raw.*.
///
/// `after` (of a deletion: `before`) is the row; `source.ts_us` (else `ts_ms`) its ingest_time; the version (S2.4) is
/// (sequence[0], order in the transaction): `transaction.total_order` where it is there, else how far sequence[1] lies from
/// sequence[0]; in others' envelopes twice that. Deletions are trusted in their key fields only: where the replica identity is not FULL, Debezium fills the
/// rest with null, 0 and ''; those of our own making (`source.version` is `fleetflow`) are trusted whole. An update whose
/// `before` has another value in a key field is two records at one position: the old thing is gone, the new one is there.
/// (Not where a key field is made by an expression.) Values that Debezium did not get (`__debezium_unavailable_value`) are
/// unchanged, not text.
///
/// Times written as numbers are read by the schema of the wrapper or of the writer (io.debezium.time.*, Connect's Timestamp
/// and Date), or by the property's `unit`. They are readings of a local clock: the property's defaultTimezone says whose.
/// In Avro an envelope is read whole, as the same JSON (decode/avro_value.h); raw.* keeps JSON either way.
/// Not read: decimals in `decimal.handling.mode=precise` in JSON (base64; say `string`), TRUNCATE (`t`): both are refused.
/// Source: Debezium documentation, "Debezium connector for PostgreSQL", data change events.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contract/contract.h"
#include "decode/assembler.h"
#include "decode/decoder.h"

namespace ff {

/// `source.version` of our own envelopes: what they do not know they mark as unavailable, so that all else in them is meant.
inline constexpr std::string_view own_envelope = "fleetflow";

inline constexpr std::string_view debezium_unavailable = "__debezium_unavailable_value";

/// `schemas`: of envelopes in Avro; null: they are JSON. Must outlive the decoder.
std::unique_ptr<Decoder> make_debezium_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler,
                                               SchemaSource* schemas = nullptr);

/// What an envelope says beside the row.
struct ChangeHead {
  char op = 'c';  ///< c created, u updated, d deleted, r read by a snapshot
  std::string_view schema, table;
  std::int64_t ordinal = 0, ordinal_minor = 0;  ///< of the Version
  std::uint32_t xid = 0;                        ///< 0: not known
  Micros time = 0;                              ///< of the commit, or of the snapshot's start
};

/// Writes the envelope of a row: one value per column of the contract, without what is private; absent ones are left out.
/// `is_bare`: by column, whether the value stands without quotes (a JSON number or word).
void append_envelope(const ChangeHead& head, const std::vector<Column>& columns, std::span<const Value> row,
                     const std::vector<bool>& is_bare, std::string& out);

}  // namespace ff
