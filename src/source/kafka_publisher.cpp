#include "source/kafka_publisher.h"

#include <algorithm>
#include <optional>

#include "source/kafka_client_internal.h"

namespace ff {

using namespace kafka;

struct KafkaPublisher::Impl : Context {
  KafkaPublisherOptions options;
  std::optional<Error> error;  ///< the first since the last flush
  std::int64_t delivered = 0;
  KafkaStats stats;
  Owned<rd_kafka_t> client;

  Result<void> open() {
    cluster = &options.cluster;
    const auto kb = std::to_string(std::max<std::int64_t>(1, options.queue_bytes_max / 1024));
    auto conf = FF_TRY(make_conf(options.cluster, {{"enable.idempotence", "true"},
                                                   {"acks", "all"},
                                                   {"partitioner", "murmur2_random"},
                                                   {"compression.type", options.compression},
                                                   {"linger.ms", std::to_string(options.linger_ms)},
                                                   {"message.timeout.ms", std::to_string(options.delivery_timeout_ms)},
                                                   {"queue.buffering.max.kbytes", kb},
                                                   {"statistics.interval.ms", "2000"}}));
    set_callbacks(conf.get(), *this);
    rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
    rd_kafka_conf_set_error_cb(conf.get(), on_error);
    rd_kafka_conf_set_stats_cb(conf.get(), on_stats);
    client = FF_TRY(make_client(RD_KAFKA_PRODUCER, std::move(conf)));
    return {};
  }

  static Impl& of(void* opaque) { return *static_cast<Impl*>(static_cast<Context*>(opaque)); }

  void fail(Error e) {
    if (!error || e.recourse == Recourse::halt) error = std::move(e);
  }

  Error undelivered(rd_kafka_resp_err_t code, const std::string& topic, std::size_t key_bytes,
                    std::size_t bytes) const {
    const std::string what = "topic " + topic + ": a record of " + std::to_string(bytes) + " bytes (key of " +
                             std::to_string(key_bytes) + ") was not taken: " + rd_kafka_err2str(code);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
      return {Recourse::quarantine, "kafka_oversized_record",
              what + "; raise message.max.bytes here and max.message.bytes of the topic, or send less"};
    Error e = error_of(code, "", options.cluster);
    if (e.recourse == Recourse::retry) e.cause = "kafka_not_delivered";
    e.message = what;
    return e;
  }

  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* m, void* opaque) {
    Impl& self = of(opaque);
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++self.delivered;
      return;
    }
    ++self.stats.produce_errors[rd_kafka_err2name(m->err)];
    self.fail(self.undelivered(m->err, rd_kafka_topic_name(m->rkt), m->key_len, m->len));
  }

  static void on_error(rd_kafka_t* client, int code, const char* said, void* opaque) {
    Impl& self = of(opaque);
    // A broker that is away is the delivery report's to tell, once a record had its time.
    Error e = code == RD_KAFKA_RESP_ERR__FATAL
                  ? fatal_error(client, self.options.cluster)
                  : error_of(static_cast<rd_kafka_resp_err_t>(code), said, self.options.cluster);
    if (e.recourse == Recourse::halt) self.fail(std::move(e));
  }

  static int on_stats(rd_kafka_t*, char* json, size_t bytes, void* opaque) {
    read_stats({json, bytes}, of(opaque).stats);
    return 0;
  }
};

KafkaPublisher::KafkaPublisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaPublisher::~KafkaPublisher() {
  if (impl_->client) rd_kafka_purge(impl_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

Result<std::unique_ptr<KafkaPublisher>> KafkaPublisher::start(KafkaPublisherOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  FF_TRY(impl->open());
  return std::unique_ptr<KafkaPublisher>(new KafkaPublisher(std::move(impl)));
}

Result<void> KafkaPublisher::publish(const std::string& topic, const KafkaRecord& record) {
  rd_kafka_headers_t* headers = record.headers.empty() ? nullptr : rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers)
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  rd_kafka_t* const client = impl_->client.get();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(impl_->options.delivery_timeout_ms);
  for (;;) {
    rd_kafka_poll(client, 0);
    const auto code =
        rd_kafka_producev(client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(record.key.empty() ? nullptr : record.key.data(), record.key.size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()),
                          RD_KAFKA_V_TIMESTAMP(record.timestamp == none ? 0 : record.timestamp / 1000),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};  // the headers are librdkafka's now
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || std::chrono::steady_clock::now() > until) {
      if (headers) rd_kafka_headers_destroy(headers);
      return impl_->undelivered(code, topic, record.key.size(), record.value.size());
    }
    rd_kafka_poll(client, 100);
  }
}

Result<void> KafkaPublisher::flush() {
  rd_kafka_t* const client = impl_->client.get();
  // Each record is acknowledged or given up within its own time, so this ends.
  while (rd_kafka_outq_len(client) > 0 && !impl_->error) rd_kafka_flush(client, 200);
  rd_kafka_poll(client, 0);
  if (!impl_->error) return {};
  // What is still under way would only be told of twice: the caller publishes it again.
  rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE);
  rd_kafka_flush(client, 1000);
  Error error = *std::exchange(impl_->error, std::nullopt);
  return error;
}

std::int64_t KafkaPublisher::waiting() const { return rd_kafka_outq_len(impl_->client.get()); }
std::int64_t KafkaPublisher::delivered() const { return impl_->delivered; }
KafkaStats KafkaPublisher::stats() const { return impl_->stats; }

}  // namespace ff
