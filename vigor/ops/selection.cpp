// Operators whose every output element is one input element: Transpose, Split, Slice, Gather,
// Expand.
#include <algorithm>

#include "ops/builders.h"
#include "ops/move.h"

namespace vigor {
namespace {

/// Replaces what one axis selects by these coordinates of it.
void select(std::vector<int64_t>& axis, const std::vector<int64_t>& coordinates) {
  std::vector<int64_t> chosen;
  chosen.reserve(coordinates.size());
  for (const int64_t c : coordinates) chosen.push_back(axis[static_cast<size_t>(c)]);
  axis = std::move(chosen);
}

/// The coordinates start, start + step, ... before end on an axis, as ONNX clamps them.
std::vector<int64_t> slice(int64_t start, int64_t end, int64_t step, int64_t dim) {
  const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? dim - 1 : dim;
  const int64_t first = std::clamp(start < 0 ? start + dim : start, int64_t{0}, high);
  const int64_t last = std::clamp(end < 0 ? end + dim : end, low, high);
  std::vector<int64_t> coordinates;
  // The distance is compared, not the next coordinate: a step may be as large as an integer.
  for (int64_t c = first; step < 0 ? c > last : c < last; c += step) {
    coordinates.push_back(c);
    if (step < 0 ? last - c >= step : last - c <= step) break;
  }
  return coordinates;
}

std::vector<int64_t> required(const NodeView& node, std::optional<std::vector<int64_t>> values,
                              const char* name) {
  if (!values) node.fail("{} are missing", name);
  return *std::move(values);
}

}  // namespace

std::shared_ptr<const Op> build_expand(NodeView& node) {
  const Shape& from = node.shape(0);
  Shape to = broadcast(node, from, node.ints(1));
  const IndexMap map = broadcast_map(from, to);
  return make_move(node, std::move(to), map);
}

std::shared_ptr<const Op> build_gather(NodeView& node) {
  const Shape& from = node.shape(0);
  const Shape& indices_shape = node.shape(1);
  const auto at =
      static_cast<size_t>(normal_axis(node, node.attribute("axis", int64_t{0}), from.size()));
  std::vector<int64_t> indices = node.ints(1);
  for (int64_t& index : indices) {
    if (index < -from[at] || index >= from[at]) {
      node.fail("index: got {}, expected one of extent {}", index, from[at]);
    }
    if (index < 0) index += from[at];
  }
  Shape to(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(at));
  to.insert(to.end(), indices_shape.begin(), indices_shape.end());
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(at) + 1, from.end());
  check_size(node, to);
  auto axes = axis_tables(from);
  select(axes[at], indices);
  return make_move(node, std::move(to), separable_map(axes));
}

std::shared_ptr<const Op> build_slice(NodeView& node) {
  constexpr int64_t kInputs = 10;  // the opset that turned the attributes into inputs
  const Shape& from = node.shape(0);
  const auto starts = required(node, ints_argument(node, kInputs, 1, "starts"), "starts");
  const auto ends = required(node, ints_argument(node, kInputs, 2, "ends"), "ends");
  const auto named = ints_argument(node, kInputs, 3, "axes")
                         .value_or(axis_offsets(static_cast<int64_t>(starts.size()), 1));
  const auto steps = node.opset() >= kInputs && node.has(4)
                         ? node.ints(4)
                         : std::vector<int64_t>(starts.size(), 1);
  if (ends.size() != starts.size() || named.size() != starts.size() ||
      steps.size() != starts.size()) {
    node.fail("got {} starts, {} ends, {} axes and {} steps, expected as many of each",
              starts.size(), ends.size(), named.size(), steps.size());
  }
  const auto chosen = normal_axes(node, named, from.size());
  auto axes = axis_tables(from);
  Shape to = from;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const auto at = static_cast<size_t>(chosen[i]);
    if (steps[i] == 0) node.fail("steps: got 0, expected another");
    select(axes[at], slice(starts[i], ends[i], steps[i], from[at]));
    to[at] = static_cast<int64_t>(axes[at].size());
  }
  return make_move(node, std::move(to), separable_map(axes));
}

std::shared_ptr<const Op> build_split(NodeView& node) {
  const Shape& from = node.shape(0);
  const auto at =
      static_cast<size_t>(normal_axis(node, node.attribute("axis", int64_t{0}), from.size()));
  const auto parts = static_cast<int64_t>(node.outputs());
  const auto sizes =
      ints_argument(node, 13, 1, "split")
          .value_or(std::vector<int64_t>(node.outputs(), from[at] / std::max(parts, int64_t{1})));
  const int64_t output = node.attribute("vigor_output", int64_t{0});
  if (output < 0 || output >= static_cast<int64_t>(sizes.size())) {
    node.fail("split: output {} of {} sizes", output, sizes.size());
  }
  int64_t total = 0, begin = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0) node.fail("split: got size {}, expected none below 0", sizes[i]);
    if (static_cast<int64_t>(i) == output) begin = total;
    total += sizes[i];
  }
  if (total != from[at]) node.fail("split: sizes of {}, expected {}", total, from[at]);
  const int64_t length = sizes[static_cast<size_t>(output)];
  auto axes = axis_tables(from);
  select(axes[at], slice(begin, begin + length, 1, from[at]));
  Shape to = from;
  to[at] = length;
  return make_move(node, std::move(to), separable_map(axes));
}

std::shared_ptr<const Op> build_transpose(NodeView& node) {
  const Shape& from = node.shape(0);
  auto reversed = axis_offsets(static_cast<int64_t>(from.size()), 1);
  std::reverse(reversed.begin(), reversed.end());
  const auto order = normal_axes(node, node.attribute("perm", reversed), from.size());
  if (order.size() != from.size()) node.fail("perm: expected {} axes", from.size());
  const auto tables = axis_tables(from);
  Shape to;
  std::vector<std::vector<int64_t>> axes;
  for (const int64_t axis : order) {
    to.push_back(from[static_cast<size_t>(axis)]);
    axes.push_back(tables[static_cast<size_t>(axis)]);
  }
  return make_move(node, std::move(to), separable_map(axes));
}

}  // namespace vigor
