#include "play/kafka_wire.h"

#include <librdkafka/rdkafka.h>

namespace ff::play {

void KafkaWire::Close::operator()(rd_kafka_s* client) const { rd_kafka_destroy(client); }

Result<KafkaWire> KafkaWire::open(const std::string& bootstrap) {
  KafkaWire wire;
  rd_kafka_conf_t* settings = rd_kafka_conf_new();
  char why[512];
  const std::pair<const char*, const char*> words[] = {{"bootstrap.servers", bootstrap.c_str()},
                                                       {"enable.idempotence", "true"},
                                                       {"linger.ms", "50"},
                                                       {"batch.size", "262144"},
                                                       // After a restart partitions may be known without a leader.
                                                       {"topic.metadata.refresh.interval.ms", "5000"},
                                                       {"queue.buffering.max.messages", "200000"},
                                                       {"partitioner", "murmur2_random"}};
  for (const auto& [name, value] : words) {
    if (rd_kafka_conf_set(settings, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(settings);
      return Error{Recourse::halt, "kafka_settings", std::string(name) + ": " + why};
    }
  }
  rd_kafka_conf_set_opaque(settings, wire.counts_.get());
  rd_kafka_conf_set_dr_msg_cb(settings, [](rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
    auto& counts = *static_cast<Counts*>(opaque);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++counts.acknowledged;
    } else if (++counts.failed == 1) {
      counts.failure = rd_kafka_err2str(message->err);
    }
  });
  wire.client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, settings, why, sizeof why));
  if (!wire.client_) {
    rd_kafka_conf_destroy(settings);
    return Error{Recourse::halt, "kafka_settings", why};
  }
  return wire;
}

Result<void> KafkaWire::send(const char* topic, std::string_view key, std::string_view value) {
  while (true) {
    const auto error = rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(topic),
                                         RD_KAFKA_V_KEY(key.empty() ? nullptr : key.data(), key.size()),
                                         RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                         RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      return Error{Recourse::retry, "kafka_refused", std::string(topic) + ": " + rd_kafka_err2str(error)};
    rd_kafka_poll(client_.get(), 50);
  }
}

void KafkaWire::poll() { rd_kafka_poll(client_.get(), 0); }

bool KafkaWire::flush(int wait_ms) { return rd_kafka_flush(client_.get(), wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR; }

}  // namespace ff::play
