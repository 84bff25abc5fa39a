// The explicit table of supported operators.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "node_view.h"

namespace vigor {

/// Reads attributes and constants, registers the operands, checks shapes, returns the operator.
/// Throws Error naming node, operator and attribute for whatever it does not support.
using OpBuilder = std::shared_ptr<const Op> (*)(NodeView& node);

struct OpRow {
  std::string_view type;  // ONNX operator
  OpBuilder build;
  std::string_view limits;  // what is not supported of it, for docs/ops.md; empty: all of float32
};

/// All rows, by name.
std::span<const OpRow> op_table();

/// Null where the operator is not supported.
const OpRow* find_op(std::string_view type);

}  // namespace vigor
