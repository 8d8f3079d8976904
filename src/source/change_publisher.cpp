#include "source/change_publisher.h"

#include <simdjson.h>

#include <thread>

#include "base/time.h"
#include "decode/avro_encoder.h"
#include "source/kafka_positions.h"

namespace ff {
namespace {
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto report_interval = 1s, again_wait = 1s;

/// The contracts as the topics' records need them: a driver's id stands as it is.
ContractSet before_the_door(const ContractSet& contracts) {
  std::vector<Contract> out(contracts.begin(), contracts.end());
  for (Contract& contract : out)
    for (Column& column : contract.columns)
      if (column.role == ColumnRole::driver) column.role = ColumnRole::plain;
  return ContractSet(std::move(out));
}

/// What KafkaReader wrote of a record's headers, as headers again.
std::vector<std::pair<std::string, std::string>> headers_of(std::string_view json) {
  std::vector<std::pair<std::string, std::string>> out;
  if (json.empty()) return out;
  static thread_local simdjson::dom::parser parser;
  for (const auto& [name, value] : parser.parse(json).get_object())
    if (value.is_string()) out.emplace_back(name, std::string_view(value));
  return out;
}

class ChangePublisher {
 public:
  ChangePublisher(const ContractSet& contracts, const ChangePublisherOptions& options, std::stop_token stop,
                  const std::function<void(const PublishReport&)>& observe)
      : contracts_(before_the_door(contracts)), options_(options), stop_(std::move(stop)), observe_(observe) {
    if (!options_.registry.url.empty()) registry_.emplace(options_.registry);
  }

  Result<void> run() {
    while (!stop_.stop_requested()) {
      const auto done = follow();
      if (done.ok()) return {};
      if (done.error().recourse != Recourse::retry) return done.error();
      drop();
      report(done.error().message);
      for (auto slept = 0ms; slept < again_wait && !stop_.stop_requested(); slept += 50ms)
        std::this_thread::sleep_for(50ms);
    }
    return {};
  }

 private:
  Result<void> connect() {
    positions_ = FF_TRY(KafkaPositions::open(options_.kafka.cluster, options_.positions_topic));
    publisher_ = FF_TRY(KafkaPublisher::start(options_.kafka));
    if (const auto* database = std::get_if<PostgresOptions>(&options_.source)) {
      auto source = FF_TRY(PostgresSource::start(
          contracts_, key_, *database,
          [this](const std::string& partition) -> Result<Mark> { return positions_->of(partition); }, partitions_));
      database_ = source.get();
      source_ = std::move(source);
    } else {
      auto source = FF_TRY(KafkaSource::start(
          contracts_, key_, partitions_,
          [this](const std::string& partition) { return positions_->newest_of(partition); },
          std::get<KafkaOptions>(options_.source)));
      topics_ = source.get();
      source_ = std::move(source);
    }
    return {};
  }
  /// What was not acknowledged is read again from the positions.
  void drop() {
    database_ = nullptr;
    topics_ = nullptr;
    source_.reset();
    publisher_.reset();
    positions_.reset();
    marks_.clear();
    waiting_.clear();
    waiting_records_ = 0;
  }

  Result<void> follow() {
    FF_TRY(connect());
    report({});
    auto flushed = Clock::now();
    while (!stop_.stop_requested()) {
      const auto next = source_->poll(marks_.empty() ? 500ms : 0ms);
      if (!next.ok() && next.error().recourse != Recourse::retry) {
        FF_TRY(flush());  // What came before the halt is good.
        return next.error();
      }
      if (next.ok() && next.value()) FF_TRY(publish(*next.value()));
      const bool is_due = Clock::now() - flushed >= options_.flush_interval;
      const bool came = next.ok() && next.value();
      if (!marks_.empty() && (is_due || waiting_records_ >= options_.flush_records)) {
        FF_TRY(flush());
        flushed = Clock::now();
      } else if (!came && !marks_.empty()) {
        std::this_thread::sleep_for(5ms);
      }
      const std::string trouble = next.ok() ? source_->trouble() : next.error().message;
      if (trouble != trouble_ || Clock::now() - reported_ >= report_interval) report(trouble);
    }
    return flush();
  }

