#include "domain/shipment.h"

#include <algorithm>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "domain/tellings_internal.h"

namespace ff {
namespace {

std::int64_t floor_seconds(Micros us) { return us / us_per_second - (us % us_per_second < 0); }

/// S3.2 to S3.6: judges the events in history order. Returns the taken terminal ones, by time.
std::vector<EventRow*> fold_events(ShipmentRows& rows) {
  ShipmentRow& s = rows.shipment;
  std::vector<EventRow*> history;
  for (EventRow& e : rows.events)
    if (!e.told.is_retracted && !e.is_future) history.push_back(&e);
  std::sort(history.begin(), history.end(), [](const EventRow* a, const EventRow* b) {
    const auto key = [](const EventRow* e) {
      return std::make_tuple(e->told.event_time, traits(e->told.status).rank, e->told.name_space, e->told.event_id);
    };
    return key(a) < key(b);
  });
  if (s.created_at == none && !history.empty()) s.created_at = history.front()->told.event_time;

  std::vector<EventRow*> terminal;
  EventRow* last_taken = nullptr;
  for (EventRow* e : history) {
    const StatusId status = e->told.status;
    e->from_status = s.state;
    if (status == exception) {
      e->effect = Effect::exception;
      s.shows_exception = true;
      continue;
    }
    e->effect = transition(s.state, status);
    if (!is_taken(e->effect)) continue;
    const Micros at = e->told.event_time;
    if (last_taken && last_taken->told.status == arrived_at_facility)
      last_taken->dwell_s = floor_seconds(at - last_taken->told.event_time);
    last_taken = e;
    s.state = status;
    s.shows_exception = false;
    s.last_taken_at = at;
    s.last_taken_status = status;
    if (s.first_at[status] == none) s.first_at[status] = at;
    s.delivered_at = status == delivered ? at : none;
    s.attempts += status == delivery_attempted;
    if (traits(status).is_terminal) terminal.push_back(e);
  }
  if (traits(s.state).is_terminal) s.shows_exception = false;
  return terminal;
}

/// S4.2, S4.3: the timeline of holding. At one instant: terminal event, then unassign, then assign.
class Timeline {
 public:
  Timeline(ShipmentRows& rows, Micros last_taken_at) : rows_(rows), last_taken_at_(last_taken_at) {}

  void run(const std::vector<EventRow*>& terminal) {
    std::vector<CommandRow*> commands;
    for (CommandRow& c : rows_.commands) {
      if (c.told.is_deleted)
        c.effect = CommandEffect::deleted;
      else
        commands.push_back(&c);
    }
    std::sort(commands.begin(), commands.end(), [](const CommandRow* a, const CommandRow* b) {
      const auto key = [](const CommandRow* c) {
        return std::make_tuple(c->told.effective_at, c->told.action != Action::unassign, c->told.assignment_id,
                               c->told.name_space);
      };
      return key(a) < key(b);
    });
    auto command = commands.begin();
    for (EventRow* e : terminal) {
      for (; command != commands.end() && (*command)->told.effective_at < e->told.event_time; ++command)
        obey(**command);
      e->holder = holder_;
      close(e->told.event_time, e->told.event_id, e->chain.first_ingest_time);
    }
    for (; command != commands.end(); ++command) obey(**command);
    if (!holder_.empty()) {
      open_.counts_to_at_most = std::max(last_taken_at_, open_.valid_from + open_interval_max_us);
      rows_.intervals.push_back(open_);
    }
  }

  /// The holder at `at`, or nobody.
  std::string_view holder_at(Micros at) const {
    for (const IntervalRow& i : rows_.intervals)
      if (i.valid_from <= at && (i.valid_to == none || at < i.valid_to)) return i.driver_key;
    return {};
  }

 private:
  void obey(CommandRow& c) {
    const std::string_view driver = c.told.driver_key;
    const Micros at = c.told.effective_at;
    if (c.told.action == Action::unassign) {
      const bool names_the_right_one = driver.empty() || driver == (holder_.empty() ? last_holder_ : holder_);
      c.effect = !names_the_right_one ? CommandEffect::unassign_mismatch
                 : holder_.empty()    ? CommandEffect::nothing
                                      : CommandEffect::close;
      if (c.effect == CommandEffect::close) close(at, c.told.assignment_id, c.chain.first_ingest_time);
      return;
    }
    if (!driver.empty() && driver == holder_) {
      c.effect = CommandEffect::keep;
      return;
    }
    c.effect = !driver.empty() ? CommandEffect::open : holder_.empty() ? CommandEffect::nothing : CommandEffect::close;
    close(at, c.told.assignment_id, c.chain.first_ingest_time);
    if (driver.empty()) return;
    holder_ = driver;
    open_ = {driver, c.told.assignment_id, {}, at, none, none, c.chain.first_ingest_time};
  }

  void close(Micros at, std::string_view by, Micros known_since) {
    if (holder_.empty()) return;
    last_holder_ = std::exchange(holder_, {});
    if (at == open_.valid_from) return;  // Of zero length: it stays in the commands, the audit, only.
    open_.valid_to = at;
    open_.closed_by = by;
    open_.recorded_from = std::max(open_.recorded_from, known_since);
    rows_.intervals.push_back(open_);
  }

