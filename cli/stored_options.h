// --format and --fault: how values are stored, and what happens to them (docs/formats.md).
#pragma once

#include "stored_faults.h"
#include "usage.h"

namespace vigor {

inline constexpr const char* kFormatHelp =
    "Number format of the faulty neuron's value: float32, float16, bfloat16, float8-e4m3, "
    "float8-e5m2, int8, int16, int8-channel, int16-channel, or fixed point qM.N";
inline constexpr const char* kFaultHelp =
    "Fault model: flip, stuck-0, stuck-1, burst-2, burst-3, burst-4, two-bits, zero or random";

/// Unknown names are wrong usage.
inline void check_stored(const StoredKind& stored) {
  checked_usage(
      [&] { return FaultModel::parse(stored.fault, NumberFormat::parse(stored.format).bits()); });
}

}  // namespace vigor
