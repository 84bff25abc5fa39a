// The thresholds of neurons, one pair of points per neuron, input and side (METHOD section 2).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lattice.h"
#include "prober.h"

namespace vigor {

/// One side's crossing as values of the neuron, not deviations. Where there is none up to
/// kMostProbed: `safe` is the last point of the side and `unsafe` is infinite (with its sign).
struct Threshold {
  float safe;
  float unsafe;
  bool nan = false;  // a critical probe of this side held a NaN
};

/// Plain bisection over the points of a side, after probing the last one: the oracle of every
/// search. All neurons of the block for all inputs of the golden block, side by side.
/// Result [neuron in block][input][side: 0 below, 1 above]; left-out inputs hold NaN.
/// probes[neuron in block] counts what was run.
std::vector<Threshold> bisect(Prober& prober, const Lattice& lattice, int32_t site,
                              std::span<const int64_t> neurons, std::span<int64_t> probes);

}  // namespace vigor
