// Local response normalisation over the channels.
#include <algorithm>
#include <cmath>

#include "ops/builders.h"
#include "ops/functions.h"
#include "ops/index.h"

namespace vigor {
namespace {

struct Lrn {
  float alpha, beta, bias;
  int64_t size;
};

class LrnOp final : public Op {
 public:
  LrnOp(const Shape& shape, Lrn lrn) : Op(shape, {element_count(shape)}), lrn_(lrn) {}

  void forward(std::span<const float* const> operands, float* out) const override {
    const int64_t channels = shape()[1], inner = extent(shape(), 2, shape().size());
    const int64_t before = (lrn_.size - 1) / 2, after = lrn_.size / 2;
    const float scale = lrn_.alpha / static_cast<float>(lrn_.size);
    for (int64_t e = 0; e < size(); ++e) {
      const int64_t c = e / inner % channels;
      float sum = 0.0F;
      for (int64_t k = std::max(-before, -c); k <= std::min(after, channels - 1 - c); ++k) {
        const float x = operands[0][e + k * inner];
        sum += x * x;
      }
      out[e] = operands[0][e] / functions::pow(lrn_.bias + scale * sum, lrn_.beta);
    }
  }

 private:
  Lrn lrn_;
};

}  // namespace

std::shared_ptr<const Op> build_lrn(NodeView& node) {
  const Shape& shape = node.operand(0);
  if (shape.size() < 2) node.fail("got shape {}, expected channels", to_string(shape));
  const Lrn lrn{node.attribute("alpha", 1e-4F), node.attribute("beta", 0.75F),
                node.attribute("bias", 1.0F), node.attribute("size", int64_t{0})};
  if (lrn.size < 1) node.fail("attribute size: got {}, expected one above 0", lrn.size);
  return std::make_shared<LrnOp>(shape, lrn);
}

}  // namespace vigor
