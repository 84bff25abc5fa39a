// The class a network tends to as one neuron grows without bound (METHOD section 4, "Far class").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "site.h"

namespace vigor {

struct FarLimits {
  /// [neuron, 2]: the class as v -> -inf and as v -> +inf, the same for every input; -1 where there
  /// is none.
  std::vector<int32_t> classes;
  /// [neuron, 2, class]: what each logit gains per unit of |v|, in the limit. Empty where an
  /// operator has no limit.
  std::vector<float> slopes;
};

/// Of some neurons (their numbers) of the site, in this order. Found without data: the network
/// without biases, fed by the neuron alone.
FarLimits far_limits(const Graph& graph, const Site& site, std::span<const int64_t> numbers);

}  // namespace vigor
