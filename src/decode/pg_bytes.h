/// A cursor over bytes as Postgres sends them: big-endian integers, strings that end in zero. Reading past the end gives
/// zeros and leaves the cursor failed, so that a reader checks once.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "domain/fact.h"

namespace ff {

class PgBytes {
 public:
  explicit PgBytes(std::string_view bytes) : bytes_(bytes) {}

  bool good() const { return good_; }
  bool at_end() const { return at_ == bytes_.size(); }
  std::size_t offset() const { return at_; }
  void fail() { good_ = false; }

  char byte() { return static_cast<char>(number<std::uint8_t>()); }
  std::int16_t int16() { return static_cast<std::int16_t>(number<std::uint16_t>()); }
  std::int32_t int32() { return static_cast<std::int32_t>(number<std::uint32_t>()); }
  std::uint32_t uint32() { return number<std::uint32_t>(); }
  std::int64_t int64() { return static_cast<std::int64_t>(number<std::uint64_t>()); }

  /// A commit time in microseconds since 1970.
  Micros time() {
    std::int64_t since_1970 = 0;
    constexpr std::int64_t epoch = 946'684'800LL * 1'000'000;  // 2000-01-01
    if (__builtin_add_overflow(int64(), epoch, &since_1970)) good_ = false;
    return since_1970;
  }
  std::string_view text() {
    const std::size_t end = bytes_.find('\0', at_);
    if (!good_ || end == std::string_view::npos) return good_ = false, std::string_view();
    const std::string_view out = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return out;
  }
  std::string_view take(std::size_t size) {
    if (!good_ || size > bytes_.size() - at_) return good_ = false, std::string_view();
    const std::string_view out = bytes_.substr(at_, size);
    at_ += size;
    return out;
  }
  /// A 32-bit length and so many bytes.
  std::string_view counted() {
    const std::int32_t size = int32();
    if (size < 0) return good_ = false, std::string_view();
    return take(static_cast<std::size_t>(size));
  }

 private:
  template <class U>
  U number() {
    if (!good_ || sizeof(U) > bytes_.size() - at_) return good_ = false, U{};
    U raw;
    std::memcpy(&raw, bytes_.data() + at_, sizeof raw);
    at_ += sizeof raw;
    if constexpr (sizeof(U) == 8)
      return __builtin_bswap64(raw);
    else if constexpr (sizeof(U) == 4)
      return __builtin_bswap32(raw);
    else if constexpr (sizeof(U) == 2)
      return __builtin_bswap16(raw);
    else
      return raw;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

}  // namespace ff
