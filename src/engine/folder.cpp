#include "engine/folder.h"

#include "base/crash_point.h"
#include "base/integer.h"
#include "base/time.h"

namespace ff {

Result<std::vector<FilePart>> unread_files(Lake& lake, const std::string& folder, const ContractSet& contracts,
                                           Partitions& partitions, const std::map<std::string, Mark>& marks) {
  struct Known {
    Micros arrived_at;
    std::int64_t bytes;
    bool done;
  };
  std::map<std::string, Known> known;
  const Table table = FF_TRY(lake.query("select path, epoch_us(ingest_time), bytes, done from ops.files"));
  for (const auto& row : table.rows) known[*row[0]] = {to_integer(row[1]), to_integer(row[2]), row[3] == "true"};

  Rows arrivals("sssistbii");
  std::vector<FilePart> unread;
  const Micros now = now_micros();
  for (const FoundFile& file : FF_TRY(find_files(folder, contracts))) {
    const auto [it, is_new] = known.emplace(file.path, Known{now, file.bytes, false});
    if (is_new)
      arrivals.text(contracts[file.feed].id)
          .text(file.path)
          .text(file.path)
          .integer(file.bytes)
          .null()
          .integer(now)
          .boolean(false)
          .integer(0)
          .integer(0);
    else if (it->second.bytes != file.bytes)
      return Error{Recourse::halt, "file_changed",
                   "the file " + file.path + " had " + std::to_string(it->second.bytes) +
                       " bytes when it arrived and has " + std::to_string(file.bytes) +
                       " now; a landed file is immutable: give the new content a new name"};
    if (it->second.done) continue;
    const auto mark = marks.find(file.path);
    unread.push_back({file.feed,
                      {folder + "/" + file.path, partitions.id_of(file.path), it->second.arrived_at},
                      mark == marks.end() ? 0 : mark->second.position});
  }
  FF_TRY(lake.insert("ops.files", arrivals));
  pass_crash_point("files_noted");
  return unread;
}

}  // namespace ff
