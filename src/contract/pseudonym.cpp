#include "contract/pseudonym.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <fstream>

namespace ff {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t seen_max = 1'000'000;  // about 120 MB, far above any fleet; then the memory starts anew
// The bytes 00, 01, … 1f: nobody can take it for a secret.
constexpr std::string_view demo_hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::string to_hex(const unsigned char* bytes, std::size_t count) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * count);
  for (std::size_t i = 0; i < count; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<PseudonymKey> PseudonymKey::from_hex(std::string_view hex64) {
  while (!hex64.empty() && (hex64.back() == '\n' || hex64.back() == '\r' || hex64.back() == ' '))
    hex64.remove_suffix(1);
  const Error bad{Recourse::halt, "bad_pseudonym_key",
                  "the pseudonym key must be 64 hex digits (32 bytes), e.g. from `openssl rand -hex 32`"};
  if (hex64.size() != 2 * key_bytes) return bad;
  std::string bytes;
  for (std::size_t i = 0; i < hex64.size(); i += 2) {
    const int high = nibble(hex64[i]), low = nibble(hex64[i + 1]);
    if (high < 0 || low < 0) return bad;
    bytes += static_cast<char>(high << 4 | low);
  }
  return PseudonymKey(std::move(bytes));
}

PseudonymKey PseudonymKey::demo() { return from_hex(demo_hex).value(); }

Result<PseudonymKey> PseudonymKey::from_environment() {
  if (const char* hex = std::getenv("FLEETFLOW_PSEUDONYM_KEY"); hex && *hex) return from_hex(hex);
  const char* path = std::getenv("FLEETFLOW_PSEUDONYM_KEY_FILE");
  if (!path || !*path) return demo();
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line))
    return Error{Recourse::halt, "bad_pseudonym_key",
                 std::string("cannot read a key from ") + path + " (FLEETFLOW_PSEUDONYM_KEY_FILE)"};
  return from_hex(line);
}

bool PseudonymKey::is_demo() const { return bytes_ == demo().bytes_; }

std::string PseudonymKey::key_id() const {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size(), digest);
  return to_hex(digest, 4);
}

std::string PseudonymKey::driver_key(std::string_view name_space, std::string_view driver_id,
                                     std::int32_t generation) const {
  std::string message;
  message.append(name_space).append(1, '\x1f').append(driver_id).append(1, '\x1f').append(std::to_string(generation));
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), bytes_.data(), static_cast<int>(bytes_.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
  return to_hex(digest, 16);
}

std::string_view Pseudonymizer::driver_key(std::string_view driver_id) {
  auto found = seen_.find(driver_id);
  if (found == seen_.end()) {
    found = seen_.emplace(std::string(driver_id), std::array<char, 32>{}).first;
    key_.driver_key(name_space_, driver_id, generation_).copy(found->second.data(), found->second.size());
  }
  return {found->second.data(), found->second.size()};
}

void Pseudonymizer::trim() {
  if (seen_.size() >= seen_max) seen_.clear();
}

}  // namespace ff
