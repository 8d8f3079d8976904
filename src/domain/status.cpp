#include "domain/status.h"

#include <array>
#include <string>

#include "base/result.h"
#include "embedded/statuses_csv.h"
#include "embedded/transitions_csv.h"

namespace ff {
namespace {

constexpr std::array<std::string_view, 6> effect_names = {"apply", "flag", "repeat", "reject", "exception", "ignored"};

/// Calls `row` with the fields of each line of a small CSV without quotes, header skipped.
template <std::size_t N, class F>
void each_row(std::string_view csv, F row) {
  bool header = true;
  while (!csv.empty()) {
    const auto end = csv.find('\n');
    std::string_view line = csv.substr(0, end);
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (std::exchange(header, false) || line.empty()) continue;
    std::array<std::string_view, N> fields;
    for (auto& field : fields) {
      const auto comma = line.find(',');
      field = line.substr(0, comma);
      line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
    }
    row(fields);
  }
}

struct Tables {
  std::array<std::string_view, status_count> names;
  std::array<StatusTraits, status_count> traits;
  std::array<std::array<Effect, status_count>, status_count> effects;

  Tables() {
    std::size_t count = 0;
    each_row<4>(embedded::statuses_csv, [&](const auto& f) {
      FF_CHECK(count < status_count);
      names[count] = f[0];
      traits[count++] = {std::stoi(std::string(f[1])), f[2] == "true", f[3] == "true"};
    });
    FF_CHECK(count == status_count && names[created] == "created" && names[exception] == "exception" &&
             names[lost] == "lost");
    for (auto& row : effects) row.fill(Effect::reject);
    std::size_t pairs = 0;
    each_row<3>(embedded::transitions_csv, [&](const auto& f) {
      for (std::size_t e = 0; e < 4; ++e)
        if (effect_names[e] == f[2]) effects[index(f[0])][index(f[1])] = static_cast<Effect>(e), ++pairs;
    });
    FF_CHECK(pairs == (status_count - 1) * (status_count - 1));
  }

  std::size_t index(std::string_view status) const {
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == status) return i;
    check_failed("a status of transitions.csv is not in statuses.csv", __FILE__, __LINE__);
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

}  // namespace

std::string_view name(Effect effect) { return effect_names[static_cast<std::size_t>(effect)]; }
std::string_view status_name(StatusId status) { return tables().names[status]; }
const StatusTraits& traits(StatusId status) { return tables().traits[status]; }
Effect transition(StatusId from, StatusId to) { return tables().effects[from][to]; }

std::optional<StatusId> status_from_name(std::string_view text) {
  for (StatusId i = 0; i < status_count; ++i)
    if (tables().names[i] == text) return i;
  return std::nullopt;
}

}  // namespace ff
