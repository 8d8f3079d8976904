#include <algorithm>

#include "base/time.h"
#include "decode/json_text.h"
#include "decode/mask.h"
#include "source/kafka_reader_internal.h"

namespace ff::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds poll_wait{50}, paused_wait{200};
constexpr seconds full_wait{1};                                 // then the partitions are paused
constexpr seconds schema_wait{5};                               // between two questions to a registry that is away
constexpr seconds topics_check{2};                              // how long a topic made anew may go unseen
constexpr int sweep_messages_max = 4096;                        // taken before they are decoded
constexpr std::int64_t timestamp_ms_max = 253'402'300'799'999;  // the end of the year 9999
constexpr std::size_t pending_bytes_max = 1 << 20;

/// Unless the user's properties say otherwise. By the first a killed reader's partitions are another's. The others: a fetch
/// answered at its first record has hardly more than that, for the same work of broker and client; a tenth of a second is
/// little beside what a commit takes.
constexpr std::pair<const char*, const char*> defaults[] = {
    {"session.timeout.ms", "10000"}, {"fetch.min.bytes", "1048576"}, {"fetch.wait.max.ms", "100"}};

std::map<std::string, std::string> properties_of(const KafkaOptions& options) {
  const auto kb = [](std::int64_t bytes) { return std::to_string(std::max<std::int64_t>(1, bytes / 1024)); };
  std::map<std::string, std::string> ours = {{"group.id", options.group},
                                             {"partition.assignment.strategy", "cooperative-sticky"},
                                             {"group.protocol", "classic"},
                                             {"enable.auto.commit", "false"},
                                             {"enable.auto.offset.store", "false"},
                                             {"auto.offset.reset", "error"},
                                             {"enable.partition.eof", "true"},
                                             {"isolation.level", "read_committed"},
                                             {"check.crcs", "true"},
                                             {"queued.max.messages.kbytes", kb(options.fetch_bytes_max)},
                                             {"statistics.interval.ms", std::to_string(options.stats_interval_ms)}};
  for (const auto& property : defaults)
    if (!options.cluster.properties.contains(property.first)) ours.insert(property);
  return ours;
}

}  // namespace

KafkaReader::KafkaReader(const KafkaOptions& options, std::map<std::string, Feed> feeds, Partitions& partitions,
                         MarkOf mark_of, ReadAhead& ahead)
    : Context{&options.cluster},
      options_(options),
      feeds_(std::move(feeds)),
      partitions_(partitions),
      mark_of_(std::move(mark_of)),
      ahead_(ahead) {}

Result<std::unique_ptr<KafkaReader>> KafkaReader::start(const KafkaOptions& options, std::map<std::string, Feed> feeds,
                                                        Partitions& partitions, MarkOf mark_of, ReadAhead& ahead) {
  std::unique_ptr<KafkaReader> reader(
      new KafkaReader(options, std::move(feeds), partitions, std::move(mark_of), ahead));
  FF_TRY(reader->open());
  reader->thread_ = std::thread([r = reader.get()] { r->run(); });
  return reader;
}

Result<void> KafkaReader::open() {
  if (options_.group.empty())
    return Error{Recourse::halt, "kafka_bad_setting", "the consumer group is not named (group)"};
  auto conf = FF_TRY(make_conf(options_.cluster, properties_of(options_)));
  set_callbacks(conf.get(), *this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), on_rebalance);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  rd_kafka_conf_set_stats_cb(conf.get(), on_stats);
  client_ = FF_TRY(make_client(RD_KAFKA_CONSUMER, std::move(conf)));
  rd_kafka_poll_set_consumer(client_.get());
  return {};
}

KafkaReader::~KafkaReader() {
  stopping_ = true;
  ahead_.stop();
  if (thread_.joinable()) thread_.join();
}

void KafkaReader::run() {
  while (!stopping_) serve();
  rd_kafka_consumer_close(client_.get());  // leaves the group; revokes on this thread
  const std::lock_guard lock(mutex_);
  lanes_.clear();
}

void KafkaReader::serve() {
  keep_room();
  int taken = 0;
  if (!ahead_.is_full() || is_paused_) {
    milliseconds wait = is_paused_ ? paused_wait : poll_wait;
    for (; taken < sweep_messages_max; ++taken, wait = milliseconds(0)) {
      Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(client_.get(), static_cast<int>(wait.count())));
      if (!message) break;
      take(std::move(message));
      if (taken % 8 == 7 && ahead_.is_full()) break;  // large records: room may be gone at once
    }
  }
  decode_all();
  if (Clock::now() - topics_checked_at_ > topics_check) check_topics();
}

