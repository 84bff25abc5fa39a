#include "ops/constant.h"

#include <algorithm>

namespace vigor {

namespace {

class ConstantOp final : public Op {
 public:
  explicit ConstantOp(ConstantPtr value) : Op(value->shape, {}), value_(std::move(value)) {}

  Role role() const override { return Role::kConstant; }
  int64_t parameters() const override { return size(); }
  int64_t scratch_size(int) const override { return 0; }

  void forward(std::span<const float* const>, float* out) const override {
    std::ranges::copy(value_->floats, out);
  }

  void forward_lanes(std::span<const float* const>, float* out, int lanes, float*) const override {
    for (const float x : value_->floats) out = std::fill_n(out, lanes, x);
  }

 private:
  ConstantPtr value_;
};

}  // namespace

std::shared_ptr<const Op> make_constant(ConstantPtr value) {
  if (!value->is_float) fail("constant", "got integers, expected float");
  return std::make_shared<ConstantOp>(std::move(value));
}

}  // namespace vigor
