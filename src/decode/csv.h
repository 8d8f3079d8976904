/// CSV by the contract's dialect (RFC 4180 and its common bends): a row at a time, with its exact bytes.
///
/// Our own splitter and not DuckDB's read_csv, because every broken row must come out with its position and its bytes, the
/// good rows around it with theirs, and reading must be able to go on after any row.
#pragma once

#include <memory>

#include "contract/contract.h"
#include "decode/assembler.h"
#include "decode/decoder.h"

namespace ff {

std::unique_ptr<Decoder> make_csv_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler);

}  // namespace ff
