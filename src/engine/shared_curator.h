/// The one curator of a lake that several workers share: recomputes curated tables, findings and deadlines for all that the
/// workers' commits touched.
///
/// Each worker runs one of these; the lease in ops.leases says which of them works. Its holder renews it before each cycle;
/// when it has not, for longer than its last cycles take, another takes it over with a greater epoch. The lease only keeps
/// two from doing the same work. What keeps the tables right is that each cycle replaces ops.clock: of two cycles that
/// overlap one is refused by the catalog, and is done again over what the other left.
///
/// A cycle reads what the workers write and writes nothing that they write, so they go on meanwhile; it takes a turn to begin,
/// when no commit is half visible, and one to commit. What it has done is crossed off ops.touched afterwards, in a
/// transaction of its own. A crash in between repeats work, no more.
/// Threads: one of its own, with a connection of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "curate/curator.h"
#include "engine/turn.h"
#include "lake/lake.h"

namespace ff {

class SharedCurator {
 public:
  struct Options {
    std::string zone_name, generation;
    std::chrono::seconds interval{5};  ///< between two cycles
    Curator::Views views = Curator::Views::as_tables;
  };
  /// `lake` is a connection of its own.
  static Result<std::unique_ptr<SharedCurator>> start(std::unique_ptr<Lake> lake, std::unique_ptr<Turn> turn,
                                                      Curator curator, Options options);
  /// Ends after the cycle under way, and gives the lease back.
  ~SharedCurator();

  /// Why it ended by itself; ok: it has not. Another engine has to be opened then.
  Result<void> state() const;

 private:
  struct Impl;
  explicit SharedCurator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ff
