// Any bytes as a replication message, inside and outside a streamed chunk, and as a binary value of every type: read or
// refused, never a crash; what a message holds lies within its bytes.
//   build/fuzz/bin/pgoutput_fuzz -max_total_time=60 tests/corpus/pgoutput
#include "decode/pg_binary.h"
#include "decode/pgoutput.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ff::PgMessage message;
  for (const auto streaming : {ff::PgStreaming::no, ff::PgStreaming::yes}) {
    if (!ff::parse_pgoutput(bytes, streaming, message).ok()) continue;
    for (const auto* row : {&message.old_row, &message.new_row})
      for (const ff::PgCell& cell : *row)
        FF_CHECK(cell.bytes.empty() ||
                 (cell.bytes.data() >= bytes.data() && cell.bytes.data() + cell.bytes.size() <= bytes.data() + size));
  }
  static const std::uint32_t types[] = {16,   17,   18,   19,   20,   21,   23,   25,   26,   114,  700,  701,
                                        1042, 1043, 1082, 1083, 1114, 1184, 1186, 1700, 2950, 3802, 1000, 1005,
                                        1007, 1009, 1014, 1015, 1016, 1021, 1022, 1115, 1182, 1185, 1231, 2951};
  for (const std::uint32_t type : types) {
    FF_CHECK(ff::is_binary_known(type));
    std::string text = "kept";
    if (!ff::append_binary_as_text(type, bytes, text)) FF_CHECK(text == "kept");
  }
  return 0;
}
