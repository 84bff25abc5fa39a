// The neurons that a work unit takes together.
#pragma once

#include <cstdint>
#include <vector>

#include "site.h"

namespace vigor {

/// Of a unit: enough that its searches fill their batches.
inline constexpr size_t kUnitNeurons = 128;

/// Blocks of a site's neurons, as numbers in site.neurons; each neuron is in one block. A block
/// holds at least `least` (but for the last one), and those that feed the same cut together where
/// at most 1024 do. Neurons whose cuts stand at one position come together, whatever their channel,
/// as they change the same elements further on.
std::vector<std::vector<int64_t>> neuron_blocks(const Graph& graph, const Site& site,
                                                size_t least = kUnitNeurons);

}  // namespace vigor
