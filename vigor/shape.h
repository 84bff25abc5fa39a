// Tensor shapes in ONNX order. The batch is no dimension of ours: see graph.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vigor {

using Shape = std::vector<int64_t>;

/// Number of elements; 1 for a scalar (empty shape). Throws Error when it exceeds 2^40.
int64_t element_count(const Shape& shape);

/// "3x32x32"; "scalar" for an empty shape.
std::string to_string(const Shape& shape);

}  // namespace vigor
