#include <algorithm>

#include "ops/builders.h"
#include "ops/move.h"

namespace vigor {
namespace {

/// The coordinate that stands at coordinate c of an axis, -1 for the constant.
int64_t padded(const NodeView& node, const std::string& mode, int64_t c, int64_t dim) {
  if (c >= 0 && c < dim) return c;
  if (mode == "constant") return -1;
  if (mode == "edge" && dim > 0) return std::clamp(c, int64_t{0}, dim - 1);
  const int64_t mirrored = c < 0 ? -c : 2 * (dim - 1) - c;
  if (mirrored < 0 || mirrored >= dim) node.fail("pads: more than extent {} can give", dim);
  return mirrored;
}

}  // namespace

std::shared_ptr<const Op> build_pad(NodeView& node) {
  constexpr int64_t kInputs = 11;  // the opset that turned the attributes into inputs
  const Shape& from = node.shape(0);
  const auto pads = ints_argument(node, kInputs, 1, "pads");
  if (!pads || pads->size() != 2 * from.size()) {
    node.fail("pads: got {}, expected {}", pads ? pads->size() : 0, 2 * from.size());
  }
  const std::string mode = node.attribute("mode", std::string("constant"));
  if (mode != "constant" && mode != "reflect" && mode != "edge") {
    node.fail("attribute mode: got {}, expected constant, reflect or edge", mode);
  }
  float fill = 0.0F;
  if (node.opset() < kInputs) {
    fill = node.attribute("value", 0.0F);
  } else if (node.has(2)) {
    fill = scalar(node, 2);
  }
  if (node.has(3)) node.fail("input axes is not supported");
  constexpr int64_t kMost = int64_t{1} << 31;  // of an extent, so that their product has a value
  Shape to;
  for (size_t d = 0; d < from.size(); ++d) {
    const int64_t begin = (*pads)[d], end = (*pads)[d + from.size()];
    for (const int64_t pad : {begin, end}) {
      if (pad < -kMost || pad > kMost) node.fail("pads: got {}", pad);
    }
    to.push_back(std::max<int64_t>(from[d] + begin + end, 0));
  }
  check_size(node, to);
  const auto tables = axis_tables(from);
  std::vector<std::vector<int64_t>> axes;
  for (size_t d = 0; d < from.size(); ++d) {
    const int64_t begin = (*pads)[d], end = (*pads)[d + from.size()];
    axes.emplace_back();
    for (int64_t c = -begin; c < from[d] + end; ++c) {
      const int64_t source = padded(node, mode, c, from[d]);
      axes[d].push_back(source < 0 ? -1 : tables[d][static_cast<size_t>(source)]);
    }
  }
  return make_move(node, std::move(to), separable_map(axes), fill);
}

}  // namespace vigor
