// Why a fault came out otherwise than the range it lies in says.
#pragma once

#include <span>

#include "dataset.h"
#include "fault_list.h"
#include "lattice.h"
#include "validation.h"

namespace vigor {

/// A fault that was run and lies in a range that says otherwise.
struct Disagreement {
  InjectedFault fault;
  bool nonvulnerable;  // the range
};

/// Cause of each, in order. The thresholds of its own neuron and input are searched for here: by
/// `prober`, on the points of `lattice`. The same for any number of threads.
std::vector<Cause> causes(const Graph& graph, const Dataset& data, const std::vector<Site>& sites,
                          std::span<const Disagreement> disagreements, const Lattice& lattice,
                          const std::string& prober, int threads);

}  // namespace vigor
