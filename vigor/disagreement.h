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

/// Cause of each, in order, from the thresholds of its own neuron and input, searched for here.
/// `inputs` of the data were used.
std::vector<Cause> causes(const Graph& graph, const Dataset& data, const std::vector<Site>& sites,
                          std::span<const Disagreement> disagreements, const Lattice& lattice,
                          const std::string& prober, int threads);

}  // namespace vigor
