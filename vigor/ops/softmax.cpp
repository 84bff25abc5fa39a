// Softmax and LogSoftmax. Before opset 13 all axes from `axis` on are normalised together.
#include <cmath>

#include "ops/builders.h"
#include "ops/functions.h"
#include "ops/index.h"

namespace vigor {
namespace {

class SoftmaxOp final : public Op {
 public:
  /// Normalises over the middle of outer x count x inner elements.
  SoftmaxOp(const Shape& shape, int64_t count, int64_t inner, bool logarithm)
      : Op(shape, {element_count(shape)}), count_(count), inner_(inner), logarithm_(logarithm) {}

  Role role() const override { return Role::kOther; }

  void forward(std::span<const float* const> operands, float* out) const override {
    const int64_t block = count_ * inner_;
    for (int64_t begin = 0; begin < size(); begin += block) {
      for (int64_t i = begin; i < begin + inner_; ++i) normalise(operands[0] + i, out + i);
    }
  }

 private:
  void normalise(const float* x, float* y) const {
    double largest = x[0];
    for (int64_t k = 1; k < count_; ++k) {
      const double v = x[k * inner_];
      largest = v < largest ? largest : v;
    }
    double sum = 0.0;
    for (int64_t k = 0; k < count_; ++k) sum += functions::exp_double(x[k * inner_] - largest);
    const double log_sum = logarithm_ ? std::log(sum) : 0.0;
    for (int64_t k = 0; k < count_; ++k) {
      const double difference = x[k * inner_] - largest;
      y[k * inner_] = static_cast<float>(logarithm_ ? difference - log_sum
                                                    : functions::exp_double(difference) / sum);
    }
  }

  int64_t count_, inner_;
  bool logarithm_;
};

std::shared_ptr<const Op> build(NodeView& node, bool logarithm) {
  const bool together = node.opset() < 13;
  const Shape& shape = node.operand(0);
  const int64_t axis = node.attribute("axis", int64_t{together ? 1 : -1});
  const auto at = static_cast<size_t>(normal_axis(node, axis, shape.size()));
  const size_t end = together ? shape.size() : at + 1;
  return std::make_shared<SoftmaxOp>(shape, extent(shape, at, end),
                                     extent(shape, end, shape.size()), logarithm);
}

}  // namespace

std::shared_ptr<const Op> build_log_softmax(NodeView& node) { return build(node, true); }
std::shared_ptr<const Op> build_softmax(NodeView& node) { return build(node, false); }

}  // namespace vigor
