#include "ops/builders.h"
#include "ops/move.h"

namespace vigor {

std::shared_ptr<const Op> build_concat(NodeView& node) {
  if (!node.find("axis")) node.fail("attribute axis is missing");
  const Shape& first = node.shape(0);
  const auto at =
      static_cast<size_t>(normal_axis(node, node.attribute("axis", int64_t{0}), first.size()));
  const bool fold = all_constant(node);
  Shape to = first;
  to[at] = 0;
  std::vector<float> constants;
  std::vector<Source> next;  // per input: its first element not yet placed
  for (size_t i = 0; i < node.inputs(); ++i) {
    const Shape& shape = node.shape(i);
    Shape expected = first;
    if (shape.size() == first.size()) expected[at] = shape[at];
    if (shape != expected) {
      node.fail("input {}: got shape {}, expected that of input 0, {}", i, to_string(shape),
                to_string(first));
    }
    to[at] += shape[at];
    if (node.is_constant(i) && !fold) {
      const auto& values = node.floats(i)->floats;
      next.push_back({-1, static_cast<int32_t>(constants.size())});
      constants.insert(constants.end(), values.begin(), values.end());
    } else {
      next.push_back({static_cast<int32_t>(node.operands().size()), 0});
      node.operand(i);
    }
  }
  std::vector<Source> map;
  const int64_t outer = extent(to, 0, at);
  for (int64_t block = 0; block < outer; ++block) {
    for (size_t i = 0; i < next.size(); ++i) {
      const Shape& shape = node.shape(i);
      const int64_t length = extent(shape, at, shape.size());
      for (int64_t k = 0; k < length; ++k, ++next[i].element) map.push_back(next[i]);
    }
  }
  return make_move(node, std::move(to), std::move(map), std::move(constants), true);
}

}  // namespace vigor
