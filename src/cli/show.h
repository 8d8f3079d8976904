/// One shipment's whole story: history, taken or refused and why, who had it, promises, findings.
#pragma once

#include <string>

#include "base/result.h"
#include "lake/lake.h"

namespace ff::cli {

/// Says so, with cause 'unknown_shipment', if nothing was ever heard of `shipment_id`.
Result<void> show_shipment(Lake& lake, const std::string& shipment_id);

}  // namespace ff::cli
