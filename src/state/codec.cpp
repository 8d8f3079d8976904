#include "state/codec.h"

#include <algorithm>

namespace ff {
namespace {

constexpr char shipment_format = 2, driver_format = 1, pings_format = 3;
constexpr std::uint64_t has_speed = 1, has_way = 2;  ///< of a ping

/// Varints, zig-zag integers and a table of the texts used, each written at its first use.
class Writer {
 public:
  explicit Writer(char format) : out_(1, format) {}

  void number(std::uint64_t n) {
    for (; n >= 128; n >>= 7) out_ += static_cast<char>(n | 128);
    out_ += static_cast<char>(n);
  }
  void integer(std::int64_t n) { number((static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63)); }
  /// Times lie near each other: each is written as the step from the one before. `none` stays itself by wrapping.
  void time(Micros t) {
    integer(static_cast<std::int64_t>(static_cast<std::uint64_t>(t) -
                                      static_cast<std::uint64_t>(std::exchange(last_time_, t))));
  }
  void optional_time(Micros t) {
    number(t != none);
    if (t != none) time(t);
  }
  void bytes(std::string_view text) {
    number(text.size());
    out_ += text;
  }
  /// 0 means new: the text follows and gets the next number.
  void text(std::string_view text) {
    for (std::size_t i = texts_.size(); i-- > 0;)
      if (texts_[i] == text) return number(i + 1);
    number(0);
    bytes(text);
    texts_.push_back(text);
  }
  void version(const Version& v) {
    if (v == Version{}) return number(0);
    number(1);
    integer(v.authority_rank);
    integer(v.epoch);
    integer(v.ordinal);
    integer(v.ordinal_minor);
  }
  void from(const Provenance& p) {
    number(p.feed);
    number(p.partition);
    integer(p.position);
    time(p.ingest_time);
  }
  /// No larger than it has to be: a commit keeps tens of thousands of them.
  std::string take() {
    out_.shrink_to_fit();
    return std::move(out_);
  }

 private:
  std::string out_;
  std::vector<std::string_view> texts_;
  Micros last_time_ = 0;
};

/// Reads what Writer wrote; `failed()` once anything ran past the end, after which all values are empty.
class Reader {
 public:
  Reader(std::string_view in, char format) : in_(in) {
    if (in_.empty() || in_[0] != format)
      failed_ = true;
    else
      in_.remove_prefix(1);
  }

  bool failed() const { return failed_; }
  bool at_end() const { return in_.empty(); }
  std::string_view rest() const { return in_; }

  std::uint64_t number() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) break;
      const auto byte = static_cast<unsigned char>(in_[0]);
      in_.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) return n;
    }
    failed_ = true;
    return 0;
  }
  /// A count of things each at least one byte long.
  std::size_t count() {
    const std::uint64_t n = number();
    if (n <= in_.size()) return n;
    failed_ = true;
    return 0;
  }
  std::int64_t integer() {
    const std::uint64_t n = number();
    return static_cast<std::int64_t>((n >> 1) ^ (~(n & 1) + 1));
  }
  Micros time() {
    return last_time_ =
               static_cast<Micros>(static_cast<std::uint64_t>(last_time_) + static_cast<std::uint64_t>(integer()));
  }
  Micros optional_time() { return number() ? time() : none; }
  std::string_view bytes() {
    const std::size_t n = count();
    const std::string_view text = in_.substr(0, n);
    in_.remove_prefix(n);
    return text;
  }
  std::string_view text() {
    const std::uint64_t n = number();
    if (n == 0) return texts_.emplace_back(bytes());
    if (n <= texts_.size()) return texts_[n - 1];
    failed_ = true;
    return {};
  }
  Version version() {
    if (number() == 0) return {};
    Version v;
    v.authority_rank = static_cast<std::int32_t>(integer());
    v.epoch = static_cast<std::int32_t>(integer());
    v.ordinal = integer();
    v.ordinal_minor = static_cast<std::int32_t>(integer());
    return v;
  }
  Provenance from() {
    Provenance p;
    p.feed = static_cast<std::uint32_t>(number());
    p.partition = static_cast<std::uint32_t>(number());
    p.position = integer();
    p.ingest_time = time();
    return p;
  }

 private:
  std::string_view in_;
  std::vector<std::string_view> texts_;
  Micros last_time_ = 0;
  bool failed_ = false;
};

