#include "engine/raw_reader.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "lake/schema.h"

namespace ff {
namespace {

std::int64_t to_integer(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

Result<std::vector<SourceBatch>> RawReader::where(std::span<const FactType> types, const std::string& condition) {
  std::string sql;
  for (const FactType type : types)
    sql += (sql.empty() ? "" : " union ") +
           ("select contract, partition, position, epoch_us(ingest_time), payload from raw." +
            std::string(fact_name(type))) +
           "s where refusal is null and " + condition;
  const Table table = FF_TRY(lake_.query("select * from (" + sql + ") order by 2, 3"));
  std::map<std::string, std::uint32_t> feeds;
  for (std::uint32_t feed = 0; feed < contracts_.size(); ++feed) feeds[contracts_[feed].id] = feed;
  std::map<std::pair<std::uint32_t, std::string>, std::vector<RecordRef>> records;
  for (const auto& row : table.rows)
    if (const auto feed = feeds.find(*row[0]); feed != feeds.end())
      records[{feed->second, *row[1]}].push_back({to_integer(*row[2]), to_integer(*row[3]), *row[4], {}});
  std::vector<SourceBatch> batches;
  for (const auto& [of, refs] : records) {
    auto& decoder = decoders_[of.first];
    if (!decoder) decoder = FF_TRY(make_decoder(contracts_[of.first], of.first, key_, DriverIds::keys));
    SourceBatch& out = batches.emplace_back();
    out.feed = of.first;
    out.partition = partitions_.id_of(of.second);
    out.batch = FF_TRY(decoder->decode_records(out.partition, refs));
    out.last_position = refs.back().position;
  }
  return batches;
}

Result<std::vector<SourceBatch>> RawReader::read(const std::string& partition, std::int64_t after, std::int64_t to) {
  static constexpr FactType all[] = {FactType::shipment, FactType::driver, FactType::shipment_event,
                                     FactType::driver_assignment, FactType::gps_location};
  auto batches = FF_TRY(where(all, "partition = " + sql_literal(partition) + " and position > " +
                                       std::to_string(after) + " and position <= " + std::to_string(to)));
  for (SourceBatch& b : batches) b.last_position = to;
  return batches;
}

Result<std::vector<Batch>> RawReader::about(std::span<const FactType> types, std::span<const Recalled> keys) {
  std::vector<Batch> found;
  constexpr std::size_t keys_at_once = 1000;
  for (; !keys.empty(); keys = keys.subspan(std::min(keys_at_once, keys.size()))) {
    std::string subjects;
    Micros from = keys.front().from, until = keys.front().until;
    for (const Recalled& k : keys.first(std::min(keys_at_once, keys.size()))) {
      subjects += (subjects.empty() ? "" : ", ") + sql_literal(k.key);
      from = std::min(from, k.from);
      until = std::max(until, k.until);
    }
    auto batches = FF_TRY(where(types, "subject in (" + subjects + ") and ingest_time between " +
                                           timestamp_literal(from) + " and " + timestamp_literal(until)));
    for (SourceBatch& b : batches) found.push_back(std::move(b.batch));
  }
  return found;
}

}  // namespace ff