  ShipmentRows& rows_;
  Micros last_taken_at_;
  std::string_view holder_, last_holder_;
  IntervalRow open_;
};

}  // namespace

bool ShipmentFacts::add(const ClaimTelling& claim) { return add_telling(claims, claim); }
bool ShipmentFacts::add(const EventTelling& event) { return add_telling(events, event); }
bool ShipmentFacts::add(const CommandTelling& command) { return add_telling(commands, command); }

void ShipmentFacts::clear() {
  claims.clear();
  events.clear();
  commands.clear();
}

void fold(const ShipmentFacts& facts, ShipmentRows& rows) {
  rows.claims.clear();
  rows.events.clear();
  rows.superseded.clear();
  rows.commands.clear();
  rows.intervals.clear();
  ShipmentRow& s = rows.shipment = ShipmentRow{};
  std::fill(std::begin(s.first_at), std::end(s.first_at), none);

  each_identity(facts.claims, [&](const ClaimTelling* begin, const ClaimTelling* end) {
    ClaimRow& row = rows.claims.emplace_back();
    row.told = winner_of(begin, end, row.chain, static_cast<std::vector<ClaimTelling>*>(nullptr));
    row.holds_id = rows.claims.size() == 1;
    if (s.order_first_ingest_time == none || row.chain.first_ingest_time < s.order_first_ingest_time)
      s.order_first_ingest_time = row.chain.first_ingest_time;
  });
  each_identity(facts.events, [&](const EventTelling* begin, const EventTelling* end) {
    EventRow& row = rows.events.emplace_back();
    row.told = winner_of(begin, end, row.chain, &rows.superseded);
    row.is_future = row.told.event_time > row.told.from.ingest_time + future_tolerance_us;
  });
  each_identity(facts.commands, [&](const CommandTelling* begin, const CommandTelling* end) {
    CommandRow& row = rows.commands.emplace_back();
    row.told = winner_of(begin, end, row.chain, static_cast<std::vector<CommandTelling>*>(nullptr));
  });

  s.exists = !rows.claims.empty() || !rows.events.empty();
  if (const ClaimRow* order = rows.order()) s.created_at = order->told.created_at;
  const std::vector<EventRow*> terminal = fold_events(rows);
  Timeline timeline(rows, s.last_taken_at);
  timeline.run(terminal);
  for (EventRow& e : rows.events) {
    if (e.holder.empty()) e.holder = timeline.holder_at(e.told.event_time);
    e.driver_key = e.holder.empty() ? e.told.driver_key : e.holder;
    if (is_taken(e.effect) && e.told.status == delivered && e.told.event_time == s.delivered_at)
      s.delivered_by = e.driver_key;
  }
}

bool same(const ShipmentRows& a_rows, const ShipmentRow& a, const ShipmentRows& b_rows, const ShipmentRow& b) {
  const ClaimRow *x = a_rows.order(), *y = b_rows.order();
  if ((x == nullptr) != (y == nullptr)) return false;
  if (x && (x->told.identity() != y->told.identity() || x->told.content() != y->told.content())) return false;
  const auto key = [](const ShipmentRow& s) {
    return std::tie(s.exists, s.state, s.shows_exception, s.created_at, s.delivered_at, s.delivered_by, s.attempts,
                    s.last_taken_at, s.last_taken_status, s.order_first_ingest_time);
  };
  return key(a) == key(b) && std::equal(std::begin(a.first_at), std::end(a.first_at), std::begin(b.first_at));
}

bool same(const ClaimRow& a, const ClaimRow& b) {
  return order(a.told) == order(b.told) && a.chain == b.chain && a.told.from.ingest_time == b.told.from.ingest_time &&
         a.holds_id == b.holds_id;
}

bool same(const EventRow& a, const EventRow& b) {
  return order(a.told) == order(b.told) && a.chain == b.chain && a.told.from.ingest_time == b.told.from.ingest_time &&
         a.effect == b.effect && a.is_future == b.is_future && a.from_status == b.from_status && a.holder == b.holder &&
         a.driver_key == b.driver_key && a.dwell_s == b.dwell_s;
}

bool same(const CommandRow& a, const CommandRow& b) {
  return order(a.told) == order(b.told) && a.chain == b.chain && a.told.from.ingest_time == b.told.from.ingest_time &&
         a.effect == b.effect;
}

std::string_view name(CommandEffect effect) {
  constexpr std::string_view names[] = {"open", "keep", "close", "none", "unassign_mismatch", "deleted"};
  return names[static_cast<std::size_t>(effect)];
}

std::string event_id_of(const ShipmentEventFact& e) {
  std::string text;
  text.append(e.name_space)
      .append(1, '\x1f')
      .append(e.shipment_id)
      .append(1, '\x1f')
      .append(status_name(e.status))
      .append(1, '\x1f');
  text.append(std::to_string(e.event_time)).append(1, '\x1f').append(e.facility);
  return "h:" + hex(hash128(text));
}

}  // namespace ff