struct Head {
  Micros expires_at = 0;
  Stub stub;
};

template <class... Tellings>
void write_head(Writer& out, Micros hot_for, const Tellings&... lists) {
  Stub stub;
  const auto count = [&](const auto& tellings) {
    stub.tellings += static_cast<std::int64_t>(tellings.size());
    for (const auto& t : tellings) {
      const Micros heard = t.from.ingest_time;
      stub.last_heard = stub.first_heard == none ? heard : std::max(stub.last_heard, heard);
      stub.first_heard = stub.first_heard == none ? heard : std::min(stub.first_heard, heard);
    }
  };
  (count(lists), ...);
  out.time(stub.last_heard + hot_for);
  out.time(stub.last_heard);
  out.optional_time(stub.first_heard);
  out.integer(stub.tellings);
}

Head read_head(Reader& in) {
  Head head;
  head.expires_at = in.time();
  head.stub.last_heard = in.time();
  head.stub.first_heard = in.optional_time();
  head.stub.tellings = in.integer();
  return head;
}

/// Calls `use(head, rest)` if `bytes` begin with a head.
template <class Use>
auto with_head(std::string_view bytes, Use use) -> decltype(use(Head(), bytes)) {
  const char format = bytes.empty() ? '\0' : bytes[0];
  if (format != shipment_format && format != pings_format) return std::nullopt;
  Reader in(bytes, format);
  const Head head = read_head(in);
  if (in.failed()) return std::nullopt;
  return use(head, in.rest());
}

Result<void> finish(const Reader& in, const char* what) {
  if (!in.failed() && in.at_end()) return {};
  return Error{Recourse::halt, "state_damaged",
               std::string("the state of a ") + what +
                   " does not decode; remove the state directory and start again: it is rebuilt from the lake"};
}

}  // namespace

std::optional<Stub> stub_of(std::string_view bytes) {
  return with_head(bytes, [](const Head& head, std::string_view rest) {
    return rest.empty() ? std::optional(head.stub) : std::nullopt;
  });
}

std::optional<std::string_view> expired(std::string_view bytes, Micros as_of) {
  return with_head(bytes, [&](const Head& head, std::string_view rest) {
    return rest.empty() || as_of < head.expires_at ? std::nullopt
                                                   : std::optional(bytes.substr(0, bytes.size() - rest.size()));
  });
}

std::string encode(const ShipmentFacts& facts, Micros hot_for) {
  Writer out(shipment_format);
  write_head(out, hot_for, facts.claims, facts.events, facts.commands);
  out.number(facts.claims.size());
  for (const ClaimTelling& c : facts.claims) {
    for (auto text :
         {c.name_space, c.order_ref, c.customer_id, c.carrier_id, c.service_level, c.origin_hub, c.destination_hub})
      out.text(text);
    out.time(c.created_at);
    out.optional_time(c.promised_pickup_by);
    out.optional_time(c.promised_delivery_by);
    out.number(c.is_deleted);
    out.version(c.version);
    out.from(c.from);
  }
  out.number(facts.events.size());
  for (const EventTelling& e : facts.events) {
    out.text(e.name_space);
    out.bytes(e.event_id);
    out.text(e.driver_key);
    out.text(e.facility);
    out.text(e.reason);
    out.time(e.event_time);
    out.number(static_cast<std::uint64_t>(e.status) << 2 | static_cast<std::uint64_t>(e.is_retracted) << 1 |
               (e.driving_s != none));
    if (e.driving_s != none) out.integer(e.driving_s);
    out.version(e.version);
    out.from(e.from);
  }
  out.number(facts.commands.size());
  for (const CommandTelling& c : facts.commands) {
    out.text(c.name_space);
    out.bytes(c.assignment_id);
    out.text(c.driver_key);
    out.number(static_cast<std::uint64_t>(c.action) << 1 | c.is_deleted);
    out.time(c.effective_at);
    out.version(c.version);
    out.from(c.from);
  }
  return out.take();
}

