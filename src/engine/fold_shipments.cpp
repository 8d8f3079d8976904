#include <algorithm>
#include <map>
#include <span>

#include "base/hash.h"
#include "base/time.h"
#include "contract/judge.h"
#include "engine/folds.h"
#include "engine/shipment_columns.h"
#include "engine/sorted_by_key.h"
#include "engine/unchanged.h"
#include "state/codec.h"

namespace ff {
namespace {

const std::string& shipment_of(const Fact& fact) {
  if (const auto* s = std::get_if<ShipmentFact>(&fact.body)) return s->shipment_id;
  if (const auto* e = std::get_if<ShipmentEventFact>(&fact.body)) return e->shipment_id;
  return std::get<DriverAssignmentFact>(fact.body).shipment_id;
}

bool add(ShipmentFacts& facts, const Fact& fact) {
  if (const auto* s = std::get_if<ShipmentFact>(&fact.body))
    return facts.add(ClaimTelling{s->name_space, s->order_ref, s->customer_id, s->carrier_id, s->service_level,
                                  s->origin_hub, s->destination_hub, s->created_at, s->promised_pickup_by,
                                  s->promised_delivery_by, s->is_deleted, fact.version, fact.from});
  if (const auto* e = std::get_if<ShipmentEventFact>(&fact.body))
    return facts.add(EventTelling{e->name_space, e->event_id, e->driver_key, e->facility, e->reason, e->event_time,
                                  e->driving_s, e->status, e->retracted, fact.version, fact.from});
  const auto& a = std::get<DriverAssignmentFact>(fact.body);
  return facts.add(CommandTelling{a.name_space, a.assignment_id, a.driver_key, a.action, a.effective_at, a.is_deleted,
                                  fact.version, fact.from});
}

/// In the order of versions if any of the facts has to be filled in from those before it (unchanged.h).
void order_for_filling(std::span<Fact*> facts) {
  if (std::any_of(facts.begin(), facts.end(), [](const Fact* f) { return f->unchanged != 0; }))
    std::stable_sort(facts.begin(), facts.end(), [](const Fact* a, const Fact* b) { return a->version < b->version; });
}

void quarantine(const FoldContext& context, const Fact& fact, std::string_view subject, std::string_view why,
                std::string_view detail, Staging& staging) {
  const Contract& contract = context.names.contracts[fact.from.feed];
  staging.quarantine.inserts.text(contract.id)
      .text(context.names.partitions[fact.from.partition])
      .integer(fact.from.position)
      .integer(fact.from.ingest_time)
      .text(contract.id)
      .text(contract.version)
      .text(fact_name(fact.type()))
      .text(subject)
      .text(why)
      .null()
      .text(detail)
      .null()
      .null();
}

/// A fact that cannot be completed: it waits in quarantine until its thing was read again.
void quarantine_unresolved(const FoldContext& context, const Fact& fact, std::string_view subject, Staging& staging) {
  quarantine(
      context, fact, subject, reason::unresolved_value,
      "the source left out values that did not change, and nothing was told of this before; read its table again "
      "(docs/postgres.md)",
      staging);
}

/// Stages the difference between two folds of one shipment.
class ShipmentStager {
 public:
  ShipmentStager(const FoldContext& context, Staging& staging) : context_(context), staging_(staging) {}

  void stage(std::string_view id, const ShipmentRows& before, const ShipmentRows& after) {
    id_ = id;
    stage_shipment(before, after);
    if (!std::equal(before.claims.begin(), before.claims.end(), after.claims.begin(), after.claims.end(),
                    [](const ClaimRow& a, const ClaimRow& b) { return same(a, b); })) {
      hear_difference(before.claims, after.claims);
      if (!before.claims.empty()) staging_.claims.deletes.text(id);
      for (const ClaimRow& c : after.claims) insert(c);
    }
    stage_events(before, after);
    if (!std::equal(before.superseded.begin(), before.superseded.end(), after.superseded.begin(),
                    after.superseded.end(), [](const EventTelling& a, const EventTelling& b) {
                      return a.identity() == b.identity() && a.version == b.version &&
                             a.is_retracted == b.is_retracted && a.content() == b.content() &&
                             a.from.ingest_time == b.from.ingest_time;
                    })) {
      if (!before.superseded.empty()) staging_.event_versions.deletes.text(id);
      for (const EventTelling& e : after.superseded) insert_version(e);
    }
    stage_commands(before, after);
    stage_intervals(before, after);

    staging_.touched.shipments.text(id);
    touch_drivers(before, after);
  }

