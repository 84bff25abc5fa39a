// Reductions, in the order of the elements.
#include <algorithm>
#include <limits>

#include "ops/builders.h"
#include "ops/functions.h"
#include "ops/index.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Sum {
  static constexpr float kInitial = 0.0F;
  float operator()(float a, float b) const { return a + b; }
  float finish(float a, float) const { return functions::one_nan(a); }
};
struct Mean : Sum {
  float finish(float a, float count) const { return functions::one_nan(a / count); }
};
struct Max {
  static constexpr float kInitial = -kInfinity;
  float operator()(float a, float b) const { return functions::maximum(a, b); }
  float finish(float a, float) const { return a; }
};
struct Min {
  static constexpr float kInitial = kInfinity;
  float operator()(float a, float b) const { return functions::minimum(a, b); }
  float finish(float a, float) const { return a; }
};

template <typename F>
class ReduceOp final : public Op {
 public:
  /// `map` gives the output element of every input element.
  ReduceOp(Shape shape, std::shared_ptr<const IndexMap> map)
      : Op(std::move(shape), {static_cast<int64_t>(map->size())}), map_(std::move(map)) {}

  void forward(std::span<const float* const> operands, float* out) const override {
    const float* x = operands[0];
    std::fill_n(out, size(), F::kInitial);
    for (const int32_t to : *map_) out[to] = F{}(out[to], *x++);
    for (int64_t e = 0; e < size(); ++e) out[e] = F{}.finish(out[e], count());
  }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const float* x = operands[0];
    std::fill_n(out, size() * lanes, F::kInitial);
    for (const int32_t to : *map_) {
      float* y = out + int64_t{to} * lanes;
      for (int lane = 0; lane < lanes; ++lane) y[lane] = F{}(y[lane], x[lane]);
      x += lanes;
    }
    for (int64_t i = 0; i < size() * lanes; ++i) out[i] = F{}.finish(out[i], count());
  }
  int64_t scratch_size(int) const override { return 0; }

  std::shared_ptr<const Op> far_limit() const override {
    return std::make_shared<ReduceOp>(shape(), map_);
  }

 private:
  float count() const {
    const int64_t each = std::ssize(*map_) / std::max(size(), int64_t{1});
    return static_cast<float>(each);
  }

  std::shared_ptr<const IndexMap> map_;  // shared with the limit
};

/// `since`: the opset that turned the attribute axes into an input.
template <typename F>
std::shared_ptr<const Op> reduce(NodeView& node, int64_t since) {
  const Shape& from = node.operand(0);
  auto axes = normal_axes(
      node, ints_argument(node, since, 1, "axes").value_or(std::vector<int64_t>{}), from.size());
  const bool keep = node.attribute("keepdims", int64_t{1}) != 0;
  const bool none = node.opset() >= since && node.attribute("noop_with_empty_axes", int64_t{0});
  if (axes.empty() && !none) axes = axis_offsets(static_cast<int64_t>(from.size()), 1);
  Shape kept = from, to;
  for (const int64_t axis : axes) kept[static_cast<size_t>(axis)] = 1;
  for (size_t d = 0; d < from.size(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
    if (keep || !reduced) to.push_back(kept[d]);
  }
  return std::make_shared<ReduceOp<F>>(std::move(to),
                                       std::make_shared<const IndexMap>(broadcast_map(kept, from)));
}

}  // namespace

std::shared_ptr<const Op> build_reduce_max(NodeView& node) { return reduce<Max>(node, 18); }
std::shared_ptr<const Op> build_reduce_mean(NodeView& node) { return reduce<Mean>(node, 18); }
std::shared_ptr<const Op> build_reduce_min(NodeView& node) { return reduce<Min>(node, 18); }
std::shared_ptr<const Op> build_reduce_sum(NodeView& node) { return reduce<Sum>(node, 13); }

}  // namespace vigor
