#include "decode/decoder.h"

#include <algorithm>
#include <iterator>

#include "decode/assembler.h"
#include "decode/avro.h"
#include "decode/csv.h"
#include "decode/debezium.h"
#include "decode/file_blocks.h"
#include "decode/ndjson.h"

namespace ff {

std::string_view Batch::keep(std::string_view text) {
  // Most batches of a stream are of a few records: a block of 64 KiB each was a gigabyte of mostly nothing in a burst.
  constexpr std::size_t first_block = 1024, last_block = 64 * 1024;
  if (text.size() > free_bytes_) {
    next_block_ = std::clamp(2 * next_block_, first_block, last_block);
    free_bytes_ = std::max(next_block_ - block_padding, text.size());
    kept_bytes_ += free_bytes_ + block_padding;
    adopt(std::make_unique_for_overwrite<char[]>(free_bytes_ + block_padding));
    free_ = blocks_.back().get();
    std::fill_n(free_ + free_bytes_, block_padding, '\0');
  }
  text.copy(free_, text.size());
  const std::string_view kept(free_, text.size());
  free_ += text.size();
  free_bytes_ -= text.size();
  return kept;
}

void Batch::absorb(Batch other) {
  const auto position = [](const Decoded& d) { return d.from().position; };
  const auto middle = static_cast<std::ptrdiff_t>(records.size());
  std::move(other.records.begin(), other.records.end(), std::back_inserter(records));
  std::inplace_merge(records.begin(), records.begin() + middle, records.end(),
                     [&](const Decoded& a, const Decoded& b) { return position(a) < position(b); });
  std::move(other.drifts.begin(), other.drifts.end(), std::back_inserter(drifts));
  std::move(other.blocks_.begin(), other.blocks_.end(), std::back_inserter(blocks_));
  kept_bytes_ += other.kept_bytes_;
}

Result<std::unique_ptr<Decoder>> make_decoder(const Contract& contract, std::uint32_t feed, const PseudonymKey& key,
                                              DriverIds ids, SchemaSource* schemas) {
  auto assembler = FF_TRY(Assembler::make(contract, feed, key, ids));
  const Format format = contract.format;
  const bool as_received = ids == DriverIds::from_source;  // else JSON from raw.*
  if (as_received && (format == Format::avro || format == Format::debezium_avro) && !schemas)
    return Error{Recourse::halt, "schema_registry_missing",
                 contract.file + ": a feed of format avro or debezium_avro needs a schema registry"};
  if (format == Format::debezium || format == Format::debezium_avro || format == Format::postgres)
    return make_debezium_decoder(contract, std::move(assembler),
                                 as_received && format == Format::debezium_avro ? schemas : nullptr);
  if (as_received && format == Format::csv) return make_csv_decoder(contract, std::move(assembler));
  if (as_received && format == Format::avro) return make_avro_decoder(contract, std::move(assembler), *schemas);
  return make_ndjson_decoder(contract, std::move(assembler));
}

}  // namespace ff
