/// Does at most one fault of faults.h to a shipment's life, and writes down the findings it must give.
///
/// Each fault stands where its consequence is certain: on a scan that moves nothing else, or on the last stretch from
/// dispatch to delivery; and only if all of it is heard 31 minutes (the grace of docs/semantics.md S6.2 and one) before
/// the world ends. Where a life has no such place, nothing is done and `life.fault` stays null.
#pragma once

#include "sim/life.h"

namespace ff::sim {

void make_mischief(const SimOptions& options, const World& world, Life& life, Rng& rng);

/// Of events and commands that no plain story has.
inline constexpr int extra_number = 90;

}  // namespace ff::sim
