/// One record against its contract: facts, or a refusal that says which rule it broke.
///
/// A record comes as a row of values: first the contract's columns, then its expressions. Where they come from (a JSON
/// line, a CSV row, an SQL result) makes no difference here, so every format has the same rules and the same words.
/// Driver ids are driver_keys and fields of class pii are null before a row comes here (decode/), so no fact and no message
/// can hold one. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "contract/contract.h"
#include "domain/fact.h"

namespace ff {

struct Value {
  enum Kind : std::uint8_t {
    absent,
    null,
    text,       ///< JSON string, unescaped
    number,     ///< JSON number, as written
    boolean,    ///< `true` or `false`
    nested,     ///< JSON array or object, as written
    cell,       ///< CSV cell, SQL result or value of a database: text that may be read as any type
    unchanged,  ///< the same as in the telling before, and not repeated (Fact::unchanged)
  };
  Kind kind = absent;
  std::string_view bytes;

  bool is_null() const { return kind <= null; }
};
using Row = std::span<const Value>;

/// The reason words, stable: metric labels, ops.quarantine.reason, what tests assert. docs/contracts.md explains each.
namespace reason {
inline constexpr std::string_view malformed_record = "malformed_record", truncated_record = "truncated_record",
                                  oversized_record = "oversized_record", empty_file = "empty_file",
                                  tombstone = "tombstone", unknown_schema = "unknown_schema",
                                  unusable_schema = "unusable_schema", unmapped_record = "unmapped_record",
                                  missing_field = "missing_field", wrong_type = "wrong_type",
                                  out_of_range = "out_of_range", coordinate_out_of_range = "coordinate_out_of_range",
                                  unmapped_status = "unmapped_status", unmapped_action = "unmapped_action",
                                  beyond_horizon = "beyond_horizon", unresolved_value = "unresolved_value",
                                  beyond_retention = "beyond_retention";
}  // namespace reason

/// Why a mapping gave no fact. The decoder completes it to a Refusal (raw bytes, hash, provenance).
struct Objection {
  std::string_view reason;
  std::string_view field;  ///< as the contract names it
  std::string detail;      ///< free of PII
};

class Judge {
 public:
  Judge(const Contract& contract, std::uint32_t feed) : contract_(contract), feed_(feed) {}

  /// Whether this mapping applies to the row.
  static bool applies(const Mapping& mapping, Row row);
  /// Fills `fact` or objects; null: it is a fact. Its provenance says where the record stands and when it arrived, its
  /// version which telling the source says it is (both only where no field of the contract says otherwise).
  std::optional<Objection> judge(const Mapping& mapping, Row row, Fact& fact) const;
  /// shipment_id or driver_key, where the row has one; for refusals.
  static std::string subject(const Mapping& mapping, Row row);

 private:
  template <class Body>
  std::optional<Objection> fill(const Mapping& mapping, Row row, Fact& fact, Body& body) const;
  /// Only what the payload shows anyway may stand in a message.
  bool may_show(const FieldMapping& mapping) const;

  const Contract& contract_;
  std::uint32_t feed_;
};

}  // namespace ff
