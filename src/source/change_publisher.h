/// Onto topics of Kafka, keyed so that a shipment or a driver stays in its shard: the changes of a Postgres database, as
/// Debezium envelopes, or the records of topics that somebody else keys and partitions. All of it as JSON (what came as Avro,
/// too) or, with a registry, as Avro by schemas made of the contracts (decode/avro_encoder.h), under the subjects TOPIC-value.
///
/// A topic lies before the door, as every feed does (S7.1): driver ids stand there as the source writes them, and whoever reads
/// the topic by a contract of format debezium or debezium_avro makes keys of them; a column of class pii is null; columns that no contract
/// knows are not published. So the tables that come of the topics are those that the engine makes of the database itself.
///
/// At least once: records are published, acknowledged by all in-sync replicas, then their positions (kafka_positions.h), then
/// the source is told what it may forget. After a kill the records behind the last position come again. Everything that may
/// pass by itself (a broker, the server) is tried again from the positions, for ever; what would lose something halts.
/// Several publishers of one consumer group share the partitions of the topics they read; a database has one.
///
/// A record of a topic keeps its timestamp and the headers that its contract names. One that is refused is passed on,
/// by its key or, where that cannot be read, without one, to the quarantine of whoever reads it then; in Avro as it is, where it
/// is no JSON object.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>

#include "source/kafka_publisher.h"
#include "source/kafka_source.h"
#include "source/postgres_source.h"
#include "source/schema_registry.h"

namespace ff {

struct ChangePublisherOptions {
  std::variant<PostgresOptions, KafkaOptions> source;
  KafkaPublisherOptions kafka;
  std::map<std::string, std::string> topics;  ///< contract id -> topic; one that is not named: its id
  std::string positions_topic = "fleetflow_positions";
  SchemaRegistry::Options registry;               ///< without url: JSON
  std::int64_t flush_records = 20'000;            ///< acknowledged together, at most about so many
  std::chrono::milliseconds flush_interval{200};  ///< and at least so often, if there is something

  const std::string& topic_of(const Contract& contract) const {
    const auto named = topics.find(contract.id);
    return named == topics.end() ? contract.id : named->second;
  }
};

/// What was done since the report before. Told at least every second.
struct PublishReport {
  struct Published {
    std::int64_t records = 0, bytes = 0;
  };
  std::map<std::string, Published> published;  ///< by contract id: acknowledged
  bool is_connected = true;
  std::string trouble;                    ///< why it is not, for a person
  Micros heard_until = none;              ///< see Source
  std::optional<PostgresStats> postgres;  ///< of the database that is read
  std::optional<KafkaStats> topics;       ///< of the topics that are read
  KafkaStats kafka;                       ///< of what is published to
};

/// Returns when told to stop, with everything acknowledged that was taken in; or with the error (never `retry`) that ended it.
/// `observe` is called on this thread.
Result<void> publish_changes(const ContractSet& contracts, const ChangePublisherOptions& options, std::stop_token stop,
                             const std::function<void(const PublishReport&)>& observe);

}  // namespace ff
