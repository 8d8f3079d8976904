/// The thread behind KafkaSource: polls librdkafka, answers its rebalances, decodes, and fills the ReadAhead.
///
/// librdkafka wants to be polled, whatever the engine does: while the queue is full the partitions are paused and polling
/// goes on. Records are decoded on this thread, a run of one partition at a time; a run whose schemas nobody hands out
/// stays where it is, its partition paused, and is tried again.
///
/// Partitions of one number go to one member, whichever topics there are: the members subscribe to one topic, the leading
/// one, and each reads the numbers that it is given of it of all topics. What comes and grows is looked for every 2 s.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "contract/contract.h"
#include "source/kafka_client_internal.h"
#include "source/read_ahead.h"

namespace ff::kafka {

/// What Mark::resume holds: enough to see that a topic is another one under the old name, or that its log was cut.
struct Resume {
  std::string topic_id;            ///< empty: not known (an old broker)
  std::int32_t leader_epoch = -1;  ///< of the last record; -1: not known, or it is not the last thing before the mark

  std::string text() const;
  static Resume parse(const std::string& text);
};

class KafkaReader : Context {
 public:
  struct Feed {
    std::uint32_t feed = 0;
    const Contract* contract = nullptr;
    std::shared_ptr<Decoder> decoder;
  };
  /// Everything given must outlive this.
  static Result<std::unique_ptr<KafkaReader>> start(const KafkaOptions& options, std::map<std::string, Feed> feeds,
                                                    Partitions& partitions, MarkOf mark_of, ReadAhead& ahead);
  ~KafkaReader();

  Result<void> confirm(const std::vector<Progress>& done);
  Micros heard_until() const;
  KafkaStats stats() const;

 private:
  using Clock = std::chrono::steady_clock;
  /// An assigned partition. On the reader's thread only, but for what `mutex_` guards.
  struct Lane {
    std::string topic, name;
    std::int32_t number = 0;
    std::uint32_t id = 0;  ///< in Partitions
    Feed* feed = nullptr;
    Resume resume;                                   ///< of the last record taken
    std::int64_t position = 0;                       ///< last one taken or passed over
    std::int64_t decoded = 0;                        ///< last one put into the ReadAhead
    std::vector<Owned<rd_kafka_message_t>> pending;  ///< taken and not decoded
    std::size_t pending_bytes = 0;
    bool is_paused = true;  ///< for all we know: librdkafka keeps a pause from one assignment to the next
    bool waits_for_schema = false;
    Clock::time_point try_again_at;
    std::int64_t confirmed = 0;  ///< guarded by mutex_
  };

  KafkaReader(const KafkaOptions& options, std::map<std::string, Feed> feeds, Partitions& partitions, MarkOf mark_of,
              ReadAhead& ahead);
  Result<void> open();
  void run();
  void serve();
  void keep_room();
  void pause(bool wanted);
  void take(Owned<rd_kafka_message_t> message);
  void reach_end(Lane& lane, std::int64_t end);
  void decode(Lane& lane);
  void decode_all();
  std::string headers_of(const Feed& feed, const rd_kafka_message_t* message) const;

  void rebalance(rd_kafka_resp_err_t what, const rd_kafka_topic_partition_list_t* list);
  /// Topics as the cluster has them now; one that does not exist is not among them.
  struct Topic {
    std::string id;  ///< empty: not known (an old broker)
    std::size_t partitions = 0;
  };
  using Topics = std::map<std::string, Topic>;
  /// Errors: retry `kafka_away`, halt `kafka_denied`, `kafka_bad_setting` (a name that no topic can have).
  Result<Topics> describe_topics();
  static std::string leading_of(const Topics& topics);
  void subscribe(const std::string& topic);
  void take_in(const Topics& topics);
  Owned<rd_kafka_topic_partition_list_t> unread(const Topics& topics) const;
  void open_lanes(rd_kafka_topic_partition_list_t* list, const Topics& topics);
  Result<void> check_counts(const Topics& topics) const;
  Result<void> take_over(const rd_kafka_topic_partition_list_t* list, const Topics& topics);
  Result<void> begin(Lane& lane, rd_kafka_topic_partition_t& at, const Topics& topics);
  void confirm_marks(const rd_kafka_topic_partition_list_t* list);
  void give_up(const std::set<std::int32_t>& numbers);
  bool is_done(rd_kafka_error_t* answer);
  Lane* lane_of(const std::string& topic, std::int32_t number);
  /// Asks until it is no error that passes, saying meanwhile what the trouble is; an error too if we are to stop.
  template <class Ask>
  auto ask(const Ask& question) -> decltype(question());

  void check_topics();
  void follow(const Topics& topics);
  void gap(const Lane& lane, const std::string& why);
  Error recreated(const Lane& lane, const std::string& id_then, const std::string& id_now) const;

  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*, void*);
  static void on_error(rd_kafka_t*, int code, const char* said, void*);
  static int on_stats(rd_kafka_t*, char* json, size_t bytes, void*);

  const KafkaOptions& options_;
  std::map<std::string, Feed> feeds_;  ///< by topic
  Partitions& partitions_;
  MarkOf mark_of_;
  ReadAhead& ahead_;

  std::string leading_;             ///< the topic subscribed to; empty: none is there yet
  std::set<std::int32_t> numbers_;  ///< what the group has given us of it
  /// As librdkafka's own assignment.
  std::map<std::pair<std::string, std::int32_t>, std::unique_ptr<Lane>> lanes_;
  Lane* last_lane_ = nullptr;  ///< of the message before: they come in runs
  bool is_paused_ = false;
  Clock::time_point topics_checked_at_;  ///< the epoch: never

  mutable std::mutex mutex_;  ///< for lanes_' keys and what other threads see of them; the reader changes both under it
  KafkaStats stats_;
  std::atomic<bool> stopping_{false};
  Owned<rd_kafka_t> client_;
  std::thread thread_;
};

}  // namespace ff::kafka
