#include "sim/truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "base/hash.h"
#include "sim/telling.h"

namespace ff::sim {
namespace {

constexpr Micros grace = 30 * us_per_minute;  // docs/semantics.md S6.2
constexpr int sampled_drivers_max = 256;

bool requires_driver(Status s) {
  return s == Status::arrived_at_pickup || s == Status::picked_up || s == Status::out_for_delivery ||
         s == Status::delivery_attempted || s == Status::delivered;
}

std::string text(Micros t) {
  std::string out;
  if (t != none) append_time(out, t);
  return out;
}

std::string date_text(std::int64_t day) { return text(day * us_per_day).substr(0, 10); }

std::FILE* open(const SimOptions& options, std::string_view name, std::string_view header) {
  if (!options.truth) return nullptr;
  const auto path = options.out / "truth" / name;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::system_error(errno, std::generic_category(), path.string());
  fmt::print(file, "{}", header);
  return file;
}

void close(std::FILE*& file) {
  if (file != nullptr && std::fclose(std::exchange(file, nullptr)) != 0)
    throw std::system_error(errno, std::generic_category(), "truth");
}

}  // namespace

Truth::Truth(const SimOptions& options, const World& world) : options_(options), world_(world) {
  sample_step_ = std::max(1, world.driver_count() / sampled_drivers_max);
  findings_ = open(options, "findings.csv", "check_name,subject,anchor,driver\n");
  shipments_ =
      open(options, "shipments.csv",
           "shipment_id,state,current_status,delivered_at,attempts,sla_status,carrier_id,service_level,fault\n");
  pii_ = open(options, "pii.txt", "");
}

Truth::~Truth() {
  for (std::FILE* file : {findings_, shipments_, pii_})
    if (file != nullptr) std::fclose(file);
}

void Truth::finding(std::string_view check, std::string_view subject, std::string_view anchor,
                    std::string_view driver) {
  ++found_.try_emplace(std::string(check), 0).first->second;
  if (findings_ != nullptr) fmt::print(findings_, "{},{},{},{}\n", check, subject, anchor, driver);
}

void Truth::ping_finding(Fault fault, std::string_view check, int driver, Micros time) {
  count(fault);
  const auto id = world_.driver_id(driver);
  finding(check, id, text(time), id);
}

void Truth::refused_line(Fault fault, std::string_view check, std::string_view subject, std::string_view line) {
  count(fault);
  finding(check, subject, hex(hash128(line)));
}

void Truth::plant(const PersonalData& p) {
  if (pii_ == nullptr) return;
  for (const auto& s : {p.name, p.phone, p.email, p.licence_number, p.home_address, p.date_of_birth})
    fmt::print(pii_, "{}\n", s);
}

Truth::Outcome Truth::outcome(const Life& life) const {
  Outcome o;
  const bool has_order = heard(life.order_heard);
  o.heard_of = has_order;
  Micros exception_at = none;
  for (const Scan& scan : life.scans) {
    if (!scan.happened || !heard(scan.heard)) continue;
    o.heard_of = true;
    if (scan.status == Status::exception) exception_at = scan.time;
    if (!scan.taken) continue;
    o.state = scan.status;
    o.last_taken = scan.time;
    o.delivered_at = scan.status == Status::delivered ? scan.time : none;
    o.attempts += scan.status == Status::delivery_attempted;
  }
  const bool over = o.state >= Status::delivered;
  o.current_status = name(!over && exception_at != none && exception_at > o.last_taken ? Status::exception : o.state);
  const auto& policy = service_levels[static_cast<std::size_t>(life.service)];
  o.promise = life.promised_delivery_by != none ? life.promised_delivery_by
                                                : life.created_at + policy.delivery_within_h * us_per_hour;
  const Micros due = o.promise + policy.grace_min * us_per_minute, as_of = options_.end();
  if (!has_order || life.deleted || o.state == Status::cancelled)
    o.sla_status = "excluded";
  else if (o.state == Status::delivered)
    o.sla_status = o.delivered_at <= due ? "met" : "missed";
  else if (over)
    o.sla_status = "missed";
  else if (as_of > due)
    o.sla_status = "breached";
  else
    o.sla_status = as_of >= o.promise - policy.risk_window_min * us_per_minute && o.state < Status::out_for_delivery
                       ? "at_risk"
                       : "on_track";
  return o;
}

void Truth::record(const Life& life) {
  const Outcome o = outcome(life);
  if (!o.heard_of) return;
  if (life.fault) count(*life.fault);
  count(Fault::duplicate, life.copies);
  count(Fault::reordered, life.reordered);
  find(life);
  record_drivers(life, o);
  const auto& carrier = carriers[static_cast<std::size_t>(life.carrier)].id;
  const auto& policy = service_levels[static_cast<std::size_t>(life.service)];
  if (shipments_ != nullptr) {
    const bool has_order = heard(life.order_heard);
    fmt::print(shipments_, "{},{},{},{},{},{},{},{},{}\n", life.shipment_id(), name(o.state), o.current_status,
               text(o.delivered_at), o.attempts, o.sla_status, has_order ? carrier : "", has_order ? policy.name : "",
               life.fault ? name(*life.fault) : "");
  }
  if (o.delivered_at != none && o.sla_status != "excluded") {
    OnTime& group = on_time_[{o.delivered_at / us_per_day, life.carrier}];
    ++group.delivered;
    ++(o.sla_status == "met" ? group.on_time : group.late);
    group.early += o.delivered_at < o.promise - policy.early_window_min * us_per_minute;
    group.first_attempt += o.attempts == 0;
  }
}

void Truth::find(const Life& life) {
  const auto id = life.shipment_id();
  const auto event = [&](int number) {
    return life.is_partner(options_) ? "F" + life.event_id(number).substr(1) : life.event_id(number);
  };
  for (const auto& planted : life.findings)
    finding(planted.check, id,
            planted.what == "event"     ? event(planted.number)
            : planted.what == "command" ? life.assignment_id(planted.number)
                                        : fmt::format("O{:09}-B", life.index));
  // Missing, unknown, orphan: whatever follows for each thing heard.
  const Micros as_of = options_.end();
  const auto too_late = [&](Micros known, Micros heard_at) {
    return as_of >= heard_at + grace && (known == none || known > heard_at + grace);
  };
  const auto judge = [&](Micros heard_at, bool needs_driver, int driver, const std::string& anchor) {
    if (needs_driver && (driver == nobody || (driver == ghost && too_late(life.ghost_heard, heard_at))))
      finding("missing_driver_id", id, anchor);
    if (too_late(life.order_heard, heard_at)) finding("orphan_event", id, anchor);
  };
  for (const Scan& s : life.scans)
    if (s.happened && heard(s.heard))
      judge(s.heard, s.taken && requires_driver(s.status), s.holder != nobody ? s.holder : s.driver,
            s.number == 0 ? "" : event(s.number));
  for (const Command& c : life.commands)
    if (c.happened && heard(c.heard))
      judge(c.heard, c.action != Action::unassign, c.driver, life.assignment_id(c.number));
  std::set<std::string> broken;
  for (const Telling& t : life.tellings) {
    if (t.of == Telling::Of::ghost_record) {
      if (pii_ != nullptr)
        plant(personal_data(options_.seed, static_cast<std::uint64_t>(world_.driver_count()) + life.index));
    } else if (t.of == Telling::Of::broken_scan) {
      std::string line;
      append_telling(line, world_, life, t);
      // A line cut before its ingest_time has copies of the very same bytes: one finding.
      if (broken.insert(line).second)
        finding(life.fault == Fault::unmapped_status ? "unmapped_status" : "contract_violation", id,
                hex(hash128(line)));
    }
  }
}

void Truth::record_drivers(const Life& life, const Outcome& o) {
  if (life.deleted || !options_.truth) return;
  for (const Scan& s : life.scans) {
    const int driver = s.holder != nobody ? s.holder : s.driver;
    if (!s.happened || !s.taken || !heard(s.heard) || !is_sampled(driver)) continue;
    if (s.status != Status::delivered && s.status != Status::delivery_attempted) continue;
    DriverDay& day = driver_days_[{driver, s.time / us_per_day}];
    ++(s.status == Status::delivered ? day.deliveries : day.attempts);
  }
  for (const Holding& h : life.holdings) {
    if (!is_sampled(h.driver) || !heard(h.from_heard)) continue;
    const bool closed = h.to != none && heard(h.to_heard);
    const Micros open_until = std::min(options_.end(), std::max(o.last_taken, h.from + 72 * us_per_hour));
    held_[h.driver].push_back({h.from, closed ? h.to : open_until});
  }
}

void Truth::write_driver_days() {
  for (auto& [driver, spans] : held_) {
    std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
    Micros covered = std::numeric_limits<Micros>::min();
    for (const Span& span : spans) {
      Micros from = std::max(span.from, covered);
      covered = std::max(covered, span.to);
      while (from < span.to) {
        const Micros midnight = (from / us_per_day + 1) * us_per_day, to = std::min(span.to, midnight);
        driver_days_[{driver, from / us_per_day}].assigned += to - from;
        from = to;
      }
    }
  }
  std::FILE* file = open(options_, "driver_days.csv", "driver_id,date,deliveries,attempts,assigned_s\n");
  for (const auto& [key, day] : driver_days_)
    fmt::print(file, "{},{},{},{},{}\n", world_.driver_id(key.first), date_text(key.second), day.deliveries,
               day.attempts, day.assigned / us_per_second);
  close(file);
}

void Truth::new_ping(Micros heard) {
  const auto [minute, is_new] = gps_minutes_.try_emplace(heard / us_per_minute, Minute{heard, heard, 0});
  Minute& m = minute->second;
  m.first = std::min(m.first, heard);
  m.last = std::max(m.last, heard);
  ++m.pings;
}

/// A gap longer than it should be, and whole days with less or more than usual (docs/semantics.md S6.7).
void Truth::find_in_the_feed(const Expectation& gps) {
  if (gps_minutes_.empty()) return;
  const Micros silent_after = gps.silent_after_min * us_per_minute;
  Micros last = gps_minutes_.begin()->second.last;
  std::map<std::int64_t, std::int64_t> days;
  for (const auto& [minute, m] : gps_minutes_) {
    if (m.first - last > silent_after) finding("source_silent", "gps", text(last));
    last = m.last;
    days[m.first / us_per_day] += m.pings;
  }
  if (options_.end() - last >= silent_after) finding("source_silent", "gps", text(last));
  const Micros since = gps_minutes_.begin()->second.first;
  for (std::int64_t day = since / us_per_day + 1; (day + 1) * us_per_day <= options_.end(); ++day)
    if (days[day] < gps.per_day_min || days[day] > gps.per_day_max) finding("volume_anomaly", "gps", date_text(day));
}

void Truth::finish(SimSummary& summary, const Expectation* gps) {
  if (gps) find_in_the_feed(*gps);
  if (injected_[static_cast<std::size_t>(Fault::schema_drift)] > 0) finding("schema_drift", "events", drifted_field);
  for (const auto& [check, n] : found_) summary.findings += n;
  summary.injected = injected_;
  if (!options_.truth) return;
  close(findings_), close(shipments_), close(pii_);
  std::FILE* file =
      open(options_, "on_time.csv", "delivery_date,carrier_id,delivered,on_time,late,early,first_attempt\n");
  for (const auto& [key, g] : on_time_)
    fmt::print(file, "{},{},{},{},{},{},{}\n", date_text(key.first), carriers[static_cast<std::size_t>(key.second)].id,
               g.delivered, g.on_time, g.late, g.early, g.first_attempt);
  close(file);
  write_driver_days();
  write_summary(summary, gps);
}

void Truth::write_summary(const SimSummary& s, const Expectation* gps) const {
  std::FILE* file = open(options_, "summary.json", "");
  fmt::print(file, "{{\n  \"seed\": {},\n  \"start\": \"{}\",\n  \"as_of\": \"{}\",\n  \"shipments\": {},\n",
             options_.seed, text(options_.start), text(options_.end()), options_.shipments);
  fmt::print(file,
             "  \"lines\": {{\"orders\": {}, \"drivers\": {}, \"events\": {}, \"assignments\": {}, \"gps\": {}, "
             "\"partner\": {}}},\n",
             s.orders, s.drivers, s.events, s.assignments, s.pings, s.partner_rows);
  if (gps)
    fmt::print(file, "  \"feeds\": {{\"gps\": {{\"silent_after_min\": {}, \"records_per_day\": [{}, {}]}}}},\n",
               gps->silent_after_min, gps->per_day_min, gps->per_day_max);
  const auto members = [&](const auto& pairs) {
    std::string out;
    for (const auto& [key, n] : pairs) out += fmt::format("{}\"{}\": {}", out.empty() ? "" : ", ", key, n);
    return out;
  };
  std::map<std::string_view, std::uint64_t> injected;
  for (std::size_t i = 0; i < fault_count; ++i) injected[fault_traits[i].name] = injected_[i];
  fmt::print(file, "  \"injected\": {{{}}},\n  \"findings\": {{{}}}\n}}\n", members(injected), members(found_));
  close(file);
}

}  // namespace ff::sim
