// BatchNormalization, inference form: one scale and shift per channel, fused.
#include <cmath>

#include "builders.h"
#include "region.h"

namespace vigor {

namespace {

class BatchNormOp final : public Op {
 public:
  BatchNormOp(Shape shape, std::vector<float> scale, std::vector<float> shift)
      : Op(shape, {element_count(shape)}),
        run_(size() / (shape[0] * shape[1])),
        scale_(std::move(scale)),
        shift_(std::move(shift)) {}

  Role role() const override { return Role::kAffine; }
  int64_t parameters() const override { return 2 * static_cast<int64_t>(scale_.size()); }

  void forward(std::span<const float* const> operands, float* out) const override {
    for (int64_t i = 0; i < size(); ++i) {
      const size_t channel = static_cast<size_t>(i / run_) % scale_.size();
      out[i] = std::fma(scale_[channel], operands[0][i], shift_[channel]);
    }
  }

  int64_t scratch_size(int) const override { return 0; }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const int64_t count = run_ * lanes;
    for (int64_t map = 0; map < shape()[0] * shape()[1]; ++map) {
      const size_t channel = static_cast<size_t>(map) % scale_.size();
      kernels().scale_shift(scale_[channel], shift_[channel], operands[0] + map * count,
                            out + map * count, count);
    }
  }

  bool affected(size_t, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    elements.insert(elements.end(), changed.begin(), changed.end());
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    std::vector<int32_t> channels;
    for (const int32_t element : output.changed) {
      channels.push_back(
          static_cast<int32_t>(element / run_ % static_cast<int64_t>(scale_.size())));
    }
    return make_element_step(
        operands[0], output, NewNan::kPossible,
        [this, channels](size_t i, RowPointers sources, float* out, int count) {
          const auto channel = static_cast<size_t>(channels[i]);
          kernels().scale_shift(scale_[channel], shift_[channel], sources[0], out, count);
        });
  }

  bool monotone() const override { return true; }

  std::shared_ptr<const Op> far_limit() const override {
    return std::make_shared<BatchNormOp>(shape(), scale_, std::vector<float>(shift_.size()));
  }
  // Affine: the linear part.
  std::shared_ptr<const Op> tangent() const override { return far_limit(); }

 private:
  int64_t run_;  // elements of one map
  std::vector<float> scale_, shift_;
};

}  // namespace

std::shared_ptr<const Op> build_batch_norm(NodeView& node) {
  const Shape& shape = node.operand(0);
  if (shape.size() < 2 || shape[0] < 1 || shape[1] < 1) {
    node.fail("got an input {}, expected [N, C, ...]", to_string(shape));
  }
  const float epsilon = node.attribute("epsilon", 1e-5F);
  node.attribute("momentum", 0.9F);  // matters to training alone
  if (node.attribute("training_mode", int64_t{0}) != 0) {
    node.fail("attribute training_mode: got 1, expected 0 (export the network for inference)");
  }
  if (node.attribute("spatial", int64_t{1}) != 1) node.fail("attribute spatial: expected 1");
  ConstantPtr constants[4];  // scale, shift, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    constants[i] = node.floats(i + 1);
    if (constants[i]->shape != Shape{shape[1]}) {
      node.fail("input {}: got {}, expected {}", i + 1, to_string(constants[i]->shape), shape[1]);
    }
  }
  std::vector<float> scale, shift;
  for (size_t c = 0; c < static_cast<size_t>(shape[1]); ++c) {
    const double factor = static_cast<double>(constants[0]->floats[c]) /
                          std::sqrt(static_cast<double>(constants[3]->floats[c]) + epsilon);
    const double rest = constants[1]->floats[c] - factor * constants[2]->floats[c];
    scale.push_back(static_cast<float>(factor));
    shift.push_back(static_cast<float>(rest));
    if (!std::isfinite(scale.back()) || !std::isfinite(shift.back())) {
      node.fail("channel {}: scale {} and shift {} are not finite", c, scale.back(), shift.back());
    }
  }
  return std::make_shared<BatchNormOp>(shape, std::move(scale), std::move(shift));
}

}  // namespace vigor
