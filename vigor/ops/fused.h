// The reference's fused multiply-add over a row.
#pragma once

#include <cstdint>

namespace vigor {

/// y[i] = fma(a, x[i * stride], y[i]) for i < count: std::fma, by the machine's instruction where
/// it has one (the library call, with the same bits, takes far longer).
void fused_add(float a, const float* x, int64_t stride, float* y, int64_t count);

}  // namespace vigor
