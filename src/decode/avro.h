/// Avro records of a topic in the schema registries' wire format: a zero byte, the schema's number (4 bytes, big-endian),
/// the data. Each record is read by the schema that wrote it; the contract maps that schema's field names.
///
/// A field that the contract does not know is skipped and noted as drift; nested ones that it knows are kept as JSON. The
/// payload is a JSON object of the known fields, so raw.* holds one format only and reads back without a registry.
/// Bytes that no schema explains are refused with their position; replaying them means reading the topic again.
#pragma once

#include <memory>

#include "contract/contract.h"
#include "decode/assembler.h"
#include "decode/decoder.h"

namespace ff {

std::unique_ptr<Decoder> make_avro_decoder(const Contract& contract, std::unique_ptr<Assembler> assembler,
                                           SchemaSource& schemas);

}  // namespace ff
