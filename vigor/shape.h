// Tensor shapes in ONNX order. The batch is no dimension of ours: see graph.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vigor {

using Shape = std::vector<int64_t>;

/// No activation of one input has more elements: what is kept of a network stays in bounds, however
/// large a file says it is.
inline constexpr int64_t kMostElements = int64_t{1} << 25;

/// Number of elements; 1 for a scalar (empty shape). Throws Error when it exceeds 2^40.
int64_t element_count(const Shape& shape);

/// "3x32x32"; "scalar" for an empty shape.
std::string to_string(const Shape& shape);

}  // namespace vigor
