// Operators that give the same elements another shape.
#include <algorithm>

#include "ops/builders.h"
#include "ops/index.h"
#include "ops/move.h"

namespace vigor {

std::shared_ptr<const Op> build_identity(NodeView& node) { return make_view(node, node.shape(0)); }

std::shared_ptr<const Op> build_cast(NodeView& node) {
  constexpr int64_t kFloat = 1;  // TensorProto.FLOAT
  const int64_t to = node.attribute("to", int64_t{0});
  if (to != kFloat) node.fail("attribute to: got type {}, expected float ({})", to, kFloat);
  return make_view(node, node.shape(0));
}

std::shared_ptr<const Op> build_dropout(NodeView& node) {
  node.find("seed");
  if (node.opset() < 12) node.find("ratio");
  if (node.has(2)) {
    const auto& training = node.ints(2);
    const bool drops = !node.has(1) || scalar(node, 1) != 0.0F;
    if (training.empty() || (training[0] != 0 && drops)) {
      node.fail("training_mode: expected false");
    }
  }
  return make_view(node, node.shape(0));
}

std::shared_ptr<const Op> build_flatten(NodeView& node) {
  const Shape& from = node.shape(0);
  const auto rank = static_cast<int64_t>(from.size());
  int64_t axis = node.attribute("axis", int64_t{1});
  if (axis != rank) axis = normal_axis(node, axis, from.size());
  const auto at = static_cast<size_t>(axis);
  return make_view(node, {extent(from, 0, at), extent(from, at, from.size())});
}

std::shared_ptr<const Op> build_reshape(NodeView& node) {
  const Shape& from = node.shape(0);
  const bool allow_zero = node.opset() >= 14 && node.attribute("allowzero", int64_t{0}) != 0;
  Shape to = node.ints(1);
  for (size_t d = 0; d < to.size(); ++d) {
    if (to[d] != 0 || allow_zero) continue;
    if (d >= from.size()) node.fail("shape: 0 at {} beyond rank {}", d, from.size());
    to[d] = from[d];
  }
  const auto unknown = std::find(to.begin(), to.end(), -1);
  if (unknown != to.end()) {
    *unknown = 1;
    const int64_t known = element_count(to);
    *unknown = known == 0 ? 0 : element_count(from) / known;
  }
  return make_view(node, std::move(to));
}

std::shared_ptr<const Op> build_squeeze(NodeView& node) {
  const Shape& from = node.shape(0);
  const auto given = ints_argument(node, 13, 1, "axes");
  const auto axes = normal_axes(node, given.value_or(std::vector<int64_t>{}), from.size());
  Shape to;
  for (size_t d = 0; d < from.size(); ++d) {
    const bool named = std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
    if (named && from[d] != 1) node.fail("axis {}: got extent {}, expected 1", d, from[d]);
    if (!named && (given || from[d] != 1)) to.push_back(from[d]);
  }
  return make_view(node, std::move(to));
}

std::shared_ptr<const Op> build_unsqueeze(NodeView& node) {
  const Shape& from = node.shape(0);
  const auto given = ints_argument(node, 13, 1, "axes");
  if (!given) node.fail("axes are missing");
  const size_t rank = from.size() + given->size();
  const auto axes = normal_axes(node, *given, rank);
  Shape to;
  auto next = from.begin();
  for (size_t d = 0; d < rank; ++d) {
    const bool added = std::find(axes.begin(), axes.end(), static_cast<int64_t>(d)) != axes.end();
    to.push_back(added ? 1 : *next++);
  }
  return make_view(node, std::move(to));
}

}  // namespace vigor
