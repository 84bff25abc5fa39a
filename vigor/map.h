// `vigor map`: one analysis, every number format and fault model.
#pragma once

#include "dataset.h"
#include "mapping.h"

namespace vigor {

/// Places of a fault model that are all counted; of more, kDrawnPlaces are drawn at random for each
/// neuron and input (only "random" in formats of more than 8 bits).
inline constexpr int64_t kMostPlaces = 512;
inline constexpr int64_t kDrawnPlaces = 256;

/// Golden runs of the inputs of `run`, whose kept thresholds or else merged ranges decide every
/// fault. Throws Error where model or data are not those of the run, and for unknown names.
Mapping map_faults(const Graph& graph, const Dataset& data, const Run& run, const StoredKind& kind,
                   int threads);

}  // namespace vigor
