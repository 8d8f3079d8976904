#include "source/kafka_positions.h"

#include <charconv>
#include <thread>

#include "source/kafka_client_internal.h"

namespace ff {
namespace {
using namespace kafka;
using namespace std::chrono_literals;

constexpr int answer_wait_ms = 10'000;

std::string to_text(const Mark& mark) { return std::to_string(mark.position) + " " + mark.resume; }

std::optional<Mark> parse_mark(std::string_view text) {
  Mark mark;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), mark.position);
  if (read.ec != std::errc() || read.ptr == text.data() + text.size() || *read.ptr != ' ') return std::nullopt;
  mark.resume = text.substr(static_cast<std::size_t>(read.ptr - text.data()) + 1);
  return mark;
}

class TopicReader : Context {
 public:
  TopicReader(const KafkaCluster& its_cluster, const std::string& topic) : topic_(topic) { cluster = &its_cluster; }

  Result<void> open() {
    auto conf = FF_TRY(make_conf(*cluster, {{"group.id", "fleetflow_positions"},
                                            {"enable.auto.commit", "false"},
                                            {"enable.partition.eof", "true"},
                                            {"auto.offset.reset", "error"}}));
    set_callbacks(conf.get(), *this);
    client_ = FF_TRY(make_client(RD_KAFKA_CONSUMER, std::move(conf)));
    rd_kafka_poll_set_consumer(client_.get());
    queue_.reset(rd_kafka_queue_new(client_.get()));
    return {};
  }

  /// 0: there is no such topic.
  Result<int> partitions() {
    Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr));
    const rd_kafka_metadata_t* told = nullptr;
    const auto code = rd_kafka_metadata(client_.get(), 0, handle.get(), &told, answer_wait_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error(code);
    const std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)> owned(
        told, rd_kafka_metadata_destroy);
    if (told->topic_cnt != 1) return 0;
    const auto& topic = told->topics[0];
    if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || topic.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) return 0;
    if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) return error(topic.err);
    return topic.partition_cnt;
  }

  Result<void> create() {
    char said[512] = "";
    Owned<rd_kafka_NewTopic_t> topic(rd_kafka_NewTopic_new(topic_.c_str(), 1, -1, said, sizeof said));
    if (!topic) return Error{Recourse::halt, "kafka_bad_setting", "positions topic '" + topic_ + "': " + said};
    rd_kafka_NewTopic_set_config(topic.get(), "cleanup.policy", "compact");
    rd_kafka_NewTopic_t* all[] = {topic.get()};
    rd_kafka_CreateTopics(client_.get(), all, 1, nullptr, queue_.get());
    const Owned<rd_kafka_event_t> event = FF_TRY(answer());
    std::size_t count = 0;
    const auto* result = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i)
      if (const auto code = rd_kafka_topic_result_error(result[i]);
          code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return error(code);
    return {};
  }

  /// Records of a topic that is not compacted are forgotten in time, and with them the positions.
  Result<void> check_compacted() {
    Owned<rd_kafka_ConfigResource_t> topic(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_.c_str()));
    rd_kafka_ConfigResource_t* all[] = {topic.get()};
    rd_kafka_DescribeConfigs(client_.get(), all, 1, nullptr, queue_.get());
    const Owned<rd_kafka_event_t> event = FF_TRY(answer());
    std::size_t resources = 0, entries = 0;
    const auto* found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &resources);
    if (resources != 1) return {};
    if (const auto code = rd_kafka_ConfigResource_error(found[0]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return error(code);
    const auto* entry = rd_kafka_ConfigResource_configs(found[0], &entries);
    for (std::size_t i = 0; i < entries; ++i) {
      const std::string name = rd_kafka_ConfigEntry_name(entry[i]);
      const char* const value = rd_kafka_ConfigEntry_value(entry[i]);
      if (name == "cleanup.policy" && std::string(value ? value : "") != "compact")
        return Error{Recourse::halt, "kafka_bad_setting",
                     "the positions topic '" + topic_ + "' has cleanup.policy=" + (value ? value : "") +
                         ", so that positions would be forgotten: set cleanup.policy=compact"};
    }
    return {};
  }

  template <class Each>
  Result<void> read(Each each) {
    Owned<rd_kafka_topic_partition_list_t> wanted(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(wanted.get(), topic_.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (const auto code = rd_kafka_assign(client_.get(), wanted.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return error(code);
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      const Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), 500));
      if (!message) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return error(message->err);
      each(std::string(static_cast<const char*>(message->key), message->key_len),
           std::string_view(static_cast<const char*>(message->payload), message->len));
    }
    return Error{Recourse::retry, "kafka_away", "the positions topic '" + topic_ + "' could not be read in a minute"};
  }

 private:
  Error error(rd_kafka_resp_err_t code) const { return error_of(code, "positions topic '" + topic_ + "'", *cluster); }

  Result<Owned<rd_kafka_event_t>> answer() {
    Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue_.get(), 6 * answer_wait_ms));
    if (!event) return error(RD_KAFKA_RESP_ERR__TIMED_OUT);
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) return error(code);
    return event;
  }

  const std::string& topic_;
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> queue_;
};

}  // namespace

