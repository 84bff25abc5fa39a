#include "ops/index.h"

#include <algorithm>
#include <limits>

namespace vigor {

Shape strides(const Shape& shape) {
  Shape result(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) result[d - 1] = result[d] * shape[d];
  return result;
}

std::vector<int64_t> axis_offsets(int64_t extent, int64_t step) {
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < extent; ++i) offsets.push_back(i * step);
  return offsets;
}

std::vector<std::vector<int64_t>> axis_tables(const Shape& shape) {
  const Shape step = strides(shape);
  std::vector<std::vector<int64_t>> axes;
  for (size_t d = 0; d < shape.size(); ++d) axes.push_back(axis_offsets(shape[d], step[d]));
  return axes;
}

void check_size(const NodeView& node, const Shape& shape) {
  int64_t most = kMostElements;
  for (size_t i = 0; all_constant(node) && i < node.inputs(); ++i) {
    if (node.has(i)) most = std::max(most, element_count(node.shape(i)));
  }
  if (element_count(shape) > most) node.fail("output {} is too large", to_string(shape));
}

IndexMap separable_map(const std::vector<std::vector<int64_t>>& axes) {
  std::vector<int64_t> map{0};
  for (const auto& axis : axes) {
    std::vector<int64_t> next;
    next.reserve(map.size() * axis.size());
    for (const int64_t base : map) {
      for (const int64_t offset : axis) {
        next.push_back(base < 0 || offset < 0 ? -1 : base + offset);
      }
    }
    map = std::move(next);
  }
  IndexMap result;
  result.reserve(map.size());
  for (const int64_t index : map) {
    if (index > std::numeric_limits<int32_t>::max()) fail("op", "tensor of over 2^31 elements");
    result.push_back(static_cast<int32_t>(index));
  }
  return result;
}

Shape broadcast(const NodeView& node, const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t d = 1; d <= result.size(); ++d) {
    const int64_t x = d <= a.size() ? a[a.size() - d] : 1;
    const int64_t y = d <= b.size() ? b[b.size() - d] : 1;
    if (x != y && x != 1 && y != 1) {
      node.fail("got shapes {} and {}, expected shapes that broadcast", to_string(a), to_string(b));
    }
    result[result.size() - d] = x == 1 ? y : x;
  }
  check_size(node, result);
  return result;
}

IndexMap broadcast_map(const Shape& from, const Shape& to) {
  const Shape step = strides(from);
  std::vector<std::vector<int64_t>> axes;
  for (size_t d = 0; d < to.size(); ++d) {
    const size_t missing = to.size() - from.size();
    const bool moves = d >= missing && from[d - missing] != 1;
    axes.push_back(axis_offsets(to[d], moves ? step[d - missing] : 0));
  }
  return separable_map(axes);
}

std::optional<std::vector<int64_t>> ints_argument(NodeView& node, int64_t since, size_t input,
                                                  const std::string& name) {
  if (node.opset() >= since) {
    return node.has(input) ? std::optional(node.ints(input)) : std::nullopt;
  }
  if (!node.find(name)) return std::nullopt;
  return node.attribute(name, std::vector<int64_t>{});
}

float scalar(const NodeView& node, size_t input) {
  const ConstantPtr constant = node.floats(input);
  if (constant->floats.size() != 1) {
    node.fail("input {}: got {} values, expected a scalar", input, constant->floats.size());
  }
  return constant->floats[0];
}

std::vector<int64_t> normal_axes(const NodeView& node, std::vector<int64_t> axes, size_t rank) {
  for (int64_t& axis : axes) axis = normal_axis(node, axis, rank);
  auto sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
    node.fail("axes: got one twice, expected distinct axes");
  }
  return axes;
}

int64_t extent(const Shape& shape, size_t begin, size_t end) {
  int64_t product = 1;
  for (size_t d = begin; d < end; ++d) product *= shape[d];
  return product;
}

bool all_constant(const NodeView& node) {
  for (size_t i = 0; i < node.inputs(); ++i) {
    if (node.has(i) && !node.is_constant(i)) return false;
  }
  return true;
}

}  // namespace vigor
