/// What decoders of all formats share: blocks in, batches out, records numbered; one that fits no block is refused.
#pragma once

#include <memory>
#include <string_view>

#include "decode/assembler.h"
#include "decode/decoder.h"
#include "decode/file_blocks.h"

namespace ff {

class BlockDecoder : public Decoder {
 public:
  Result<DecodeStats> decode(const FileRef& file, std::int64_t after, Sink& sink) final;

 protected:
  BlockDecoder(const Contract& contract, std::unique_ptr<Assembler> assembler)
      : contract_(contract), assembler_(std::move(assembler)) {}

  /// Before the first block of a file.
  virtual void begin_file() {}
  /// Takes records off the front of `text`, counting each one in position_. What remains is the beginning of a record,
  /// and comes again with what follows it; nothing may remain where there is no `more`.
  virtual Result<void> take_records(std::string_view& text, bool more) = 0;

  const Contract& contract_;
  std::unique_ptr<Assembler> assembler_;
  std::int64_t position_ = 0;

 private:
  Result<void> hand_on(Sink& sink);
};

/// Whether `text`, all that could be read of a record, fills a block.
inline bool fills_block(std::string_view text) { return text.size() >= block_bytes - block_padding; }

}  // namespace ff