 private:
  void stage_shipment(const ShipmentRows& before, const ShipmentRows& after) {
    const ShipmentRow& s = after.shipment;
    if (same(before, before.shipment, after, s)) return;
    if (before.shipment.exists && before.shipment.created_at != none)
      staging_.shipments.deletes.integer(before.shipment.created_at).text(id_);
    else if (before.shipment.exists)
      staging_.undated_shipments.deletes.text(id_);
    if (s.exists) put_shipment(staging_.shipments.inserts, id_, after).integer(context_.publish_seq);
  }

  /// When in the lives of its drivers this shipment made a difference: its changed events and intervals, and all of them if it
  /// was deleted or restored.
  void touch_drivers(const ShipmentRows& before, const ShipmentRows& after) {
    const auto is_deleted = [](const ShipmentRows& rows) { return rows.order() && rows.order()->told.is_deleted; };
    if (is_deleted(before) != is_deleted(after))
      for (const ShipmentRows* rows : {&before, &after}) {
        for (const EventRow& e : rows->events) touch(e);
        for (const IntervalRow& i : rows->intervals) touch(i);
      }
    for (const auto& [driver, span] : spans_) staging_.touched.touch_driver(driver, span.first, span.second);
    spans_.clear();
  }

  /// When a thing was first heard of, and by which feed.
  template <class Row>
  static std::pair<Micros, std::uint32_t> heard(const Row& row) {
    return {row.chain.first_ingest_time, row.told.from.feed};
  }
  template <class Row>
  void hear(const Row& row) {
    if (context_.names.contracts[row.told.from.feed].is_watched()) staging_.touched.hear(row.chain.first_ingest_time);
  }
  template <class Row>
  void hear_difference(const std::vector<Row>& before, const std::vector<Row>& after) {
    const auto has = [](const std::vector<Row>& rows, const Row& row) {
      return std::any_of(rows.begin(), rows.end(), [&](const Row& other) { return heard(other) == heard(row); });
    };
    for (const Row& row : before)
      if (!has(after, row)) hear(row);
    for (const Row& row : after)
      if (!has(before, row)) hear(row);
  }

  void touch(std::string_view driver, Micros from, Micros until) {
    if (driver.empty()) return;
    const auto [it, is_new] = spans_.try_emplace(driver, from, until);
    if (is_new) return;
    it->second.first = std::min(it->second.first, from);
    it->second.second = std::max(it->second.second, until);
  }
  void touch(const EventRow& e) {
    const Micros driven = e.told.driving_s == none ? 0 : e.told.driving_s * us_per_second;
    touch(e.driver_key, e.told.event_time - driven, e.told.event_time);
  }
  void touch(const IntervalRow& i) {
    // An open interval counts to the clock; what the clock adds later it touches itself.
    touch(i.driver_key, i.valid_from,
          i.valid_to != none ? i.valid_to : std::max(i.valid_from, std::min(i.counts_to_at_most, context_.as_of)));
  }

  /// `change(was, is)` for each row that is new (`was` is null) or otherwise. Both lists are sorted by identity, and what was
  /// told once never vanishes: every old row is in the new list.
  template <class Row, class Change>
  void for_changed(const std::vector<Row>& before, const std::vector<Row>& after, const Change& change) {
    auto old = before.begin();
    for (const Row& is : after) {
      const Row* was = old != before.end() && old->told.identity() == is.told.identity() ? &*old++ : nullptr;
      if (was && same(*was, is)) continue;
      if (!was || heard(*was) != heard(is)) {
        if (was) hear(*was);
        hear(is);
      }
      change(was, is);
      insert(is);
    }
    FF_CHECK(old == before.end());
  }

