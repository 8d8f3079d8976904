#include "source/kafka_source.h"

#include <map>

#include "source/kafka_reader_internal.h"
#include "source/read_ahead.h"
#include "source/schema_registry.h"

namespace ff {

using kafka::KafkaReader;

struct KafkaSource::Impl {
  KafkaOptions options;
  std::unique_ptr<SchemaRegistry> registry;
  ReadAhead ahead;
  std::unique_ptr<KafkaReader> reader;

  explicit Impl(KafkaOptions o) : options(std::move(o)), ahead(options.queue_bytes_max) {}
};

KafkaSource::KafkaSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KafkaSource::~KafkaSource() = default;

Result<std::unique_ptr<KafkaSource>> KafkaSource::start(const ContractSet& contracts, const PseudonymKey& key,
                                                        Partitions& partitions, MarkOf mark_of, KafkaOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  const KafkaOptions& o = impl->options;
  if (!o.registry_url.empty())
    impl->registry = std::make_unique<SchemaRegistry>(
        SchemaRegistry::Options{o.registry_url, o.registry_user, o.registry_password, o.registry_ca});
  std::map<std::string, KafkaReader::Feed> feeds;
  for (std::uint32_t feed = 0; feed < contracts.size(); ++feed) {
    const Contract& contract = contracts[feed];
    std::vector<std::string> topics;
    for (const auto& [topic, id] : o.topics)
      if (id == contract.id) topics.push_back(topic);
    if (o.topics.empty() && !contract.topic.empty()) topics.push_back(contract.topic);
    for (const std::string& topic : topics)
      feeds[topic] = {feed, &contract,
                      FF_TRY(make_decoder(contract, feed, key, DriverIds::from_source, impl->registry.get()))};
  }
  for (const auto& [topic, id] : o.topics)
    if (!feeds.count(topic))
      return Error{Recourse::halt, "kafka_bad_setting", "topic " + topic + ": no contract has the id '" + id + "'"};
  if (feeds.empty())
    return Error{Recourse::halt, "kafka_bad_setting", "no contract names a Kafka topic, and the settings name none"};
  impl->reader = FF_TRY(KafkaReader::start(o, std::move(feeds), partitions, std::move(mark_of), impl->ahead));
  return std::unique_ptr<KafkaSource>(new KafkaSource(std::move(impl)));
}

Result<std::optional<SourceBatch>> KafkaSource::poll(std::chrono::milliseconds wait) { return impl_->ahead.take(wait); }
Result<void> KafkaSource::confirm(const std::vector<Progress>& done) { return impl_->reader->confirm(done); }
Micros KafkaSource::heard_until() const { return impl_->reader->heard_until(); }
std::string KafkaSource::trouble() const { return impl_->ahead.trouble(); }
KafkaStats KafkaSource::stats() const { return impl_->reader->stats(); }

}  // namespace ff
