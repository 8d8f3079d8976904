/// What source and publisher share: librdkafka's configuration, its errors by recourse, its statistics.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/kafka_options.h"

namespace ff::kafka {

struct Deleter {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_NewTopic_t* topic) const { rd_kafka_NewTopic_destroy(topic); }
  void operator()(rd_kafka_ConfigResource_t* resource) const { rd_kafka_ConfigResource_destroy(resource); }
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
  void operator()(rd_kafka_error_t* error) const { rd_kafka_error_destroy(error); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_TopicCollection_t* topics) const { rd_kafka_TopicCollection_destroy(topics); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

/// Properties that are ours and the cluster's, then the caller's own. `ours` may not be set by the caller.
/// Error: halt `kafka_bad_setting`: which property, and what librdkafka says (never the value of a secret one).
Result<Owned<rd_kafka_conf_t>> make_conf(const KafkaCluster& cluster, const std::map<std::string, std::string>& ours);

/// What librdkafka's callbacks get as their opaque. Source and publisher derive from it; it outlives the client.
struct Context {
  const KafkaCluster* cluster = nullptr;
};
/// Logs and tokens go through the context's cluster.
void set_callbacks(rd_kafka_conf_t* conf, Context& context);

/// Error: halt `kafka_bad_setting`.
Result<Owned<rd_kafka_t>> make_client(rd_kafka_type_t type, Owned<rd_kafka_conf_t> conf);

/// An error code by what the caller does next: halt `kafka_denied` (who we are, what we may), halt `kafka_fenced`, halt
/// `kafka_fatal`, halt `kafka_bad_setting`; all others retry `kafka_away`.
Error error_of(rd_kafka_resp_err_t code, const std::string& said, const KafkaCluster& cluster);

/// Why librdkafka is done with a client, told by RD_KAFKA_RESP_ERR__FATAL: halt `kafka_fenced` (KIP-345: a static member
/// whose name another took; a new client may join), else halt `kafka_fatal`.
Error fatal_error(rd_kafka_t* client, const KafkaCluster& cluster);

/// librdkafka's JSON: brokers, bytes, round trips; partitions only their ends (position and lag are the source's).
void read_stats(std::string_view json, KafkaStats& stats);

/// `kafka:<topic>/<n>`
inline std::string partition_name(const std::string& topic, std::int32_t number) {
  return "kafka:" + topic + "/" + std::to_string(number);
}

}  // namespace ff::kafka