  void stage_events(const ShipmentRows& before, const ShipmentRows& after) {
    for_changed(before.events, after.events, [&](const EventRow* was, const EventRow& is) {
      touch(is);
      if (!was) return;
      touch(*was);
      const EventTelling& e = was->told;
      staging_.events.deletes.integer(e.event_time).text(id_).text(e.name_space).text(e.event_id);
    });
  }

  void stage_commands(const ShipmentRows& before, const ShipmentRows& after) {
    for_changed(before.commands, after.commands, [&](const CommandRow* was, const CommandRow&) {
      if (!was) return;
      const CommandTelling& c = was->told;
      staging_.commands.deletes.integer(c.effective_at).text(id_).text(c.name_space).text(c.assignment_id);
    });
  }

  void stage_intervals(const ShipmentRows& before, const ShipmentRows& after) {
    const auto holds = [](const std::vector<IntervalRow>& rows, const IntervalRow& row) {
      return std::find(rows.begin(), rows.end(), row) != rows.end();
    };
    for (const IntervalRow& i : before.intervals) {
      if (holds(after.intervals, i)) continue;
      touch(i);
      staging_.intervals.deletes.integer(i.valid_from).text(id_);
      staging_.interval_history.inserts.text(id_)
          .text(i.driver_key)
          .integer(i.valid_from)
          .integer(i.valid_to)
          .text(i.opened_by)
          .text_or_null(i.closed_by)
          .integer(i.recorded_from)
          .integer(context_.as_of);
    }
    for (const IntervalRow& i : after.intervals)
      if (!holds(before.intervals, i)) {
        touch(i);
        put_interval(staging_.intervals.inserts, id_, i).integer(context_.publish_seq);
      }
  }

  void insert(const ClaimRow& row) {
    const ClaimTelling& c = row.told;
    Rows& out = put_claim(staging_.claims.inserts, id_, row);
    put_version(out, c.version);
    out.integer(c.from.ingest_time).integer(row.chain.first_ingest_time).integer(row.chain.conflict_at);
    put_provenance(out, c.from);
  }

  void insert(const EventRow& row) {
    const EventTelling& e = row.told;
    Rows& out = put_event(staging_.events.inserts, id_, row);
    put_version(out, e.version);
    out.integer(e.from.ingest_time)
        .integer(row.chain.first_ingest_time)
        .integer(context_.names.contracts[e.from.feed].late_after_s);
    out.integer(row.chain.conflict_at).integer(row.chain.versions);
    put_provenance(out, e.from);
  }

  void insert_version(const EventTelling& e) {
    Rows& out = staging_.event_versions.inserts;
    out.text(id_)
        .text(e.name_space)
        .text(e.event_id)
        .text(status_name(e.status))
        .integer(e.event_time)
        .boolean(e.is_retracted);
    out.text_or_null(e.driver_key).text_or_null(e.facility).text_or_null(e.reason);
    put_version(out, e.version);
    std::string content(status_name(e.status));
    content.append(1, '\x1f')
        .append(std::to_string(e.event_time))
        .append(1, '\x1f')
        .append(e.driver_key)
        .append(1, '\x1f')
        .append(e.facility);
    content.append(1, '\x1f').append(e.reason).append(1, '\x1f').append(std::to_string(e.driving_s));
    out.text(hex(hash128(content))).integer(e.from.ingest_time);
    put_provenance(out, e.from);
  }

  void insert(const CommandRow& row) {
    const CommandTelling& c = row.told;
    Rows& out = put_command(staging_.commands.inserts, id_, row);
    put_version(out, c.version);
    out.integer(c.from.ingest_time).integer(row.chain.first_ingest_time).integer(row.chain.conflict_at);
    put_provenance(out, c.from);
  }

  static void put_version(Rows& out, const Version& v) {
    out.integer(v.authority_rank).integer(v.epoch).integer(v.ordinal).integer(v.ordinal_minor);
  }

  void put_provenance(Rows& out, const Provenance& p) {
    const Contract& contract = context_.names.contracts[p.feed];
    out.text(contract.id)
        .text(contract.version)
        .text(contract.id)
        .text(context_.names.partitions[p.partition])
        .integer(p.position)
        .integer(context_.publish_seq);
  }

