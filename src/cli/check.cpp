#include "cli/check.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <limits>
#include <map>

#include "base/time.h"
#include "cli/query.h"
#include "source/file_source.h"

namespace ff::cli {

Result<void> check_folder(const std::string& input, const ContractSet& contracts) {
  struct Feed {
    std::int64_t files = 0, bytes = 0, facts = 0, refused = 0;
  };
  std::map<std::uint32_t, Feed> feeds;
  std::vector<FilePart> parts;
  std::vector<std::string> paths;
  for (const FoundFile& file : FF_TRY(find_files(input, contracts))) {
    ++feeds[file.feed].files;
    feeds[file.feed].bytes += file.bytes;
    parts.push_back({file.feed, {input + "/" + file.path, static_cast<std::uint32_t>(paths.size()), now_micros()}, 0});
    paths.push_back(file.path);
  }
  struct Reason {
    std::int64_t count = 0;
    std::string where, detail;
  };
  std::map<std::pair<std::string, std::string>, Reason> reasons;
  const PseudonymKey key = FF_TRY(PseudonymKey::from_environment());
  const auto start = std::chrono::steady_clock::now();
  const auto source = FF_TRY(FileSource::start(contracts, key, std::move(parts), std::numeric_limits<Micros>::max()));
  std::int64_t records = 0;
  while (!source->is_finished()) {
    const auto next = FF_TRY(source->poll(std::chrono::seconds(1)));
    if (!next) continue;
    Feed& feed = feeds[next->feed];
    records += static_cast<std::int64_t>(next->batch.records.size());
    for (const Decoded& d : next->batch.records) {
      const Refusal* const refusal = d.refusal();
      ++(refusal ? feed.refused : feed.facts);
      if (!refusal) continue;
      Reason& reason = reasons[{refusal->reason, refusal->field}];
      if (reason.count++ == 0)
        reason = {1, paths[refusal->from.partition] + ":" + std::to_string(refusal->from.position), refusal->detail};
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  Table table{{"feed", "files", "bytes", "facts", "refused"}, {}};
  for (const auto& [feed, f] : feeds)
    table.rows.push_back({contracts[feed].id, std::to_string(f.files), std::to_string(f.bytes), std::to_string(f.facts),
                          std::to_string(f.refused)});
  print_table(table);
  std::printf("%lld facts and refusals in %.2f s, %.0f a second\n", static_cast<long long>(records), seconds,
              static_cast<double>(records) / std::max(seconds, 1e-6));
  if (reasons.empty()) return {};
  std::cout << "\n";
  Table refused{{"reason", "field", "count", "first", "detail"}, {}};
  for (const auto& [what, r] : reasons)
    refused.rows.push_back({what.first, what.second, std::to_string(r.count), r.where, r.detail});
  print_table(refused);
  return {};
}

}  // namespace ff::cli
