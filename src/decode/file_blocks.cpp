#include "decode/file_blocks.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace ff {

Result<FileBlocks> FileBlocks::open(const std::string& path, Encoding encoding) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Error{Recourse::retry, "unreadable_file", path + ": " + std::strerror(errno)};
  return FileBlocks(file, path, encoding);
}

FileBlocks::~FileBlocks() {
  if (file_ >= 0) ::close(file_);
}

Result<Block> FileBlocks::next(std::string_view rest) {
  FF_CHECK(rest.size() < block_bytes);
  const bool first = bytes_read_ == 0;
  Block block;
  block.bytes = std::make_unique_for_overwrite<char[]>(block_bytes + block_padding);
  char* const begin = block.bytes.get();
  std::memcpy(begin, rest.data(), rest.size());
  // A Latin-1 character takes up to two bytes: read into the upper half of the room and widen downwards.
  const std::size_t room = block_bytes - rest.size();
  const std::size_t wanted = encoding_ == Encoding::latin1 ? room / 2 : room;
  char* const in = begin + block_bytes - wanted;
  char* end = begin + rest.size();
  char* const target = encoding_ == Encoding::latin1 ? in : end;
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = ::read(file_, target + got, wanted - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Error{Recourse::retry, "unreadable_file", path_ + ": " + std::strerror(errno)};
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  block.is_last = got < wanted || wanted == 0;
  bytes_read_ += static_cast<std::int64_t>(got);
  if (encoding_ == Encoding::latin1) {
    for (std::size_t i = 0; i < got; ++i) {
      const auto c = static_cast<unsigned char>(target[i]);
      if (c < 0x80) {
        *end++ = static_cast<char>(c);
      } else {
        *end++ = static_cast<char>(0xC0 | c >> 6);
        *end++ = static_cast<char>(0x80 | (c & 0x3F));
      }
    }
  } else {
    end += got;
  }
  std::memset(end, 0, block_padding);
  block.text = {begin, static_cast<std::size_t>(end - begin)};
  if (first && block.text.substr(0, 3) == "\xEF\xBB\xBF") block.text.remove_prefix(3);
  return block;
}

}  // namespace ff
