/// A contract: all that FleetFlow knows about one feed. No code anywhere is written for a feed.
///
/// One contract = one file layout -> one or more facts per record. The file is an Open Data Contract Standard document
/// (ODCS v3.1 YAML), so other tools can read it too: a schema object is a fact, a property is a field of that fact,
/// `physicalName` is the source's name for it and `transformLogic` an SQL expression over the source's columns.
/// docs/contracts.md is the guide; load_contract() refuses what it does not know, naming file, line and nearest key.
///
/// Always: a loaded contract is complete and consistent (every required field of each fact is mapped, every vocabulary
/// leads to a known status, every zone exists), so nothing behind it checks again. It is immutable and may be shared by
/// threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "contract/fields.h"
#include "contract/zone.h"
#include "domain/fact.h"

namespace ff {

/// `postgres`: rows of a table, by logical replication; `debezium`: a change envelope in JSON, one a line or a message;
/// `avro`: records of a topic, whose schemas are in a registry; `debezium_avro`: change envelopes written so.
enum class Format : std::uint8_t { ndjson, csv, avro, debezium, debezium_avro, postgres };
enum class Encoding : std::uint8_t { utf8, latin1 };

/// What a source measures in; native: the fact has no unit to choose. Of times: what a number counts since 1970 (a local clock,
/// if the mapping has a zone); native: times are text.
enum class Unit : std::uint8_t { native, deg, e7, m_s, km_h, s, min, ms, us, ns, days };

/// Source word -> our word. Shared, because several properties may use one CSV file.
using Vocabulary = std::unordered_map<std::string, std::string>;

/// What may leave the door of a source column (S7.1): `pii` never, `driver` only as a driver_key.
enum class ColumnRole : std::uint8_t { plain, driver, pii };

/// A column (CSV) or member (JSON) that the contract knows. Anything else in a record is schema drift.
struct Column {
  std::string name;
  ColumnRole role = ColumnRole::plain;
};

/// How one field of a fact is read.
struct FieldMapping {
  FactField field = FactField::shipment_id;
  int value = -1;               ///< index into a record's values: columns first, then expressions
  bool required = false;        ///< absent or null refuses the record: missing_field
  bool number_as_text = false;  ///< an id that the source writes as a JSON number (logicalType integer or number)
  Unit unit = Unit::native;
  std::shared_ptr<const Zone> zone;              ///< of local times; null: times must say their offset
  std::shared_ptr<const Vocabulary> vocabulary;  ///< null: the words are ours already
};

/// One fact that a record can yield.
struct Mapping {
  std::string name;  ///< the schema object's
  FactType fact = FactType::shipment;
  int when = -1;  ///< index of an expression that must be true; -1: every record
  std::vector<FieldMapping> fields;
};

/// An SQL expression (DuckDB) over the record's columns: all text, null where absent; a driver column shows its driver_key
/// and a pii column null, so an expression cannot carry either past the door.
struct Expression {
  std::string sql;
  int line = 0;  ///< in the contract, for messages
};

/// A row for ops.sla_policy; `none` is null (stalled_after_h: never stalled).
struct SlaPolicy {
  std::string service_level;
  std::int64_t pickup_within_h = none, delivery_within_h = none, grace_min = 0, early_window_min = 0,
               risk_window_min = 0, stalled_after_h = none;
};

struct CsvDialect {
  char delimiter = ',', quote = '"';
  bool has_header = true;
  std::vector<std::string> columns;            ///< their names where there is no header
  std::vector<std::string> null_words = {""};  ///< unquoted cells that mean null
};

struct Contract {
  std::string id, version;                 ///< `contract` and `contract_version` in the lake
  std::string file;                        ///< where it was read from, for messages
  std::string content_hash;                ///< of the contract and every file it names; part of the generation
  std::string path_glob;                   ///< which files, by name: `events*.ndjson`; empty: not files
  std::string topic;                       ///< a Kafka topic with the same records; empty: none
  std::string topic_host;                  ///< where the contract says that the topic is: host:port, or several
  std::vector<std::string> topic_headers;  ///< which of a record's headers to keep; others never land (S7.1)
  std::string table_schema, table;         ///< Format::postgres: which table; empty otherwise
  std::string server;                      ///< Format::postgres: the server's name, `servers[].server`; empty otherwise
  Format format = Format::ndjson;
  Encoding encoding = Encoding::utf8;
  CsvDialect csv;
  std::string name_space;        ///< where no field says another (S2.2)
  std::string driver_namespace;  ///< of the driver ids (S7.2)
  std::int32_t driver_generation = 0;
  std::int32_t authority_rank = 0, epoch = 0;  ///< S2.4
  bool historical = false;                     ///< no lateness bound, no horizon (S2.12)
  std::int64_t late_after_s = 900;             ///< `none` iff historical (S6.5)
  std::int64_t silent_after_min = none;  ///< the feed has something new at least so often (S6.7); `none`: no matter
  std::int64_t records_per_day_min = none, records_per_day_max = none;  ///< new things in a day; `none`: any number
  std::string reporting_zone;  ///< empty: not said; for a folder that is a world of its own (`demo FOLDER`)
  std::vector<SlaPolicy> sla_policies;
  std::vector<Column> columns;
  std::vector<Expression> expressions;
  std::vector<Mapping> mappings;

  /// Whether it matters how much the feed tells (ops.feed_activity).
  bool is_watched() const {
    return silent_after_min != none || records_per_day_min != none || records_per_day_max != none;
  }

  /// Whether a record of this feed can carry what must not leave the door; then unreadable records are masked.
  bool has_private_columns() const;
};

/// Reads one contract. Errors are all `halt`, with one of the cause words that docs/contracts.md lists:
/// contract_unreadable, contract_unknown_key, contract_missing_key, contract_bad_value; unknown_zone.
Result<Contract> load_contract(const std::string& file);

/// The contracts of a run; a feed is an index into it (Provenance::feed).
class ContractSet {
 public:
  /// Every *.yaml of a folder in the order of names; contracts whose ids collide are refused (contract_bad_value).
  static Result<ContractSet> load(const std::string& folder);
  explicit ContractSet(std::vector<Contract> contracts) : contracts_(std::move(contracts)) {}

  std::size_t size() const { return contracts_.size(); }
  const Contract& operator[](std::uint32_t feed) const { return contracts_[feed]; }
  auto begin() const { return contracts_.begin(); }
  auto end() const { return contracts_.end(); }
  /// The first feed whose glob matches the file's name (its path relative to the folder, if the glob has a '/'); null: no contract knows this file.
  std::optional<std::uint32_t> feed_of(std::string_view path) const;
  /// The feed of a topic; null: no contract knows it.
  std::optional<std::uint32_t> feed_of_topic(std::string_view topic) const;
  /// Changes with any contract; part of the state's mark.
  std::string content_hash() const;

 private:
  std::vector<Contract> contracts_;
};

}  // namespace ff
