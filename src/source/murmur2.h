/// Kafka's default partitioner: murmur2 of the key, as Java's client and librdkafka's murmur2_random compute it.
/// Public domain algorithm by Austin Appleby; seed and use as in Kafka's Utils.murmur2 and Utils.toPositive.
#pragma once

#include <cstdint>
#include <string_view>

namespace ff {

constexpr std::uint32_t murmur2(std::string_view key) {
  constexpr std::uint32_t m = 0x5bd1e995;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(key[i])); };
  std::uint32_t h = 0x9747b28c ^ static_cast<std::uint32_t>(key.size());
  std::size_t at = 0;
  for (; at + 4 <= key.size(); at += 4) {
    std::uint32_t k = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    k *= m;
    k ^= k >> 24;
    h = h * m ^ k * m;
  }
  const std::size_t left = key.size() - at;
  if (left > 2) h ^= byte(at + 2) << 16;
  if (left > 1) h ^= byte(at + 1) << 8;
  if (left > 0) h = (h ^ byte(at)) * m;
  h ^= h >> 13;
  h *= m;
  return h ^ h >> 15;
}

/// The partition, and so the shard, of a key.
constexpr std::uint32_t shard_of(std::string_view key, std::uint32_t shards = 64) {
  return (murmur2(key) & 0x7fffffff) % shards;
}

}  // namespace ff
