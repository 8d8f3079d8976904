// Partitions come and go; where reading starts, and what must not be read on.
#include <algorithm>

#include "source/kafka_reader_internal.h"

namespace ff::kafka {
namespace {

constexpr int request_ms = 5000;

}  // namespace

std::string Resume::text() const { return "topic_id=" + topic_id + ";leader_epoch=" + std::to_string(leader_epoch); }

Resume Resume::parse(const std::string& text) {
  Resume out;
  const std::string id = "topic_id=", epoch = ";leader_epoch=";
  const std::size_t at = text.find(epoch);
  if (text.compare(0, id.size(), id) != 0 || at == std::string::npos) return out;
  out.topic_id = text.substr(id.size(), at - id.size());
  out.leader_epoch = std::atoi(text.c_str() + at + epoch.size());
  return out;
}

void KafkaReader::on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list,
                               void* opaque) {
  static_cast<KafkaReader*>(static_cast<Context*>(opaque))->rebalance(what, list);
}

/// The group shares out the numbers of the leading topic; who holds a number reads it of every topic.
void KafkaReader::rebalance(rd_kafka_resp_err_t what, const rd_kafka_topic_partition_list_t* list) {
  {
    const std::lock_guard lock(mutex_);
    ++stats_.rebalances;
  }
  std::set<std::int32_t> numbers;
  for (int i = 0; i < list->cnt; ++i) numbers.insert(list->elems[i].partition);
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    numbers_.insert(numbers.begin(), numbers.end());
    const auto topics = ask([&] { return describe_topics(); });
    if (!topics.ok() && !stopping_) ahead_.fail(topics.error());
    take_in(topics.ok() ? topics.value() : Topics());
  } else if (what == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
    give_up(numbers);
  } else {
    ahead_.fail(error_of(what, "", options_.cluster));
    give_up(std::set(numbers_));
  }
  pause(is_paused_);
}

