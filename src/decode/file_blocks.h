/// A file as blocks of whole records, in bounded memory: what a reader left over (the beginning of a record) comes back
/// at the front of the next block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "contract/contract.h"

namespace ff {

/// A record that is longer than a block is refused (oversized_record).
inline constexpr std::size_t block_bytes = 1 << 20;
/// Readable bytes behind a block's text, for parsers that read in strides (simdjson asks for 64).
inline constexpr std::size_t block_padding = 64;

struct Block {
  std::unique_ptr<char[]> bytes;
  std::string_view text;
  bool is_last = false;  ///< the file ends with this text
};

class FileBlocks {
 public:
  /// Error: retry `unreadable_file`.
  static Result<FileBlocks> open(const std::string& path, Encoding encoding);
  FileBlocks(FileBlocks&& other) noexcept
      : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)), encoding_(other.encoding_) {}
  ~FileBlocks();

  /// `rest`: the tail of the block before that was not consumed; shorter than a block. Latin-1 becomes UTF-8, and a
  /// UTF-8 byte order mark at the beginning is left out.
  Result<Block> next(std::string_view rest);
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  FileBlocks(int file, std::string path, Encoding encoding)
      : file_(file), path_(std::move(path)), encoding_(encoding) {}
  int file_ = -1;
  std::string path_;
  Encoding encoding_;
  std::int64_t bytes_read_ = 0;
};

}  // namespace ff
