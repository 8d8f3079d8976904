#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/time.h"
#include "engine/folds.h"
#include "engine/sorted_by_key.h"
#include "state/codec.h"

namespace ff {
namespace {

using Date = std::int32_t;  ///< days since 1970-01-01 in the reporting zone

/// 'g' + driver_key + date, so that a driver's days lie beside each other in order.
std::string day_key(std::string_view driver_key, Date date) {
  std::string key = "g";
  key += driver_key;
  const auto ordered = static_cast<std::uint32_t>(date) ^ 0x80000000u;
  for (int shift = 24; shift >= 0; shift -= 8) key += static_cast<char>(ordered >> shift);
  return key;
}

Date date_in(std::string_view key) {
  std::uint32_t ordered = 0;
  for (const char c : key.substr(key.size() - 4)) ordered = ordered << 8 | static_cast<unsigned char>(c);
  return static_cast<Date>(ordered ^ 0x80000000u);
}

PingTelling telling_of(const GpsLocationFact& g, const Provenance& from) {
  return {g.device_id, g.event_time, g.latitude_e7, g.longitude_e7, g.speed_mm_s, from};
}

struct Day {
  std::string blob;             ///< what `before` borrows from,
  std::vector<Batch> recalled;  ///< or these, if the blob is a stub
  bool is_whole = true;         ///< false: raw.* has less of it than was folded
  DayPings before, after;
  DayFold fold_before, fold_after;
};

/// The days of one driver that a batch concerns, and their neighbours as needed.
class DriverDays {
 public:
  DriverDays(const FoldContext& context, Store::Neighbours& stored, std::string_view driver_key)
      : context_(context), stored_(stored), driver_key_(driver_key) {}

  Result<Day*> day(Date date) {
    auto& slot = days_[date];
    if (!slot) {
      slot = std::make_unique<Day>();
      const auto met = met_.find(date);
      slot->blob = met != met_.end() ? std::move(met->second) : FF_TRY(context_.store.get(day_key(driver_key_, date)));
      if (const auto stub = stub_of(slot->blob))
        FF_TRY(recall(date, *stub, *slot));
      else if (!slot->blob.empty())
        FF_TRY(decode(slot->blob, slot->before));
      fold_pings(slot->before, slot->fold_before);
      slot->after = slot->before;
      slot->fold_after = slot->fold_before;
    }
    return slot.get();
  }

  Date date_of(Micros at) const {
    const Micros local = context_.zone.to_local(at);
    return static_cast<Date>(local / us_per_day - (local % us_per_day < 0));
  }

  enum class Side { before, after };
  enum class When { before, after };  ///< before or after this batch

  /// The nearest good ping on a neighbouring day, and that day; null where there is none.
  struct Neighbour {
    const GoodPing* ping = nullptr;
    Date date = 0;
  };
  Result<Neighbour> neighbour(Date date, Side side, When when) {
    for (;;) {
      const auto next = FF_TRY(next_date(date, side));
      if (!next) return Neighbour();
      date = *next;
      const Day* d = FF_TRY(day(date));
      const auto& good = (when == When::before ? d->fold_before : d->fold_after).good;
      if (!good.empty()) return Neighbour{side == Side::before ? &good.back() : &good.front(), date};
    }
  }

  Result<void> rows(Date date, When when, DriverDayRows& out) {
    const Day* d = FF_TRY(day(date));
    const Neighbour before = FF_TRY(neighbour(date, Side::before, when)),
                    after = FF_TRY(neighbour(date, Side::after, when));
    const Micros start = context_.zone.to_utc(date * us_per_day), end = context_.zone.to_utc((date + 1) * us_per_day);
    fold_day(when == When::before ? d->fold_before : d->fold_after, before.ping, after.ping, start, end, out);
    return {};
  }

 private:
  Result<void> recall(Date date, const Stub& stub, Day& day) {
    static constexpr FactType types[] = {FactType::gps_location};
    const Recalled wanted{driver_key_, stub.first_heard, stub.last_heard};
    day.recalled = FF_TRY(context_.recall(types, {&wanted, 1}));
    for (const Batch& batch : day.recalled)
      for (const Decoded& d : batch.records)
        if (const Fact* fact = d.fact())
          if (const auto* g = std::get_if<GpsLocationFact>(&fact->body);
              g && g->driver_key == driver_key_ && date_of(g->event_time) == date)
            day.before.add(telling_of(*g, fact->from));
    day.is_whole = static_cast<std::int64_t>(day.before.pings.size()) >= stub.tellings;
    return {};
  }

