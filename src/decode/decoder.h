/// Bytes to facts: reads a file, or records that are in memory, by their contract; out come batches of facts and refusals
/// with their raw payload.
///
/// One decoder per feed and thread, reusable for any number of its files and records. In a file positions are record
/// numbers from 1: the line in NDJSON, the data row in CSV (a header is no record; a quoted line break does not start a new
/// one). Blank lines count in NDJSON and are no records. Records in memory bring their positions along.
///
/// Always: every record comes out as at least one Decoded with its position, rising; what cannot be read comes out as a
/// Refusal (S2.9). All facts of one record (a contract may map several) are neighbours in one batch, so a
/// mark 'everything up to position p' never splits a record. Reading the same bytes again gives the same facts and the
/// same positions. Nothing that leaves here holds a driver's own id or a field of class pii (S7.1).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "contract/contract.h"
#include "contract/pseudonym.h"
#include "domain/fact.h"

namespace ff {

/// A file to read. `arrived_at` is the row in ops.files: the ingest_time of records that do not say their own (S1.3).
struct FileRef {
  std::string path;
  std::uint32_t partition = 0;  ///< for Provenance
  Micros arrived_at = 0;
};

/// A record that is in memory already: a message of a topic, a row of raw.*, a change of a replication stream.
struct RecordRef {
  std::int64_t position = 0;
  Micros ingest_time = 0;    ///< where the record does not say its own (S1.3)
  std::string_view bytes;    ///< data() == nullptr: the record has no value (a topic's tombstone)
  std::string_view headers;  ///< what came beside the value, as JSON and free of PII; empty: nothing
};

/// One fact or refusal of a record. The views live in the batch.
struct Decoded {
  std::variant<Fact, Refusal> what;
  std::string_view payload;  ///< the record as JSON or as received, without PII
  std::string_view headers;  ///< those of RecordRef; empty: none

  const Fact* fact() const { return std::get_if<Fact>(&what); }
  const Refusal* refusal() const { return std::get_if<Refusal>(&what); }
  Fact* fact() { return std::get_if<Fact>(&what); }
  Refusal* refusal() { return std::get_if<Refusal>(&what); }

  const Provenance& from() const { return fact() ? fact()->from : refusal()->from; }
  /// The shipment's or else the driver's id; of a refused record empty if it could not be read.
  std::string_view subject() const {
    if (refusal()) return refusal()->subject;
    return std::visit(
        [](const auto& body) -> std::string_view {
          if constexpr (requires { body.shipment_id; })
            return body.shipment_id;
          else
            return body.driver_key;
        },
        fact()->body);
  }
};

/// A field that the feed sends and its contract does not know: reported once per decoder and field; its values never land.
struct Drift {
  std::string field;
  Provenance from;
};

/// Owns the bytes its payloads point into; movable, never copied.
class Batch {
 public:
  std::vector<Decoded> records;
  std::vector<Drift> drifts;

  Batch() = default;
  Batch(Batch&&) = default;
  Batch& operator=(Batch&&) = default;

  /// Keeps `bytes` alive as long as the batch.
  void adopt(std::unique_ptr<char[]> bytes) { blocks_.push_back(std::move(bytes)); }
  /// A copy of `text` in the batch, with 64 readable bytes behind it (parsers read in strides).
  std::string_view keep(std::string_view text);
  /// Memory that all copies take, used or not yet.
  std::size_t kept_bytes() const { return kept_bytes_; }
  /// Takes over what `other` has; the records of both stand in order of position.
  void absorb(Batch other);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0, next_block_ = 0, kept_bytes_ = 0;
};

/// Where batches go. Called on the decoding thread; may block (that is the back-pressure). An error stops the decoding.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> accept(Batch batch) = 0;
};

struct DecodeStats {
  std::int64_t records = 0;  ///< not counting those before the start
  std::int64_t facts = 0;
  std::int64_t refusals = 0;
  std::int64_t bytes = 0;
  std::int64_t last_position = 0;  ///< 0: the file has no record
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Hands on every record with a position greater than `after` (0: all).
  /// Errors: retry `unreadable_file` (absent, no permission, read error); any error of the sink.
  virtual Result<DecodeStats> decode(const FileRef& file, std::int64_t after, Sink& sink) = 0;

  /// The same for records of one partition that are in memory, in rising order of position: all of them as one batch, so
  /// the caller bounds it. A record is one JSON object, one CSV row without a header, one message; its bytes need to live
  /// only until this returns. A JSON payload comes out as one line.
  /// Errors: halt `contract_bad_value` (a feed of files whose columns only a file's header can name); what the format's
  /// schemas need (avro.h). After an error nothing was handed out, and the same call may be made again.
  virtual Result<Batch> decode_records(std::uint32_t partition, std::span<const RecordRef> records) = 0;
};

/// Where writers' schemas come from: a registry that knows them by number. Called on the decoding thread; may block.
class SchemaSource {
 public:
  virtual ~SchemaSource() = default;
  /// The schema as it was registered; null: there is none of this number. Errors: `retry` (nobody answered; the records
  /// wait), `quarantine` (it is there, and of no use: records are refused with the error's message), `halt`.
  virtual Result<std::optional<std::string>> schema(std::uint32_t id) = 0;
};

/// How the driver ids of the input are written.
enum class DriverIds : std::uint8_t {
  from_source,  ///< the source's own ids
  keys,         ///< driver_keys: payloads read back from raw.*, always NDJSON whatever the feed's format
};

/// `schemas`: for a feed of format avro or debezium_avro; others need none. Errors: halt `contract_bad_expression` (file, line, what
/// DuckDB said), `schema_registry_missing`. The contract and the schemas must outlive the decoder.
Result<std::unique_ptr<Decoder>> make_decoder(const Contract& contract, std::uint32_t feed, const PseudonymKey& key,
                                              DriverIds ids = DriverIds::from_source, SchemaSource* schemas = nullptr);

}  // namespace ff
