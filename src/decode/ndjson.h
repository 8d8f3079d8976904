/// NDJSON: one JSON object a line, read by simdjson's on-demand parser in one pass over the bytes.
///
/// The fast path is a line that has the fields of the line before it in the same order: each key is compared with the one
/// expected there. Strings without escapes are never copied before they reach the fact; the payload of a record without
/// private or unknown fields is the line itself, in place.
#pragma once

#include <memory>

#include "contract/contract.h"
#include "decode/assembler.h"
#include "decode/decoder.h"

namespace ff {

std::unique_ptr<Decoder> make_ndjson_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler);

}  // namespace ff
