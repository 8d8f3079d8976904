/// Lines of one feed, given in any order within a slice of time, written as files in the order of arrival.
///
/// Always: lines within a slice come out by (heard, tie); slices follow each other. A file ends after `lines_max` lines or
/// at a multiple of `file_hours` of the day; an empty stretch makes no file. Memory: one slice of text.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "domain/fact.h"

namespace ff::sim {

class FeedWriter {
 public:
  struct Shape {
    std::filesystem::path folder;
    std::string name, suffix = "ndjson";
    std::string header = {};  ///< of each file, for CSV
    std::uint64_t lines_max = 1'000'000;
    Micros span = 6 * 3'600'000'000LL;
  };
  explicit FeedWriter(Shape shape) : shape_(std::move(shape)) {}
  FeedWriter(const FeedWriter&) = delete;
  FeedWriter& operator=(const FeedWriter&) = delete;
  ~FeedWriter() {
    if (file_ != nullptr) std::fclose(file_);
  }

  /// Append the line to what this returns, then call end_line.
  std::string& text() { return text_; }
  /// `tie` orders lines that are heard at one moment; no two lines of a feed have the same (heard, tie).
  void end_line(Micros heard, std::uint64_t tie);

  /// Writes the lines so far. Later lines are heard later.
  void flush_slice();
  /// The file so far ends with half a line, as when a transfer broke. No effect on a feed without a file.
  void cut_short(std::string_view half_a_line);
  /// One more file, without a byte.
  void add_empty_file();
  void close();

  std::uint64_t lines() const { return lines_; }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t files() const { return files_; }

 private:
  struct Line {
    Micros heard;
    std::uint64_t tie;
    std::uint32_t begin, length;
  };
  void open(Micros heard);
  void write_out();

  Shape shape_;
  std::string text_, out_;
  std::vector<Line> pending_;
  std::size_t line_begin_ = 0;
  std::FILE* file_ = nullptr;
  Micros file_span_ = 0;
  std::uint64_t file_lines_ = 0, lines_ = 0, bytes_ = 0, files_ = 0;
};

}  // namespace ff::sim