template <class Ask>
auto KafkaReader::ask(const Ask& question) -> decltype(question()) {
  for (std::string cause;;) {
    auto answer = question();
    if (answer.ok()) {
      ahead_.recover(cause);
      return answer;
    }
    if (answer.error().recourse != Recourse::retry || stopping_) return answer;
    cause = answer.error().cause;
    ahead_.fail(answer.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

/// Reads on what is ours and not read yet, of the topics as they are now. The group waits for this answer to what it gives.
void KafkaReader::take_in(const Topics& topics) {
  const Owned<rd_kafka_topic_partition_list_t> list = unread(topics);
  open_lanes(list.get(), topics);
  if (!is_done(rd_kafka_incremental_assign(client_.get(), list.get()))) return;
  confirm_marks(list.get());
}

Owned<rd_kafka_topic_partition_list_t> KafkaReader::unread(const Topics& topics) const {
  Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(8));
  for (const auto& [name, topic] : topics)
    for (const std::int32_t number : numbers_)
      if (static_cast<std::size_t>(number) < topic.partitions && !lanes_.contains({name, number}))
        rd_kafka_topic_partition_list_add(list.get(), name.c_str(), number);
  return list;
}

bool KafkaReader::is_done(rd_kafka_error_t* answer) {
  const Owned<rd_kafka_error_t> error(answer);
  if (error && !stopping_)
    ahead_.fail(rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__FATAL
                    ? fatal_error(client_.get(), options_.cluster)
                    : Error{Recourse::halt, "kafka_fatal",
                            "Kafka at " + options_.cluster.brokers + ": " + rd_kafka_error_string(error.get())});
  return !error;
}

/// Says where each partition starts, in the list itself. One that cannot start stays out of it and halts the source.
void KafkaReader::open_lanes(rd_kafka_topic_partition_list_t* list, const Topics& topics) {
  if (list->cnt == 0) return;
  if (const auto taken = take_over(list, topics); !taken.ok()) {
    if (!stopping_) ahead_.fail(taken.error());
    while (list->cnt > 0) rd_kafka_topic_partition_list_del_by_idx(list, list->cnt - 1);
    return;
  }
  for (int i = list->cnt - 1; i >= 0; --i) {
    rd_kafka_topic_partition_t& at = list->elems[i];
    auto lane = std::make_unique<Lane>();
    lane->topic = at.topic;
    lane->number = at.partition;
    lane->name = partition_name(lane->topic, lane->number);
    lane->id = partitions_.id_of(lane->name);
    lane->feed = &feeds_.at(lane->topic);
    if (auto begun = stopping_ ? Result<void>(Error{Recourse::retry, "source_stopped", ""}) : begin(*lane, at, topics);
        !begun.ok()) {
      if (!stopping_) ahead_.fail(begun.error());
      rd_kafka_topic_partition_list_del_by_idx(list, i);
      continue;
    }
    ahead_.open(lane->id, lane->position);
    const std::lock_guard lock(mutex_);
    lanes_[{lane->topic, lane->number}] = std::move(lane);
  }
}

/// Where several consumers share a lake, what meets in one key must meet in one of them.
Result<void> KafkaReader::check_counts(const Topics& topics) const {
  if (!options_.on_assigned) return {};
  for (const auto& [name, topic] : topics)
    if (topic.partitions != topics.begin()->second.partitions)
      return Error{Recourse::halt, "kafka_bad_setting",
                   "topic " + name + " has " + std::to_string(topic.partitions) + " partitions and topic " +
                       topics.begin()->first + " has " + std::to_string(topics.begin()->second.partitions) +
                       ": where several workers share a lake, all topics of a group need the same count of partitions, "
                       "so that facts of one key meet in one worker; give the topics the same count"};
  return {};
}

/// Tells the engine what is ours.
Result<void> KafkaReader::take_over(const rd_kafka_topic_partition_list_t* list, const Topics& topics) {
  FF_TRY(check_counts(topics));
  if (!options_.on_assigned) return {};
  std::vector<std::string> names;
  for (int i = 0; i < list->cnt; ++i) names.push_back(partition_name(list->elems[i].topic, list->elems[i].partition));
  return ask([&] { return options_.on_assigned(names); });
}

Result<void> KafkaReader::begin(Lane& lane, rd_kafka_topic_partition_t& at, const Topics& topics) {
  auto mark = ask([&] { return mark_of_(lane.name); });
  if (!mark.ok()) return mark.error();
  lane.resume = Resume::parse(mark.value().resume);
  lane.position = lane.decoded = mark.value().position;
  if (const auto said = options_.go_on_behind.find(lane.name);
      said != options_.go_on_behind.end() && said->second > lane.position) {
    lane.position = said->second;
    lane.resume.leader_epoch = -1;
  }
  if (const auto now = topics.find(lane.topic); now != topics.end()) {
    const std::string& id = now->second.id;
    if (!lane.resume.topic_id.empty() && !id.empty() && lane.resume.topic_id != id)
      return recreated(lane, lane.resume.topic_id, id);
    lane.resume.topic_id = id;
  }
  at.offset = lane.position == 0 ? RD_KAFKA_OFFSET_BEGINNING : lane.position;
  if (lane.position > 0 && lane.resume.leader_epoch >= 0)
    rd_kafka_topic_partition_set_leader_epoch(&at, lane.resume.leader_epoch);
  return {};
}

/// Brings the group's offsets up to the marks: whoever read before may have ended between its commit and its confirm.
void KafkaReader::confirm_marks(const rd_kafka_topic_partition_list_t* list) {
  const Owned<rd_kafka_topic_partition_list_t> behind(rd_kafka_topic_partition_list_copy(list));
  if (list->cnt == 0 || rd_kafka_committed(client_.get(), behind.get(), request_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  const std::lock_guard lock(mutex_);
  for (int i = behind->cnt - 1; i >= 0; --i) {
    Lane* const lane = lane_of(behind->elems[i].topic, behind->elems[i].partition);
    if (!lane) continue;
    const std::int64_t there = std::max<std::int64_t>(0, behind->elems[i].offset);
    lane->confirmed = std::max(there, lane->decoded);
    behind->elems[i].offset = lane->confirmed;
    if (there >= lane->decoded) rd_kafka_topic_partition_list_del_by_idx(behind.get(), i);
  }
  if (behind->cnt > 0) rd_kafka_commit(client_.get(), behind.get(), 1);
}

void KafkaReader::give_up(const std::set<std::int32_t>& numbers) {
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(8));
  std::vector<std::string> names;
  last_lane_ = nullptr;
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    if (!numbers.contains(lane->second->number)) {
      ++lane;
      continue;
    }
    ahead_.close(lane->second->id);
    names.push_back(lane->second->name);
    rd_kafka_topic_partition_list_add(list.get(), lane->second->topic.c_str(), lane->second->number);
    const std::lock_guard lock(mutex_);
    lane = lanes_.erase(lane);
  }
  for (const std::int32_t number : numbers) numbers_.erase(number);
  if (!names.empty() && options_.on_revoked) options_.on_revoked(names);
  is_done(rd_kafka_incremental_unassign(client_.get(), list.get()));
}

Result<KafkaReader::Topics> KafkaReader::describe_topics() {
  std::vector<const char*> names;
  for (const auto& [topic, feed] : feeds_) names.push_back(topic.c_str());
  const Owned<rd_kafka_TopicCollection_t> asked(rd_kafka_TopicCollection_of_topic_names(names.data(), names.size()));
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client_.get()));
  char said[256] = "";
  const std::unique_ptr<rd_kafka_AdminOptions_t, void (*)(rd_kafka_AdminOptions_t*)> admin(
      rd_kafka_AdminOptions_new(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBETOPICS), rd_kafka_AdminOptions_destroy);
  rd_kafka_AdminOptions_set_request_timeout(admin.get(), request_ms, said, sizeof said);
  rd_kafka_DescribeTopics(client_.get(), asked.get(), admin.get(), queue.get());
  const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), request_ms + 1000));
  const auto* result = event ? rd_kafka_event_DescribeTopics_result(event.get()) : nullptr;
  if (!result || rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto code = event ? rd_kafka_event_error(event.get()) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    return error_of(code, event ? rd_kafka_event_error_string(event.get()) : "", options_.cluster);
  }
  std::size_t count = 0;
  const rd_kafka_TopicDescription_t** const found = rd_kafka_DescribeTopics_result_topics(result, &count);
  Topics topics;
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_error_t* const error = rd_kafka_TopicDescription_error(found[i]);
    const std::string name = rd_kafka_TopicDescription_name(found[i]);
    const auto code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, name, options_.cluster);
    const rd_kafka_Uuid_t* const id = rd_kafka_TopicDescription_topic_id(found[i]);
    const bool is_known = id && (rd_kafka_Uuid_most_significant_bits(id) || rd_kafka_Uuid_least_significant_bits(id));
    std::size_t partitions = 0;
    rd_kafka_TopicDescription_partitions(found[i], &partitions);
    topics[name] = {is_known ? rd_kafka_Uuid_base64str(id) : "", partitions};
  }
  return topics;
}

