#include "kernels.h"

#include <cstdlib>
#include <string>

#include "error.h"

namespace vigor {

const Kernels& kernels_generic();
#if defined(__x86_64__)
const Kernels& kernels_avx2();
const Kernels& kernels_avx512();
#endif

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> sets;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    sets.push_back(&kernels_avx512());
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back(&kernels_avx2());
  }
#endif
  sets.push_back(&kernels_generic());
  return sets;
}

const Kernels& kernels() {
  static const Kernels& chosen = []() -> const Kernels& {
    const std::vector<const Kernels*> sets = available_kernels();
    const char* wanted = std::getenv("VIGOR_ISA");
    if (!wanted || !*wanted) return *sets.front();
    std::string names;
    for (const Kernels* set : sets) {
      if (set->name == wanted) return *set;
      names += fmt::format(" {}", set->name);
    }
    fail("VIGOR_ISA", "got {}, expected one of:{}", wanted, names);
  }();
  return chosen;
}

PackedRows::PackedRows(const float* weights, int64_t rows, int64_t terms, int64_t row_stride,
                       int64_t term_stride, float factor)
    : rows_(rows), terms_(terms), blocks_((rows + kRowBlock - 1) / kRowBlock) {
  data_.reserve(static_cast<size_t>(rows * terms));
  for (int64_t b = 0; b < blocks_; ++b) {
    const Block part = block(b);
    for (int64_t k = 0; k < terms; ++k) {
      for (int64_t r = part.first; r < part.first + part.rows; ++r) {
        data_.push_back(factor * weights[r * row_stride + k * term_stride]);
      }
    }
  }
}

}  // namespace vigor