Result<void> decode(std::string_view bytes, ShipmentFacts& facts) {
  facts.clear();
  Reader in(bytes, shipment_format);
  read_head(in);
  facts.claims.resize(in.count());
  for (ClaimTelling& c : facts.claims) {
    for (auto* text : {&c.name_space, &c.order_ref, &c.customer_id, &c.carrier_id, &c.service_level, &c.origin_hub,
                       &c.destination_hub})
      *text = in.text();
    c.created_at = in.time();
    c.promised_pickup_by = in.optional_time();
    c.promised_delivery_by = in.optional_time();
    c.is_deleted = in.number() != 0;
    c.version = in.version();
    c.from = in.from();
  }
  facts.events.resize(in.count());
  for (EventTelling& e : facts.events) {
    e.name_space = in.text();
    e.event_id = in.bytes();
    e.driver_key = in.text();
    e.facility = in.text();
    e.reason = in.text();
    e.event_time = in.time();
    const std::uint64_t bits = in.number();
    e.status = static_cast<StatusId>(bits >> 2);
    e.is_retracted = bits & 2;
    e.driving_s = bits & 1 ? in.integer() : none;
    e.version = in.version();
    e.from = in.from();
    if (e.status >= status_count)
      return Error{Recourse::halt, "state_damaged",
                   "the state of a shipment names an unknown status; remove the state directory and start again"};
  }
  facts.commands.resize(in.count());
  for (CommandTelling& c : facts.commands) {
    c.name_space = in.text();
    c.assignment_id = in.bytes();
    c.driver_key = in.text();
    const std::uint64_t bits = in.number();
    c.action = static_cast<Action>(bits >> 1);
    c.is_deleted = bits & 1;
    c.effective_at = in.time();
    c.version = in.version();
    c.from = in.from();
  }
  return finish(in, "shipment");
}

std::string encode(const DriverFacts& facts) {
  Writer out(driver_format);
  out.number(facts.tellings.size());
  for (const DriverTelling& d : facts.tellings) {
    out.text(d.home_hub);
    out.number(d.is_deleted);
    out.version(d.version);
    out.from(d.from);
  }
  return out.take();
}

Result<void> decode(std::string_view bytes, DriverFacts& facts) {
  facts.tellings.clear();
  Reader in(bytes, driver_format);
  facts.tellings.resize(in.count());
  for (DriverTelling& d : facts.tellings) {
    d.home_hub = in.text();
    d.is_deleted = in.number() != 0;
    d.version = in.version();
    d.from = in.from();
  }
  return finish(in, "driver");
}

std::string encode(const DayPings& day, Micros hot_for) {
  Writer out(pings_format);
  write_head(out, hot_for, day.pings);
  out.number(day.pings.size());
  for (const PingTelling& p : day.pings) {
    out.text(p.device_id);
    out.time(p.event_time);
    out.integer(p.latitude_e7);
    out.integer(p.longitude_e7);
    out.number((p.speed_mm_s != none ? has_speed : 0) | (p.way_cm != none ? has_way : 0));
    if (p.speed_mm_s != none) out.integer(p.speed_mm_s);
    if (p.way_cm != none) out.integer(p.way_cm);
    out.from(p.from);
  }
  return out.take();
}

Result<void> decode(std::string_view bytes, DayPings& day) {
  day.pings.clear();
  Reader in(bytes, pings_format);
  read_head(in);
  day.pings.resize(in.count());
  for (PingTelling& p : day.pings) {
    p.device_id = in.text();
    p.event_time = in.time();
    p.latitude_e7 = static_cast<std::int32_t>(in.integer());
    p.longitude_e7 = static_cast<std::int32_t>(in.integer());
    const std::uint64_t has = in.number();
    p.speed_mm_s = has & has_speed ? in.integer() : none;
    p.way_cm = has & has_way ? in.integer() : none;
    p.from = in.from();
  }
  return finish(in, "driver's day");
}

}  // namespace ff