void KafkaReader::check_topics() {
  topics_checked_at_ = Clock::now();
  const auto answer = describe_topics();
  if (!answer.ok()) {
    // While something is read, the connection's own errors say what passes.
    if (answer.error().recourse == Recourse::halt || leading_.empty()) ahead_.fail(answer.error());
    return;
  }
  const Topics& topics = answer.value();
  const auto missing =
      std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& f) { return !topics.count(f.first); });
  if (missing == feeds_.end())
    ahead_.recover("kafka_no_topic");
  else
    ahead_.fail({Recourse::retry, "kafka_no_topic",
                 "Kafka at " + options_.cluster.brokers + " has no topic " + missing->first +
                     " that we may read; make it, or name the right one in the contract"});
  for (const auto& [key, lane] : lanes_)
    if (const auto now = topics.find(lane->topic); now != topics.end() && !lane->resume.topic_id.empty() &&
                                                   !now->second.id.empty() && now->second.id != lane->resume.topic_id)
      return ahead_.fail(recreated(*lane, lane->resume.topic_id, now->second.id));
  follow(topics);
}

/// What has come or grown since the last look.
void KafkaReader::follow(const Topics& topics) {
  if (const auto even = check_counts(topics); !even.ok()) return ahead_.fail(even.error());
  const std::string leading = leading_of(topics);
  if (leading.empty()) return;
  if (leading != leading_) return subscribe(leading);
  if (rd_kafka_assignment_lost(client_.get()) || ahead_.has_halted() || unread(topics)->cnt == 0) return;
  take_in(topics);
  pause(is_paused_);
}

/// The one that has every number there is. All members of a group choose the same.
std::string KafkaReader::leading_of(const Topics& topics) {
  const auto most = std::max_element(topics.begin(), topics.end(), [](const auto& a, const auto& b) {
    return a.second.partitions < b.second.partitions;
  });
  return most == topics.end() ? std::string() : most->first;
}

void KafkaReader::subscribe(const std::string& topic) {
  const Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto e = rd_kafka_subscribe(client_.get(), list.get()); e != RD_KAFKA_RESP_ERR_NO_ERROR)
    return ahead_.fail(error_of(e, "", options_.cluster));
  leading_ = topic;
}

Error KafkaReader::recreated(const Lane& lane, const std::string& id_then, const std::string& id_now) const {
  return {
      Recourse::halt, "kafka_gap",
      lane.name + ": the topic " + lane.topic + " was deleted and made anew (id " + id_then + ", now " + id_now +
          "), so what the lake has up to position " + std::to_string(lane.position) +
          " are other records. The way out: produce to a topic of another name, move there what was produced since, "
          "and name it in the contract"};
}

void KafkaReader::gap(const Lane& lane, const std::string& why) {
  std::int64_t low = -1, high = -1;
  rd_kafka_query_watermark_offsets(client_.get(), lane.topic.c_str(), lane.number, &low, &high, request_ms);
  ahead_.fail(
      {Recourse::halt, "kafka_gap",
       lane.name + ": the lake's mark is " + std::to_string(lane.position) + ", so offset " +
           std::to_string(lane.position) + " is to be read next, and the broker keeps offsets " + std::to_string(low) +
           " to " + std::to_string(high) + " (exclusive): " + why +
           ". The way out: bring the records back from elsewhere (a copy of the topic, the producer's own log); "
           "or, if what lies between is lost for good, say so: go_on_behind " +
           lane.name + " = " + std::to_string(low)});
}

}  // namespace ff::kafka