  const FoldContext& context_;
  Staging& staging_;
  std::string_view id_;
  std::map<std::string_view, std::pair<Micros, Micros>>
      spans_;  ///< of drivers of this shipment: first and last moment touched
};

}  // namespace

void quarantine_beyond_retention(const FoldContext& context, const Fact& fact, std::string_view key, Staging& staging) {
  quarantine(context, fact, key, reason::beyond_retention,
             "its state has left the keyed state and raw.* no longer has all that was said of it; --state-days says "
             "how long it stays",
             staging);
}

namespace {

/// Adds the facts of one shipment to what is known of it; whether anything changed. `seen(fact, outcome, is_new)`.
template <class Seen>
bool take_in(ShipmentFacts& known, std::vector<Fact*>& facts, Seen seen) {
  bool changed = false;
  order_for_filling(facts);
  for (Fact* fact : facts) {
    const Unchanged filled = fill_unchanged(known, *fact);
    const bool is_new = filled == Unchanged::filled && add(known, *fact);
    changed |= is_new;
    seen(*fact, filled, is_new);
  }
  return changed;
}

/// Events whose source does not number them get their number.
void number_events(std::span<Fact* const> facts) {
  for (Fact* fact : facts)
    if (auto* e = std::get_if<ShipmentEventFact>(&fact->body); e && e->event_id.empty()) e->event_id = event_id_of(*e);
}

/// Shipments whose state was cut to a stub, and what raw.* has of them.
class RecalledShipments {
 public:
  /// `keys` with their state; those that are stubs are recalled.
  Result<void> load(const FoldContext& context, const std::vector<std::string>& keys,
                    const std::vector<std::string>& blobs) {
    static constexpr FactType types[] = {FactType::shipment, FactType::shipment_event, FactType::driver_assignment};
    batches_.clear();
    facts_.clear();
    std::vector<Recalled> wanted;
    for (std::size_t k = 0; k < keys.size(); ++k)
      if (const auto stub = stub_of(blobs[k]))
        wanted.push_back({std::string_view(keys[k]).substr(1), stub->first_heard, stub->last_heard});
    if (wanted.empty()) return {};
    batches_ = FF_TRY(context.recall(types, wanted));
    std::vector<Fact*> all;
    for (Batch& batch : batches_)
      for (Decoded& d : batch.records)
        if (Fact* fact = d.fact()) {
          const FactType type = fact->type();
          if (std::find(std::begin(types), std::end(types), type) != std::end(types)) all.push_back(fact);
        }
    number_events(all);
    for (Fact* fact : all) facts_[shipment_of(*fact)].push_back(fact);
    return {};
  }

  /// All that is known of one of them; false: less than was folded.
  bool whole(std::string_view id, const Stub& stub, ShipmentFacts& known) {
    known.clear();
    if (const auto it = facts_.find(id); it != facts_.end())
      take_in(known, it->second, [](const Fact&, Unchanged, bool) {});
    return static_cast<std::int64_t>(known.claims.size() + known.events.size() + known.commands.size()) >=
           stub.tellings;
  }

