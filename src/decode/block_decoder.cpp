#include "decode/block_decoder.h"

namespace ff {
namespace {
constexpr std::size_t oversized_bytes_kept = 1000;
}

Result<DecodeStats> BlockDecoder::decode(const FileRef& file, std::int64_t after, Sink& sink) {
  FileBlocks blocks = FF_TRY(FileBlocks::open(file.path, contract_.encoding));
  assembler_->begin(file, after);
  begin_file();
  position_ = 0;
  bool is_skipping = false;  // inside a record that did not fit a block: to the end of the line, wherever quotes stand
  std::string rest;
  for (bool more = true; more;) {
    Block block = FF_TRY(blocks.next(rest));
    more = !block.is_last;
    std::string_view text = block.text;
    if (is_skipping) {
      const std::size_t newline = text.find('\n');
      is_skipping = newline == std::string_view::npos;
      text.remove_prefix(is_skipping ? text.size() : newline + 1);
    }
    FF_TRY(take_records(text, more));
    if (more && fills_block(text)) {
      if (assembler_->wants(++position_)) {
        ++assembler_->stats().records;
        assembler_->refuse(
            position_, reason::oversized_record,
            "the record is longer than " + std::to_string(block_bytes) + " bytes; its first 1000 are kept",
            text.substr(0, oversized_bytes_kept));
      }
      is_skipping = true;
      text = {};
    }
    rest = text;
    assembler_->batch().adopt(std::move(block.bytes));
    FF_TRY(hand_on(sink));
  }
  if (blocks.bytes_read() == 0 && assembler_->wants(1)) {
    assembler_->refuse(1, reason::empty_file, "the file has no bytes", {});
    FF_TRY(hand_on(sink));
  }
  DecodeStats& stats = assembler_->stats();
  stats.bytes = blocks.bytes_read();
  stats.last_position = position_;
  return stats;
}

Result<void> BlockDecoder::hand_on(Sink& sink) {
  Batch batch = FF_TRY(assembler_->finish_batch());
  if (batch.records.empty() && batch.drifts.empty()) return {};
  return sink.accept(std::move(batch));
}

}  // namespace ff
