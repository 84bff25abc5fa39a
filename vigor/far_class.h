// The class a network tends to as one neuron grows without bound (METHOD section 4, "Far class").
#pragma once

#include <cstdint>
#include <vector>

#include "site.h"

namespace vigor {

/// Of neurons [first, first + count) of the site, [neuron, 2]: the class as v -> -inf and as
/// v -> +inf, the same for every input; -1 where there is none. Found without data: the network
/// without biases, fed by the neuron alone.
std::vector<int32_t> far_classes(const Graph& graph, const Site& site, int64_t first,
                                 int64_t count);

}  // namespace vigor
