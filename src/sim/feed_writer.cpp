#include "sim/feed_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace ff::sim {
namespace {
constexpr std::size_t chunk_bytes = 1 << 20;
}

void FeedWriter::end_line(Micros heard, std::uint64_t tie) {
  pending_.push_back(
      {heard, tie, static_cast<std::uint32_t>(line_begin_), static_cast<std::uint32_t>(text_.size() - line_begin_)});
  line_begin_ = text_.size();
}

void FeedWriter::flush_slice() {
  std::sort(pending_.begin(), pending_.end(),
            [](const Line& a, const Line& b) { return a.heard != b.heard ? a.heard < b.heard : a.tie < b.tie; });
  for (const Line& line : pending_) {
    if (file_ == nullptr || file_lines_ == shape_.lines_max || line.heard / shape_.span != file_span_) open(line.heard);
    out_.append(text_, line.begin, line.length);
    out_ += '\n';
    ++file_lines_, ++lines_;
    if (out_.size() >= chunk_bytes) write_out();
  }
  pending_.clear();
  text_.clear();
  line_begin_ = 0;
}

void FeedWriter::cut_short(std::string_view half_a_line) {
  if (file_ != nullptr) out_ += half_a_line;
}

void FeedWriter::add_empty_file() {
  open(0);
  close();
}

void FeedWriter::open(Micros heard) {
  close();
  const auto path = shape_.folder / fmt::format("{}-{:04}.{}", shape_.name, ++files_, shape_.suffix);
  file_ = std::fopen(path.c_str(), "wb");
  if (file_ == nullptr) throw std::system_error(errno, std::generic_category(), path.string());
  file_span_ = heard / shape_.span;
  file_lines_ = 0;
  if (!shape_.header.empty()) out_ += shape_.header + "\n";
}

void FeedWriter::write_out() {
  if (std::fwrite(out_.data(), 1, out_.size(), file_) != out_.size())
    throw std::system_error(errno, std::generic_category(), shape_.name + ": write");
  bytes_ += out_.size();
  out_.clear();
}

void FeedWriter::close() {
  if (file_ == nullptr) return;
  write_out();
  std::FILE* file = std::exchange(file_, nullptr);
  if (std::fclose(file) != 0) throw std::system_error(errno, std::generic_category(), shape_.name + ": close");
}

}  // namespace ff::sim
