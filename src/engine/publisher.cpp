#include "engine/publisher.h"

#include <time.h>

#include <map>

#include "base/crash_point.h"
#include "base/time.h"
#include "engine/shipments_at_hand.h"
#include "lake/schema.h"

namespace ff {
namespace {

std::int64_t thread_cpu_us() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * us_per_second + t.tv_nsec / 1000;
}

}  // namespace

StageClock::StageClock(const std::function<void(const char*, std::int64_t)>& report, const char* name)
    : report_(report), name_(name), start_(thread_cpu_us()) {}
StageClock::~StageClock() {
  if (report_) report_(name_, thread_cpu_us() - start_);
}

Result<void> Publisher::publish(Commit& commit) {
  if (turn_) {
    FF_TRY(turn_->run(lake_, [&] { return transact(commit); }));
  } else if (auto done = transact(commit); !done.ok()) {
    lake_.rollback();
    return done.error();
  }
  pass_crash_point("lake_committed");
  FF_TRY(follow_with_state(commit));
  return mark_files_done(commit);
}

/// Whether this very commit has been made, by an attempt whose outcome nobody told us.
Result<bool> Publisher::is_in(const Commit& commit) {
  return FF_TRY(lake_.integer("select count(*) from ops.commits where publish_seq = " +
                              std::to_string(commit.publish_seq))) > 0;
}

/// An engine that is not alone in intention, but has been followed by another.
Result<void> Publisher::fence_engine(const Commit& commit) {
  const std::int64_t owner = FF_TRY(lake_.integer("select max(epoch) from ops.commits"));
  if (owner <= commit.epoch) return {};
  return Error{Recourse::halt, "fenced",
               "an engine with epoch " + std::to_string(owner) + " has taken this lake over from epoch " +
                   std::to_string(commit.epoch)};
}

/// Another engine owns the lake or one of the partitions, or has moved one of the marks: stop before writing.
Result<void> Publisher::fence(const Commit& commit) {
  if (!turn_) FF_TRY(fence_engine(commit));
  if (commit.reached.empty()) return {};
  std::string names;
  for (const Reached& r : commit.reached) names += (names.empty() ? "" : ", ") + sql_literal(r.name);
  const Table marks =
      FF_TRY(lake_.query("select partition, position, epoch from ops.marks where partition in (" + names + ")"));
  std::map<std::string, std::pair<std::string, std::string>> in_lake;
  for (const auto& row : marks.rows) in_lake[*row[0]] = {*row[1], *row[2]};
  for (const Reached& r : commit.reached) {
    const auto mark = in_lake.find(r.name);
    const std::string found = mark == in_lake.end() ? "0" : mark->second.first;
    const std::string owner = mark == in_lake.end() ? "0" : mark->second.second;
    if (turn_ && owner != std::to_string(r.epoch))
      return Error{Recourse::retry, "fenced",
                   "another worker has taken " + r.name + " over with epoch " + owner + " from our epoch " +
                       std::to_string(r.epoch) + "; what we hold of it is dropped"};
    if (found != std::to_string(r.before))
      return Error{Recourse::retry, "partition_moved",
                   "the lake has " + r.name + " at " + found + ", and we left it at " + std::to_string(r.before) +
                       ": another engine has read on; what we hold of it is dropped"};
  }
  return {};
}

Result<void> Publisher::transact(Commit& commit) {
  Staging& staging = commit.staging;
  FF_TRY(lake_.begin());
  if (turn_ && FF_TRY(is_in(commit))) return lake_.commit();
  FF_TRY(fence(commit));
  pass_crash_point("transaction_begun");
  {
    const StageClock clock(on_stage, "write raw");
    FF_TRY(write_deletes(lake_, {&staging.drift}));
    FF_TRY(write_inserts(lake_, staging.raw_tables()));
    pass_crash_point("raw_written");
  }
  {
    const StageClock clock(on_stage, "write core");
    FF_TRY(write_deletes(lake_, staging.core_tables()));
    pass_crash_point("core_deleted");
    FF_TRY(write_inserts(lake_, staging.core_tables()));
    pass_crash_point("core_written");
    FF_TRY(write_marks(commit));
    pass_crash_point("marks_written");
  }
  if (!turn_) staging.let_go();  // The lake has them now, and no other worker can make us write them again.
  {
    const StageClock clock(on_stage, "curate");
    FF_TRY(curate(commit));
  }
  const StageClock clock(on_stage, "commit");
  return lake_.commit();
}

/// A cycle brings curated to where core is; without one, what was touched is kept for the next.
Result<void> Publisher::curate(const Commit& commit) {
  if (!commit.follow) return note_touched(lake_, commit.staging.touched, commit.publish_seq);
  FF_TRY(set_clock(lake_, commit.as_of, options_.zone_name));
  FF_TRY(curator_.publish(lake_, commit.staging.touched, commit.curated_as_of, commit.as_of, commit.publish_seq,
                          shipments_at_hand(store_, contracts_), *commit.follow, commit.drivers_begun));
  pass_crash_point("curated_written");
  return {};
}

Result<void> Publisher::write_marks(const Commit& commit) {
  Rows keys("s"), rows("sissiis");
  for (const Reached& r : commit.reached) {
    keys.text(r.name);
    rows.text("*")
        .integer(0)
        .text(contracts_[r.feed].id)
        .text(r.name)
        .integer(r.mark.position)
        .integer(r.epoch)
        .text_or_null(r.mark.resume);
  }
  FF_TRY(lake_.run_with("delete from ops.marks t using batch b where t.partition = b.partition", keys, {"partition"}));
  FF_TRY(lake_.insert("ops.marks", rows));
  Rows row("iittiis");
  row.integer(commit.publish_seq)
      .integer(commit.epoch)
      .integer(commit.as_of)
      .integer(now_micros())
      .integer(commit.records)
      .integer(commit.refused)
      .text(options_.generation);
  return lake_.insert("ops.commits", row);
}

Result<void> Publisher::follow_with_state(const Commit& commit) {
  const StageClock clock(on_stage, "write state");
  // What curated has still to judge stays at hand, however far its cycles are behind in the time that facts tell.
  FF_TRY(store_.write_staged(turn_ || commit.follow ? commit.as_of : commit.curated_as_of));
  pass_crash_point("state_written");
  if (++commits_since_flush_ < options_.state_flush_commits) return {};
  commits_since_flush_ = 0;
  FF_TRY(store_.flush());
  pass_crash_point("state_flushed");
  return {};
}

/// Nothing of these files has to be kept for us.
Result<void> Publisher::mark_files_done(const Commit& commit) {
  Rows done("si");
  for (const Reached& r : commit.reached)
    if (r.file_done) done.text(r.name).integer(r.mark.position);
  FF_TRY(
      lake_.run_with("update ops.files t set done = true, records = b.records, refused = (select count(*) from "
                     "ops.quarantine q where q.partition = b.path) from batch b where t.path = b.path",
                     done, {"path", "records"}));
  if (!done.empty()) pass_crash_point("confirmed");
  return {};
}

}  // namespace ff