/// Full: first wait a little, since an engine that commits goes on soon and a pause throws away what was fetched.
void KafkaReader::keep_room() {
  if (!is_paused_ && ahead_.is_full() && !ahead_.wait_for_room(full_wait) && !stopping_) pause(true);
  if (is_paused_ && ahead_.wait_for_room(milliseconds(0))) pause(false);
}

void KafkaReader::pause(bool wanted) {
  is_paused_ = wanted;
  const Owned<rd_kafka_topic_partition_list_t> on(rd_kafka_topic_partition_list_new(1)),
      off(rd_kafka_topic_partition_list_new(1));
  for (auto& [key, lane] : lanes_) {
    const bool pause_lane = is_paused_ || lane->waits_for_schema;
    if (pause_lane == lane->is_paused) continue;
    lane->is_paused = pause_lane;
    rd_kafka_topic_partition_list_add(pause_lane ? on.get() : off.get(), lane->topic.c_str(), lane->number);
  }
  if (on->cnt > 0) rd_kafka_pause_partitions(client_.get(), on.get());
  if (off->cnt > 0) rd_kafka_resume_partitions(client_.get(), off.get());
}

KafkaReader::Lane* KafkaReader::lane_of(const std::string& topic, std::int32_t number) {
  if (last_lane_ && last_lane_->number == number && last_lane_->topic == topic) return last_lane_;
  const auto found = lanes_.find({topic, number});
  return last_lane_ = found == lanes_.end() ? nullptr : found->second.get();
}

void KafkaReader::take(Owned<rd_kafka_message_t> message) {
  Lane* const lane = message->rkt ? lane_of(rd_kafka_topic_name(message->rkt), message->partition) : nullptr;
  switch (message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      if (lane) gap(*lane, rd_kafka_message_errstr(message.get()));
      return;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:  // the client does not know yet that the topic has grown
      check_topics();
      return;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return;  // the partitions are taken away, which we hear of as a rebalance
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (lane) reach_end(*lane, message->offset);
      return;
    case RD_KAFKA_RESP_ERR__FATAL:
      return ahead_.fail(fatal_error(client_.get(), options_.cluster));
    default:
      return ahead_.fail(error_of(message->err, rd_kafka_message_errstr(message.get()), options_.cluster));
  }
  if (!lane || message->offset < lane->position) return;  // of a partition that is no longer ours
  ahead_.recover("kafka_away");
  lane->position = message->offset + 1;
  lane->resume.leader_epoch = rd_kafka_message_leader_epoch(message.get());
  lane->pending_bytes += message->len;
  lane->pending.push_back(std::move(message));
  if (!lane->waits_for_schema && (lane->pending_bytes >= pending_bytes_max ||
                                  static_cast<std::int64_t>(lane->pending.size()) >= options_.batch_records_max))
    decode(*lane);
}

/// The end lies behind the last record where markers of transactions, aborted records or what compaction took stand last.
/// A batch without records then takes the mark there, or it would never be at the end, and in time be a gap.
void KafkaReader::reach_end(Lane& lane, std::int64_t end) {
  if (end <= lane.position) return;
  lane.position = end;
  lane.resume.leader_epoch = -1;
  if (!lane.waits_for_schema) decode(lane);
}

void KafkaReader::decode_all() {
  bool was_waiting = false;
  for (auto& [key, lane] : lanes_) {
    if (lane->pending.empty() || (lane->waits_for_schema && Clock::now() < lane->try_again_at)) continue;
    was_waiting |= lane->waits_for_schema;
    decode(*lane);
    if (stopping_) return;
  }
  if (was_waiting) pause(is_paused_);
}