  /// The nearest date on that side with pings, in the batch or in the store. All of the batch is in days_.
  Result<std::optional<Date>> next_date(Date date, Side side) {
    auto& known = (side == Side::before ? last_ : next_);
    if (const auto it = known.find(date); it != known.end()) return it->second;
    const std::optional<Date> found = FF_TRY(look_for_date(date, side));
    known[date] = found;
    if (found) (side == Side::before ? next_ : last_)[*found] = date;
    return found;
  }

  Result<std::optional<Date>> look_for_date(Date date, Side side) {
    std::optional<Date> nearest;
    if (side == Side::before) {
      if (const auto it = days_.lower_bound(date); it != days_.begin()) nearest = std::prev(it)->first;
    } else if (const auto it = days_.upper_bound(date); it != days_.end()) {
      nearest = it->first;
    }
    const std::string key = day_key(driver_key_, date);
    auto stored =
        side == Side::before ? FF_TRY(stored_.before(key, key.size() - 4)) : FF_TRY(stored_.after(key, key.size() - 4));
    if (stored) {
      const Date found = date_in(stored->first);
      if (!days_.contains(found)) met_[found] = std::move(stored->second);
      nearest = !nearest ? found : side == Side::before ? std::max(*nearest, found) : std::min(*nearest, found);
    }
    return nearest;
  }

  const FoldContext& context_;
  Store::Neighbours& stored_;
  std::string_view driver_key_;
  std::map<Date, std::unique_ptr<Day>> days_;
  std::map<Date, std::string> met_;                  ///< days in the store that are not in days_
  std::map<Date, std::optional<Date>> last_, next_;  ///< the nearest date before and after one, as far as it was asked
};

class DayStager {
 public:
  DayStager(const FoldContext& context, Staging& staging, std::string_view driver_key)
      : context_(context), staging_(staging), driver_key_(driver_key) {}

  /// The ping's winning content is the last of its identity.
  void stage_ping(const Day& day, const PingTelling& ping) {
    const auto same_identity = [&](const PingTelling& p) { return p.identity() == ping.identity(); };
    const auto before = std::find_if(day.before.pings.rbegin(), day.before.pings.rend(), same_identity);
    if (before != day.before.pings.rend()) {
      hear(*before);
      staging_.gps_locations.deletes.integer(ping.event_time).text(driver_key_).text(ping.device_id);
    }
    const PingTelling& p = *std::find_if(day.after.pings.rbegin(), day.after.pings.rend(), same_identity);
    hear(p);
    staging_.gps_locations.inserts.text(driver_key_)
        .text(p.device_id)
        .integer(p.event_time)
        .integer(p.latitude_e7)
        .integer(p.longitude_e7)
        .integer(p.speed_mm_s)
        .integer(p.from.ingest_time);
    const Contract& contract = context_.names.contracts[p.from.feed];
    staging_.gps_locations.inserts.text(contract.id)
        .text(contract.id)
        .text(context_.names.partitions[p.from.partition])
        .integer(p.from.position);
  }

  void stage(Date date, const DriverDayRows& before, const DriverDayRows& after) {
    if (before.day != after.day) {
      if (before.day.exists) staging_.driver_days.deletes.text(driver_key_).integer(date);
      const DriverDayRow& d = after.day;
      if (d.exists)
        staging_.driver_days.inserts.text(driver_key_)
            .integer(date)
            .text(d.primary_device_id)
            .integer(d.pings)
            .integer(d.faults)
            .integer(d.driving_us)
            .integer(d.idle_us)
            .integer(d.distance_cm)
            .integer(d.first_ping_at)
            .integer(d.last_ping_at)
            .integer(context_.publish_seq);
    }
    difference(
        before.segments, after.segments,
        [&](const SegmentRow& s) { staging_.segments.deletes.integer(s.start_at).text(driver_key_); },
        [&](const SegmentRow& s) {
          staging_.segments.inserts.text(driver_key_)
              .integer(date)
              .integer(s.start_at)
              .integer(s.end_at)
              .boolean(s.is_driving)
              .integer(context_.publish_seq);
        });
    difference(
        before.silences, after.silences,
        [&](const SilenceRow& s) { staging_.silences.deletes.integer(s.last_ping_at).text(driver_key_); },
        [&](const SilenceRow& s) {
          staging_.silences.inserts.text(driver_key_)
              .integer(date)
              .integer(s.last_ping_at)
              .integer(s.next_ping_at)
              .integer(context_.publish_seq);
        });
  }

