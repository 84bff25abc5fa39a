#include "fused.h"

#include <cmath>

namespace vigor {

namespace {

void fused_add_library(float a, const float* x, int64_t stride, float* y, int64_t count) {
  for (int64_t i = 0; i < count; ++i) y[i] = std::fma(a, x[i * stride], y[i]);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void fused_add_instruction(float a, const float* x,
                                                               int64_t stride, float* y,
                                                               int64_t count) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) y[i] = __builtin_fmaf(a, x[i], y[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = __builtin_fmaf(a, x[i * stride], y[i]);
  }
}
#endif

}  // namespace

void fused_add(float a, const float* x, int64_t stride, float* y, int64_t count) {
#if defined(__x86_64__)
  static const bool instruction = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (instruction) return fused_add_instruction(a, x, stride, y, count);
#endif
  fused_add_library(a, x, stride, y, count);
}

}  // namespace vigor