 private:
  std::vector<Batch> batches_;  ///< own the texts
  std::map<std::string_view, std::vector<Fact*>> facts_;
};

}  // namespace

Result<void> stage_shipments(const FoldContext& context, std::span<Fact* const> facts, Staging& staging) {
  number_events(facts);
  const std::vector<Fact*> sorted = sorted_by_key(facts, shipment_of);
  constexpr std::size_t shipments_at_once = 4096;
  ShipmentStager stager(context, staging);
  RecalledShipments recalled;
  ShipmentFacts known, next;
  ShipmentRows before, after;
  std::vector<Fact*> group;
  for (std::size_t at = 0; at < sorted.size();) {
    std::vector<std::string> keys;
    std::size_t end = at;
    for (; end < sorted.size(); ++end) {
      const std::string& id = shipment_of(*sorted[end]);
      if (!keys.empty() && keys.back().compare(1, std::string::npos, id) == 0) continue;
      if (keys.size() == shipments_at_once) break;
      keys.push_back('s' + id);
    }
    const std::vector<std::string> blobs = FF_TRY(context.store.get(keys));
    FF_TRY(recalled.load(context, keys, blobs));
    for (std::size_t k = 0; k < keys.size(); ++k) {
      const std::string_view id = std::string_view(keys[k]).substr(1);
      group.clear();
      while (at < end && shipment_of(*sorted[at]) == id) group.push_back(sorted[at++]);
      if (blobs[k].empty()) {
        known.clear();
      } else if (const auto stub = stub_of(blobs[k])) {
        if (!recalled.whole(id, *stub, known)) {
          for (const Fact* fact : group) quarantine_beyond_retention(context, *fact, id, staging);
          continue;
        }
      } else {
        FF_TRY(decode(blobs[k], known));
      }
      // Most copies change nothing, and then the fold before need not be computed either.
      next = known;
      const bool changed = take_in(next, group, [&](const Fact& fact, Unchanged filled, bool is_new) {
        if (filled == Unchanged::filled) staging.count(fact, is_new);
        if (filled == Unchanged::unknown) quarantine_unresolved(context, fact, id, staging);
      });
      if (!changed) continue;
      fold(known, before);
      fold(next, after);
      stager.stage(id, before, after);
      const bool has_ended = traits(after.shipment.state).is_terminal;
      staging.state.emplace_back(keys[k], encode(next, has_ended ? context.hot_for.ended : context.hot_for.open));
    }
  }
  return {};
}

Result<void> stage_drivers(const FoldContext& context, std::span<Fact* const> facts, Staging& staging) {
  const auto key_of = [](const Fact& f) -> const std::string& { return std::get<DriverFact>(f.body).driver_key; };
  std::vector<Fact*> sorted = sorted_by_key(facts, key_of);
  for (std::size_t at = 0; at < sorted.size();) {
    const std::string& driver_key = key_of(*sorted[at]);
    const std::string blob = FF_TRY(context.store.get('d' + driver_key));
    DriverFacts known;
    if (!blob.empty()) FF_TRY(decode(blob, known));
    DriverFacts next = known;
    bool changed = false;
    std::size_t end = at;
    while (end < sorted.size() && key_of(*sorted[end]) == driver_key) ++end;
    order_for_filling({sorted.data() + at, end - at});
    for (; at < end; ++at) {
      const Unchanged filled = fill_unchanged(next, *sorted[at]);
      if (filled == Unchanged::unknown) quarantine_unresolved(context, *sorted[at], driver_key, staging);
      if (filled != Unchanged::filled) continue;
      const auto& d = std::get<DriverFact>(sorted[at]->body);
      changed |=
          staging.count(*sorted[at], next.add({d.home_hub, d.is_deleted, sorted[at]->version, sorted[at]->from}));
    }
    if (!changed) continue;
    if (!known.tellings.empty()) staging.drivers.deletes.text(driver_key);
    const DriverRow row = fold(next);
    const DriverTelling& d = row.told;
    const Contract& contract = context.names.contracts[d.from.feed];
    Rows& out = staging.drivers.inserts;
    out.text(driver_key).text_or_null(d.home_hub).boolean(d.is_deleted);
    out.integer(d.version.authority_rank)
        .integer(d.version.epoch)
        .integer(d.version.ordinal)
        .integer(d.version.ordinal_minor);
    out.integer(d.from.ingest_time).integer(row.chain.first_ingest_time).integer(row.chain.conflict_at);
    out.text(contract.id)
        .text(contract.version)
        .text(contract.id)
        .text(context.names.partitions[d.from.partition])
        .integer(d.from.position)
        .integer(context.publish_seq);
    const DriverRow before = known.tellings.empty() ? DriverRow() : fold(known);
    // A finding asks when the driver became known (S6.2).
    if (!before.exists || before.chain.first_ingest_time != row.chain.first_ingest_time)
      staging.touched.driver_rows.text(driver_key);
    if (before.exists && context.names.contracts[before.told.from.feed].is_watched())
      staging.touched.hear(before.chain.first_ingest_time);
    if (contract.is_watched()) staging.touched.hear(row.chain.first_ingest_time);
    staging.touched.touch_driver(driver_key, context.as_of, context.as_of);
    staging.state.emplace_back('d' + driver_key, encode(next));
  }
  return {};
}

}  // namespace ff