  void stage_anomalies(Date date, const std::vector<AnomalyRow>& before, const std::vector<AnomalyRow>& after) {
    if (before == after) return;
    if (!before.empty()) staging_.anomalies.deletes.text(driver_key_).integer(date);
    for (const AnomalyRow& a : after)
      staging_.anomalies.inserts.text(driver_key_)
          .integer(date)
          .text(a.device_id)
          .integer(a.event_time)
          .text(ff::name(a.kind))
          .integer(a.opened_at)
          .integer(context_.publish_seq);
  }

 private:
  /// Both lists are sorted and without repetition.
  template <class Row, class Gone, class New>
  static void difference(const std::vector<Row>& before, const std::vector<Row>& after, Gone gone, New added) {
    for (const Row& row : before)
      if (!std::binary_search(after.begin(), after.end(), row)) gone(row);
    for (const Row& row : after)
      if (!std::binary_search(before.begin(), before.end(), row)) added(row);
  }

  void hear(const PingTelling& p) {
    if (context_.names.contracts[p.from.feed].is_watched()) staging_.touched.hear(p.from.ingest_time);
  }

  const FoldContext& context_;
  Staging& staging_;
  std::string_view driver_key_;
};

Result<void> stage_driver(const FoldContext& context, Store::Neighbours& stored, std::span<Fact* const> facts,
                          Staging& staging) {
  const std::string& driver_key = std::get<GpsLocationFact>(facts.front()->body).driver_key;
  DriverDays days(context, stored, driver_key);
  DayStager stager(context, staging, driver_key);
  std::map<Date, std::set<std::tuple<Micros, std::string_view>>> changed;
  for (const Fact* fact : facts) {
    const auto& g = std::get<GpsLocationFact>(fact->body);
    const Date date = days.date_of(g.event_time);
    Day* day = FF_TRY(days.day(date));
    if (!day->is_whole) {
      quarantine_beyond_retention(context, *fact, driver_key, staging);
      continue;
    }
    if (staging.count(*fact, day->after.add(telling_of(g, fact->from))))
      changed[date].insert({g.event_time, g.device_id});
  }
  if (changed.empty()) return {};
  for (const auto& [date, pings] : changed) {
    Day* day = FF_TRY(days.day(date));
    fold_pings(day->after, day->fold_after);
    for (const auto& [event_time, device_id] : pings) {
      PingTelling ping;
      ping.event_time = event_time;
      ping.device_id = device_id;
      stager.stage_ping(*day, ping);
    }
    stager.stage_anomalies(date, day->fold_before.anomalies, day->fold_after.anomalies);
    staging.state.emplace_back(day_key(driver_key, date), encode(day->after, context.hot_for.ended));
  }
  // A changed day also moves the segment across midnight and the silence of the days before and after it.
  std::set<Date> concerned;
  for (const auto& [date, pings] : changed) {
    concerned.insert(date);
    for (const auto side : {DriverDays::Side::before, DriverDays::Side::after})
      for (const auto when : {DriverDays::When::before, DriverDays::When::after})
        if (const auto n = FF_TRY(days.neighbour(date, side, when)); n.ping) concerned.insert(n.date);
  }
  DriverDayRows before, after;
  for (const Date date : concerned) {
    FF_TRY(days.rows(date, DriverDays::When::before, before));
    FF_TRY(days.rows(date, DriverDays::When::after, after));
    stager.stage(date, before, after);
  }
  Micros until = context.zone.to_utc((*concerned.rbegin() + 1) * us_per_day);
  // The silence after the last ping goes on: what it raises lies anywhere up to the clock.
  if (!FF_TRY(days.neighbour(*concerned.rbegin(), DriverDays::Side::after, DriverDays::When::after)).ping)
    until = std::max(until, context.as_of);
  staging.touched.touch_driver(driver_key, context.zone.to_utc(*concerned.begin() * us_per_day), until);
  return {};
}

}  // namespace

Result<void> stage_pings(const FoldContext& context, std::span<Fact* const> facts, Staging& staging) {
  const auto key_of = [](const Fact& f) -> const std::string& { return std::get<GpsLocationFact>(f.body).driver_key; };
  const std::vector<Fact*> sorted = sorted_by_key(facts, key_of);
  Store::Neighbours stored = context.store.neighbours();
  for (std::size_t at = 0; at < sorted.size();) {
    std::size_t end = at;
    while (end < sorted.size() && key_of(*sorted[end]) == key_of(*sorted[at])) ++end;
    FF_TRY(stage_driver(context, stored, std::span(sorted).subspan(at, end - at), staging));
    at = end;
  }
  return {};
}

}  // namespace ff
