#include "op.h"

#include <array>
#include <numeric>

#include "error.h"
#include "region.h"

namespace vigor {

namespace {
constexpr size_t kMostOperands = 64;
}

Op::Op(Shape shape, std::vector<int64_t> operand_sizes)
    : shape_(std::move(shape)),
      size_(element_count(shape_)),
      operand_sizes_(std::move(operand_sizes)) {
  if (operand_sizes_.size() > kMostOperands) {
    fail("op", "got {} operands, expected at most {}", operand_sizes_.size(), kMostOperands);
  }
}

int64_t Op::scratch_size(int) const {
  return size_ + std::accumulate(operand_sizes_.begin(), operand_sizes_.end(), int64_t{0});
}

void Op::forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                       float* scratch) const {
  std::array<const float*, kMostOperands> sample;
  for (int lane = 0; lane < lanes; ++lane) {
    float* next = scratch;
    for (size_t i = 0; i < operands.size(); ++i) {
      sample[i] = next;
      for (int64_t e = 0; e < operand_sizes_[i]; ++e) *next++ = operands[i][e * lanes + lane];
    }
    forward({sample.data(), operands.size()}, next);
    for (int64_t e = 0; e < size_; ++e) out[e * lanes + lane] = next[e];
  }
}

bool Op::affected(size_t, std::span<const int32_t>, std::vector<int32_t>&) const { return false; }

std::unique_ptr<RegionStep> Op::plan_region(std::span<const RegionTensor>,
                                            const RegionOutput&) const {
  return nullptr;
}

}  // namespace vigor
