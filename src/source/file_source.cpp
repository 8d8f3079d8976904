#include "source/file_source.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

namespace ff {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t queued_batches_max = 4;

/// What one feed's thread and the poller share.
struct Lane {
  std::deque<SourceBatch> queue;
  bool finished = false;
  std::optional<Error> error;
};

struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::uint32_t, Lane> lanes;  ///< by feed; the map itself does not change while threads run
  bool stopping = false;
};

constexpr const char* stopped = "source_stopped";

/// Puts one file's batches into its lane; stops at the first record heard of after `as_of_max`. A refused record that
/// does not even say when it was heard of (its ingest_time is the file's arrival) comes along with its neighbours.
class LaneSink : public Sink {
 public:
  LaneSink(Shared& shared, const FilePart& part, Micros as_of_max)
      : shared_(shared), part_(part), as_of_max_(as_of_max) {}

  Result<void> accept(Batch batch) override {
    bool cut = false;
    for (std::size_t i = 0; i < batch.records.size() && !cut; ++i)
      if (const Micros heard = batch.records[i].from().ingest_time;
          heard > as_of_max_ && (batch.records[i].fact() || heard != part_.file.arrived_at)) {
        // All facts of a record stay together: drop the neighbours of the same position too.
        const std::int64_t position = batch.records[i].from().position;
        while (i > 0 && batch.records[i - 1].from().position == position) --i;
        batch.records.resize(i);
        cut = true;
      }
    if (!batch.records.empty() || !batch.drifts.empty()) {
      const std::int64_t last = batch.records.empty() ? part_.after : batch.records.back().from().position;
      if (!push({std::move(batch), part_.feed, part_.file.partition, last, {}, false}))
        return Error{Recourse::retry, stopped, "stopped"};
    }
    if (cut) {
      reached_as_of_ = true;
      return Error{Recourse::retry, stopped, "as_of reached"};
    }
    return {};
  }

  bool push(SourceBatch batch) {
    std::unique_lock lock(shared_.mutex);
    Lane& lane = shared_.lanes[part_.feed];
    shared_.changed.wait(lock, [&] { return shared_.stopping || lane.queue.size() < queued_batches_max; });
    if (shared_.stopping) return false;
    lane.queue.push_back(std::move(batch));
    shared_.changed.notify_all();
    return true;
  }

  bool reached_as_of() const { return reached_as_of_; }

 private:
  Shared& shared_;
  const FilePart& part_;
  Micros as_of_max_;
  bool reached_as_of_ = false;
};

}  // namespace

Result<std::vector<FoundFile>> find_files(const std::string& folder, const ContractSet& contracts) {
  std::error_code error;
  std::vector<FoundFile> files;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator();
       it.increment(error)) {
    if (!it->is_regular_file()) continue;
    const std::string path = fs::relative(it->path(), folder).string();
    if (const auto feed = contracts.feed_of(path))
      files.push_back({path, *feed, static_cast<std::int64_t>(it->file_size())});
  }
  if (error)
    return Error{Recourse::halt, "input_unreadable",
                 "input folder " + folder + ": " + error.message() + "; set --input"};
  std::sort(files.begin(), files.end(), [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
  return files;
}

struct FileSource::Impl {
  Shared shared;
  std::vector<std::vector<FilePart>> parts;  ///< by lane
  std::vector<std::thread> threads;

  ~Impl() {
    {
      const std::lock_guard lock(shared.mutex);
      shared.stopping = true;
    }
    shared.changed.notify_all();
    for (auto& t : threads) t.join();
  }

  void read(Decoder& decoder, const std::vector<FilePart>& files, Micros as_of_max) {
    std::optional<Error> error;
    for (const FilePart& part : files) {
      LaneSink sink(shared, part, as_of_max);
      auto stats = decoder.decode(part.file, part.after, sink);
      if (!stats.ok() && sink.reached_as_of()) continue;  // The rest of this file is for a later run.
      if (!stats.ok()) {
        if (stats.error().cause != stopped) error = stats.error();
        break;
      }
      if (!sink.push(
              {Batch(), part.feed, part.file.partition, std::max(part.after, stats.value().last_position), {}, true}))
        break;
    }
    const std::lock_guard lock(shared.mutex);
    shared.lanes[files.front().feed].finished = true;
    shared.lanes[files.front().feed].error = std::move(error);
    shared.changed.notify_all();
  }
};

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileSource::~FileSource() = default;

Result<std::unique_ptr<FileSource>> FileSource::start(const ContractSet& contracts, const PseudonymKey& key,
                                                      std::vector<FilePart> parts, Micros as_of_max) {
  auto impl = std::make_unique<Impl>();
  std::map<std::uint32_t, std::vector<FilePart>> by_feed;
  for (FilePart& part : parts) by_feed[part.feed].push_back(std::move(part));
  std::vector<std::unique_ptr<Decoder>> decoders;
  for (auto& [feed, files] : by_feed) {
    decoders.push_back(FF_TRY(make_decoder(contracts[feed], feed, key)));
    impl->shared.lanes[feed];
    impl->parts.push_back(std::move(files));
  }
  for (std::size_t i = 0; i < decoders.size(); ++i)
    impl->threads.emplace_back([i = impl.get(), &files = impl->parts[i],
                                decoder = std::shared_ptr<Decoder>(std::move(decoders[i])),
                                as_of_max] { i->read(*decoder, files, as_of_max); });
  return std::unique_ptr<FileSource>(new FileSource(std::move(impl)));
}

bool FileSource::is_finished() const {
  const std::lock_guard lock(impl_->shared.mutex);
  return std::all_of(impl_->shared.lanes.begin(), impl_->shared.lanes.end(),
                     [](const auto& l) { return l.second.finished && l.second.queue.empty() && !l.second.error; });
}

Result<std::optional<SourceBatch>> FileSource::poll(std::chrono::milliseconds wait) {
  Shared& shared = impl_->shared;
  std::unique_lock lock(shared.mutex);
  const bool is_ready = shared.changed.wait_for(lock, wait, [&] {
    return std::all_of(shared.lanes.begin(), shared.lanes.end(),
                       [](const auto& l) { return l.second.finished || !l.second.queue.empty(); });
  });
  if (!is_ready) return std::optional<SourceBatch>();
  Lane* first = nullptr;
  Micros first_heard = 0;
  for (auto& [feed, lane] : shared.lanes) {
    if (lane.queue.empty()) {
      if (lane.error) return *lane.error;
      continue;
    }
    const auto& records = lane.queue.front().batch.records;
    const Micros heard = records.empty() ? none : records.front().from().ingest_time;
    if (!first || heard < first_heard) first = &lane, first_heard = heard;
  }
  if (!first) return std::optional<SourceBatch>();
  SourceBatch batch = std::move(first->queue.front());
  first->queue.pop_front();
  shared.changed.notify_all();
  return std::optional<SourceBatch>(std::move(batch));
}

}  // namespace ff
