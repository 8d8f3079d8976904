/// Rows of ours, lent to SQL as the table `staged(ID)` (staged.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lake/rows.h"

namespace ff {

/// Lends `rows` under a number, until destroyed. Rows and the statement's result must not outlive it.
class Lent {
 public:
  Lent(const Rows& rows, const std::vector<std::string>& columns);
  ~Lent();
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  std::int64_t id() const { return id_; }

 private:
  std::int64_t id_;
};

}  // namespace ff