Result<std::unique_ptr<KafkaPositions>> KafkaPositions::open(const KafkaCluster& cluster, std::string topic) {
  std::unique_ptr<KafkaPositions> out(new KafkaPositions(cluster, std::move(topic)));
  TopicReader reader(out->cluster_, out->topic_);
  FF_TRY(reader.open());
  int partitions = FF_TRY(reader.partitions());
  if (partitions == 0) FF_TRY(reader.create());
  for (int i = 0; partitions == 0 && i < 50; ++i, std::this_thread::sleep_for(200ms))
    partitions = FF_TRY(reader.partitions());
  if (partitions == 0)
    return Error{Recourse::retry, "kafka_away",
                 "the positions topic '" + out->topic_ + "' was made, and the broker does not know of it yet"};
  if (partitions != 1)
    return Error{Recourse::halt, "kafka_bad_setting",
                 "the positions topic '" + out->topic_ + "' has " + std::to_string(partitions) +
                     " partitions; it must have one, so that positions stand in the order in which they were written"};
  FF_TRY(reader.check_compacted());
  FF_TRY(out->look(reader));
  return out;
}

template <class Reader>
Result<void> KafkaPositions::look(Reader& reader) {
  FF_TRY(reader.read([&](const std::string& partition, std::string_view value) {
    if (auto mark = parse_mark(value)) keep(partition, std::move(*mark));
  }));
  looked_at_ = std::chrono::steady_clock::now();
  return {};
}

Result<Mark> KafkaPositions::newest_of(const std::string& partition) {
  const std::lock_guard lock(looking_);
  if (std::chrono::steady_clock::now() - looked_at_ > 1s) {
    TopicReader reader(cluster_, topic_);
    FF_TRY(reader.open());
    FF_TRY(look(reader));
  }
  return of(partition);
}

void KafkaPositions::keep(const std::string& partition, Mark mark) {
  const std::lock_guard lock(mutex_);
  Mark& known = marks_[partition];
  if (mark.position >= known.position) known = std::move(mark);
}

Mark KafkaPositions::of(const std::string& partition) const {
  const std::lock_guard lock(mutex_);
  const auto at = marks_.find(partition);
  return at == marks_.end() ? Mark{} : at->second;
}

Result<void> KafkaPositions::write(KafkaPublisher& publisher, const std::map<std::string, Mark>& marks) {
  for (const auto& [partition, mark] : marks) {
    const std::string value = to_text(mark);
    FF_TRY(publisher.publish(topic_, {.key = partition, .value = value, .timestamp = none, .headers = {}}));
  }
  FF_TRY(publisher.flush());
  for (const auto& [partition, mark] : marks) keep(partition, mark);
  return {};
}

}  // namespace ff