std::string KafkaReader::headers_of(const Feed& feed, const rd_kafka_message_t* message) const {
  rd_kafka_headers_t* headers = nullptr;
  if (feed.contract->topic_headers.empty() || rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  std::string json;
  for (const std::string& name : feed.contract->topic_headers) {
    const void* value = nullptr;
    std::size_t bytes = 0;
    if (rd_kafka_header_get_last(headers, name.c_str(), &value, &bytes) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    json += json.empty() ? '{' : ',';
    append_json_string(json, name);
    json += ':';
    if (value)
      append_json_string(json, printable({static_cast<const char*>(value), bytes}));
    else
      json += "null";
  }
  return json.empty() ? json : json + '}';
}

void KafkaReader::decode(Lane& lane) {
  std::vector<RecordRef> records;
  std::vector<std::string> headers(lane.pending.size());
  records.reserve(lane.pending.size());
  for (std::size_t i = 0; i < lane.pending.size(); ++i) {
    const rd_kafka_message_t& m = *lane.pending[i];
    headers[i] = headers_of(*lane.feed, &m);
    rd_kafka_timestamp_type_t type;
    const std::int64_t ms = std::clamp<std::int64_t>(rd_kafka_message_timestamp(&m, &type), 0, timestamp_ms_max);
    records.push_back({m.offset + 1, ms * 1000, {static_cast<const char*>(m.payload), m.len}, headers[i]});
  }
  auto batch = lane.feed->decoder->decode_records(lane.id, records);
  if (!batch.ok()) {
    ahead_.fail(batch.error());
    lane.waits_for_schema = true;
    lane.try_again_at = Clock::now() + schema_wait;
    return pause(is_paused_);
  }
  if (lane.waits_for_schema) ahead_.recover("schema_registry_away");
  lane.waits_for_schema = false;
  lane.pending.clear();
  lane.pending_bytes = 0;
  ahead_.put(
      {std::move(batch).value(), lane.feed->feed, lane.id, lane.position, lane.resume.text(), false, lane.decoded});
  lane.decoded = lane.position;
}

void KafkaReader::on_error(rd_kafka_t* client, int code, const char* said, void* opaque) {
  auto& self = *static_cast<KafkaReader*>(static_cast<Context*>(opaque));
  if (code == RD_KAFKA_RESP_ERR__FATAL) return self.ahead_.fail(fatal_error(client, self.options_.cluster));
  const auto error = error_of(static_cast<rd_kafka_resp_err_t>(code), said, self.options_.cluster);
  // One broker of several may be away; that matters when all are.
  if (error.recourse == Recourse::halt || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) self.ahead_.fail(error);
}

int KafkaReader::on_stats(rd_kafka_t*, char* json, size_t bytes, void* opaque) {
  auto& self = *static_cast<KafkaReader*>(static_cast<Context*>(opaque));
  const std::lock_guard lock(self.mutex_);
  read_stats({json, bytes}, self.stats_);
  if (self.stats_.brokers_up > 0) self.ahead_.recover("kafka_away");
  return 0;  // librdkafka frees the text
}

Result<void> KafkaReader::confirm(const std::vector<Progress>& done) {
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(8));
  {
    const std::lock_guard lock(mutex_);
    for (const Progress& progress : done)
      for (auto& [key, lane] : lanes_) {
        if (lane->id != progress.partition || progress.mark.position <= lane->confirmed) continue;
        lane->confirmed = progress.mark.position;
        rd_kafka_topic_partition_list_add(list.get(), lane->topic.c_str(), lane->number)->offset =
            progress.mark.position;
      }
  }
  if (list->cnt == 0) return {};
  if (const auto e = rd_kafka_commit(client_.get(), list.get(), 1); e != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error{Recourse::retry, "kafka_away",
                 "Kafka does not take the group's offsets: " + std::string(rd_kafka_err2str(e))};
  return {};
}

Micros KafkaReader::heard_until() const {
  const std::lock_guard lock(mutex_);
  Micros until = lanes_.empty() ? none : std::min(stats_.brokers_up > 0 ? now_micros() : stats_.taken_at, now_micros());
  for (const auto& [key, lane] : lanes_) {
    const auto out = ahead_.handed_out(lane->id);
    std::int64_t low = 0, high = -1;
    rd_kafka_get_watermark_offsets(client_.get(), lane->topic.c_str(), lane->number, &low, &high);
    if (out && high >= 0 && out->first >= high) continue;  // all of it
    if (!out || out->second == none) return none;
    until = std::min(until, out->second);
  }
  return until;
}

KafkaStats KafkaReader::stats() const {
  const std::lock_guard lock(mutex_);
  KafkaStats stats = stats_;
  stats.queue_bytes = ahead_.bytes();
  for (const auto& [key, lane] : lanes_) {
    std::int64_t low = 0, high = -1;
    rd_kafka_get_watermark_offsets(client_.get(), lane->topic.c_str(), lane->number, &low, &high);
    const auto out = ahead_.handed_out(lane->id);
    const std::int64_t position = out ? out->first : 0;
    stats.partitions.push_back(
        {lane->name, high < 0 ? -1 : std::max<std::int64_t>(0, high - position), position, high});
  }
  return stats;
}

}  // namespace ff::kafka
