#include "engine/raw_reader.h"

#include <algorithm>
#include <map>

#include "base/integer.h"
#include "lake/schema.h"

namespace ff {
namespace {

/// Accepted records of these types for which `condition` holds; one with several facts has a row in each of their tables.
std::string records_sql(std::span<const FactType> types, const std::string& condition) {
  std::string sql;
  for (const FactType type : types)
    sql += (sql.empty() ? "" : " union all ") +
           ("select contract, partition, position, epoch_us(ingest_time) as ingest_time, payload from raw." +
            std::string(fact_name(type))) +
           "s where refusal is null and " + condition;
  return sql;
}

}  // namespace

Result<std::vector<SourceBatch>> RawReader::read(const std::string& sql) {
  const Table table = FF_TRY(lake_.query(sql));
  std::map<std::string, std::uint32_t> feeds;
  for (std::uint32_t feed = 0; feed < contracts_.size(); ++feed) feeds[contracts_[feed].id] = feed;
  std::map<std::pair<std::uint32_t, std::string>, std::vector<RecordRef>> records;
  for (const auto& row : table.rows) {
    const auto feed = feeds.find(*row[0]);
    if (feed == feeds.end()) continue;
    std::vector<RecordRef>& refs = records[{feed->second, *row[1]}];
    const RecordRef record{to_integer(row[2]), to_integer(row[3]), *row[4], {}};
    auto same = refs.rbegin();
    while (same != refs.rend() && same->position == record.position && same->bytes != record.bytes) ++same;
    const bool is_known = same != refs.rend() && same->position == record.position;
    if (!is_known) refs.push_back(record);
  }
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

/// The payloads of raw.* are dear to unpack, so that is done once, not for each piece that is read.
Result<std::int64_t> RawReader::gather(std::span<const Stretch> stretches) {
  static constexpr FactType all[] = {FactType::shipment, FactType::driver, FactType::shipment_event,
                                     FactType::driver_assignment, FactType::gps_location};
  std::string wanted, names;
  std::int64_t least_after = stretches.front().after;
  for (const Stretch& s : stretches) {
    const std::string name = sql_literal(s.partition);
    names += (names.empty() ? "" : ", ") + name;
    wanted +=
        (wanted.empty() ? "(" : ", (") + name + ", " + std::to_string(s.after) + ", " + std::to_string(s.to) + ")";
    least_after = std::min(least_after, s.after);
  }
  FF_TRY(lake_.run("create or replace temp table gathered as from (" +
                   records_sql(all, "partition in (" + names + ") and position > " + std::to_string(least_after) +
                                        " and exists (select 1 from (values " + wanted +
                                        ") w(name, after, upto) where w.name = partition and position > w.after and "
                                        "position <= w.upto)") +
                   ")"));
  return lake_.integer("select count(*) from temp.gathered");
}

Result<std::vector<SourceBatch>> RawReader::read_gathered(std::int64_t first, std::int64_t count) {
  return read("select * from temp.gathered where rowid between " + std::to_string(first) + " and " +
              std::to_string(first + count - 1) + " order by partition, position");
}

Result<void> RawReader::drop_gathered() { return lake_.run("drop table temp.gathered"); }

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
    auto batches = FF_TRY(read(records_sql(types, "subject in (" + subjects + ") and ingest_time between " +
                                                      timestamp_literal(from) + " and " + timestamp_literal(until)) +
                               " order by partition, position"));
    for (SourceBatch& b : batches) found.push_back(std::move(b.batch));
  }
  return found;
}

}  // namespace ff
