// A KafkaPublisher fed with lines `key<TAB>value`, for tests/kafka. After each batch=N lines it flushes; on an error it says so
// and publishes the batch again, as a connector does. Prints `FLUSHED n` per batch, and at the end the shard of each key.
//   kafka_writer brokers=HOST:PORT topic=T [batch=N] [timeout_ms=N] [sasl=MECHANISM user=U password=P] [property.NAME=VALUE]...
#include <cstdio>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "source/kafka_publisher.h"
#include "source/murmur2.h"

int main(int argc, char** argv) {
  std::map<std::string, std::string> words;
  ff::KafkaPublisherOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], name = word.substr(0, word.find('=')), value = word.substr(word.find('=') + 1);
    words[name] = value;
    if (name.rfind("property.", 0) == 0) options.cluster.properties[name.substr(9)] = value;
  }
  options.cluster.brokers = words["brokers"];
  options.cluster.sasl_mechanism = words["sasl"];
  options.cluster.sasl_username = words["user"];
  options.cluster.sasl_password = words["password"];
  if (words.count("timeout_ms")) options.delivery_timeout_ms = std::atoll(words["timeout_ms"].c_str());
  if (words.count("compression")) options.compression = words["compression"];
  const std::size_t batch_lines = words.count("batch") ? std::stoul(words["batch"]) : 1000;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  const auto start = [&] {
    auto started = ff::KafkaPublisher::start(options);
    if (!started.ok())
      std::printf("ERROR halt %s %s\n", started.error().cause.c_str(), started.error().message.c_str()), std::exit(4);
    return std::move(started).value();
  };
  auto publisher = start();
  std::set<std::string> keys;
  std::vector<std::pair<std::string, std::string>> batch;
  std::int64_t flushed = 0;
  const auto send = [&]() -> bool {  // false: an error that sending again does not mend
    for (;;) {
      ff::Result<void> outcome;
      for (const auto& [key, value] : batch)
        if (outcome.ok()) outcome = publisher->publish(words["topic"], {key, value, ff::none, {{"source", "test"}}});
      if (outcome.ok()) outcome = publisher->flush();
      if (outcome.ok()) break;
      std::printf("ERROR %s %s %s\n", std::string(ff::name(outcome.error().recourse)).c_str(),
                  outcome.error().cause.c_str(), outcome.error().message.c_str());
      if (outcome.error().cause == "kafka_fatal")
        publisher = start();
      else if (outcome.error().recourse != ff::Recourse::retry)
        return false;
    }
    flushed += static_cast<std::int64_t>(batch.size());
    batch.clear();
    std::printf("FLUSHED %lld\n", static_cast<long long>(flushed));
    return true;
  };
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t tab = line.find('\t');
    keys.insert(line.substr(0, tab));
    batch.emplace_back(line.substr(0, tab), line.substr(tab + 1));
    if (batch.size() == batch_lines && !send()) return 4;
  }
  if (!batch.empty() && !send()) return 4;
  for (const std::string& key : keys) std::printf("SHARD %s %u\n", key.c_str(), ff::shard_of(key));
}