  /// A record of several facts is one record here; the change of a thing that leaves no fact is none.
  Result<void> publish(const SourceBatch& batch) {
    std::int64_t last = none;
    for (const Decoded& d : batch.batch.records) {
      if (std::exchange(last, d.from().position) == d.from().position) continue;
      const Contract& contract = contracts_[d.from().feed];
      const std::string& topic = options_.topic_of(contract);
      const std::string_view value = registry_ ? FF_TRY(in_avro(contract, topic, d.payload)) : d.payload;
      const auto done = publisher_->publish(topic, {d.subject(), value, d.from().ingest_time, headers_of(d.headers)});
      if (!done.ok()) return as_end(done.error());
      PublishReport::Published& published = waiting_[contract.id];
      ++published.records;
      published.bytes += static_cast<std::int64_t>(value.size());
      ++waiting_records_;
    }
    marks_[partitions_.name_of(batch.partition)] = {batch.last_position, batch.resume};
    return {};
  }

  /// The record behind its schema's number, until the next call; what is no JSON object stays as it is.
  Result<std::string_view> in_avro(const Contract& contract, const std::string& topic, std::string_view payload) {
    auto known = writers_.find(contract.id);
    if (known == writers_.end()) {
      AvroEncoder encoder = FF_TRY(AvroEncoder::make(contract));
      const std::uint32_t id = FF_TRY(registry_->register_schema(topic + "-value", encoder.schema()));
      known = writers_.emplace(contract.id, Writer{std::move(encoder), id}).first;
    }
    auto& [encoder, id] = known->second;
    value_ = {'\0', static_cast<char>(id >> 24), static_cast<char>(id >> 16), static_cast<char>(id >> 8),
              static_cast<char>(id)};
    return encoder.append(payload, value_) ? std::string_view(value_) : payload;
  }

  Result<void> flush() {
    if (marks_.empty()) return {};
    if (const auto done = publisher_->flush(); !done.ok()) return as_end(done.error());
    if (const auto done = positions_->write(*publisher_, marks_); !done.ok()) return as_end(done.error());
    std::vector<Progress> done;
    for (const auto& [partition, mark] : marks_) done.push_back({partitions_.id_of(partition), mark});
    for (const auto& [contract, published] : waiting_) {
      report_.published[contract].records += published.records;
      report_.published[contract].bytes += published.bytes;
    }
    marks_.clear();
    waiting_.clear();
    waiting_records_ = 0;
    return source_->confirm(done);
  }

  /// A record that the topic does not take must not be passed over.
  static Error as_end(Error error) {
    if (error.recourse == Recourse::quarantine) error.recourse = Recourse::halt;
    return error;
  }

  void report(const std::string& trouble) {
    trouble_ = trouble;
    report_.is_connected = trouble.empty();
    report_.trouble = trouble;
    if (source_) report_.heard_until = source_->heard_until();
    if (database_) report_.postgres = database_->stats();
    if (topics_) report_.topics = topics_->stats();
    if (publisher_) report_.kafka = publisher_->stats();
    if (observe_) observe_(report_);
    report_.published.clear();
    reported_ = Clock::now();
  }

  const ContractSet contracts_;
  const PseudonymKey key_ = PseudonymKey::demo();  ///< of no use: no column has the role of a driver
  const ChangePublisherOptions& options_;
  const std::stop_token stop_;
  const std::function<void(const PublishReport&)>& observe_;
  Partitions partitions_;
  struct Writer {
    AvroEncoder encoder;
    std::uint32_t id;  ///< of its schema
  };
  std::optional<SchemaRegistry> registry_;  ///< null: JSON
  std::map<std::string, Writer> writers_;   ///< by contract id
  std::string value_;
  std::unique_ptr<KafkaPositions> positions_;
  std::unique_ptr<KafkaPublisher> publisher_;
  std::unique_ptr<Source> source_;
  const PostgresSource* database_ = nullptr;                 ///< source_, if it is one
  const KafkaSource* topics_ = nullptr;                      ///< the same
  std::map<std::string, Mark> marks_;                        ///< of what was published and not acknowledged
  std::map<std::string, PublishReport::Published> waiting_;  ///< the same, counted
  std::int64_t waiting_records_ = 0;
  PublishReport report_;
  std::string trouble_;
  Clock::time_point reported_;
};

}  // namespace

Result<void> publish_changes(const ContractSet& contracts, const ChangePublisherOptions& options, std::stop_token stop,
                             const std::function<void(const PublishReport&)>& observe) {
  return ChangePublisher(contracts, options, std::move(stop), observe).run();
}

}  // namespace ff
