#include "domain/driver.h"

#include "domain/tellings_internal.h"

namespace ff {

bool DriverFacts::add(const DriverTelling& telling) { return add_telling(tellings, telling); }

DriverRow fold(const DriverFacts& facts) {
  DriverRow row;
  if (facts.tellings.empty()) return row;
  row.exists = true;
  row.told = winner_of(facts.tellings.data(), facts.tellings.data() + facts.tellings.size(), row.chain,
                       static_cast<std::vector<DriverTelling>*>(nullptr));
  return row;
}

}  // namespace ff
