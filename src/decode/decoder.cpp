#include "decode/decoder.h"

#include <algorithm>

#include "decode/assembler.h"
#include "decode/csv.h"
#include "decode/file_blocks.h"
#include "decode/ndjson.h"

namespace ff {

std::string_view Batch::keep(std::string_view text) {
  constexpr std::size_t block = 64 * 1024;
  if (text.size() > free_bytes_) {
    free_bytes_ = std::max(block, text.size());
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

Result<std::unique_ptr<Decoder>> make_decoder(const Contract& contract, std::uint32_t feed, const PseudonymKey& key,
                                              DriverIds ids) {
  auto assembler = FF_TRY(Assembler::make(contract, feed, key, ids));
  if (contract.format == Format::csv && ids == DriverIds::from_source)
    return make_csv_decoder(contract, std::move(assembler));
  return make_ndjson_decoder(contract, std::move(assembler));
}

}  // namespace ff
