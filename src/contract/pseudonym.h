/// Driver ids become driver_keys here and nowhere else (S7.2).
///
/// driver_key = the first 16 bytes, as 32 hex digits, of HMAC-SHA-256(key, namespace 0x1f driver_id 0x1f generation).
/// Equal ids give equal keys as long as key, namespace and generation stay; nobody can go back without the key.
/// Forgetting a driver is raising the generation.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/result.h"

namespace ff {

class PseudonymKey {
 public:
  /// From FLEETFLOW_PSEUDONYM_KEY (64 hex digits) or the file that FLEETFLOW_PSEUDONYM_KEY_FILE names; else the demo key.
  /// Error: halt `bad_pseudonym_key`.
  static Result<PseudonymKey> from_environment();
  /// Public, documented, worthless as a secret: demo, tests, stories and the oracle share it.
  static PseudonymKey demo();
  static Result<PseudonymKey> from_hex(std::string_view hex64);

  bool is_demo() const;  ///< say so loudly
  /// The first 8 hex digits of SHA-256(key): which key made these pseudonyms, without telling it.
  std::string key_id() const;
  std::string driver_key(std::string_view name_space, std::string_view driver_id, std::int32_t generation) const;

 private:
  explicit PseudonymKey(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// A PseudonymKey with a memory, for one feed and one thread: most records name a driver seen before.
class Pseudonymizer {
 public:
  Pseudonymizer(const PseudonymKey& key, std::string name_space, std::int32_t generation)
      : key_(key), name_space_(std::move(name_space)), generation_(generation) {}
  /// Valid until trim().
  std::string_view driver_key(std::string_view driver_id);
  /// Keeps the memory bounded; call it between two records.
  void trim();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return hash128(s).low; }
  };
  PseudonymKey key_;
  std::string name_space_;
  std::int32_t generation_;
  std::unordered_map<std::string, std::array<char, 32>, Hash, std::equal_to<>> seen_;
};

}  // namespace ff
