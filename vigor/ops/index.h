// Shapes, axes and index maps that the operators share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "node_view.h"

namespace vigor {

/// For each output element its source element, or -1.
using IndexMap = std::vector<int32_t>;

/// Row-major strides.
Shape strides(const Shape& shape);

/// 0, step, 2 step, ...: the offsets of `extent` steps along an axis.
std::vector<int64_t> axis_offsets(int64_t extent, int64_t step);

/// The offsets of every axis of a tensor: separable_map() of them is the identity.
std::vector<std::vector<int64_t>> axis_tables(const Shape& shape);

/// Throws Error naming the node where an output has more than kMostElements, or a constant more
/// than what it is computed from as well. Operators whose tables grow with it look before they are
/// made.
void check_size(const NodeView& node, const Shape& shape);

/// The map of an output whose element (i, j, ...) is source element axes[0][i] + axes[1][j] + ...;
/// -1 where any of them is negative.
IndexMap separable_map(const std::vector<std::vector<int64_t>>& axes);

/// numpy broadcasting of two shapes, to one that an index map may have. Throws Error naming the
/// node.
Shape broadcast(const NodeView& node, const Shape& a, const Shape& b);

/// The map of `from` broadcast to `to`.
IndexMap broadcast_map(const Shape& from, const Shape& to);

/// Integers that are an attribute before opset `since` and an input from then on.
std::optional<std::vector<int64_t>> ints_argument(NodeView& node, int64_t since, size_t input,
                                                  const std::string& name);

/// The one value of a constant input.
float scalar(const NodeView& node, size_t input);

/// Every axis made non-negative; throws Error when one is out of range or repeated.
std::vector<int64_t> normal_axes(const NodeView& node, std::vector<int64_t> axes, size_t rank);

/// Product of the extents in [begin, end).
int64_t extent(const Shape& shape, size_t begin, size_t end);

/// True when no input is an activation: the importer then folds, and all of them are operands.
bool all_constant(const NodeView& node);

}  // namespace vigor
