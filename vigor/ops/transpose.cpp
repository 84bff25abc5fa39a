#include "ops/builders.h"
#include "ops/move.h"

namespace vigor {

std::shared_ptr<const Op> build_transpose(NodeView& node) {
  const Shape& from = node.shape(0);
  const Shape step = strides(from);
  std::vector<int64_t> reversed;
  for (size_t d = from.size(); d-- > 0;) reversed.push_back(static_cast<int64_t>(d));
  const auto order = normal_axes(node, node.attribute("perm", reversed), from.size());
  if (order.size() != from.size()) node.fail("perm: expected {} axes", from.size());
  Shape to;
  std::vector<std::vector<int64_t>> axes;
  for (const int64_t axis : order) {
    const auto at = static_cast<size_t>(axis);
    to.push_back(from[at]);
    axes.push_back(axis_offsets(from[at], step[at]));
  }
  return make_move(node, std::move(to), separable_map(axes));
}

}  // namespace vigor
