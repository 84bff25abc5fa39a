// Shape arithmetic: what exporters compute at run time although it is known beforehand.
#pragma once

#include <optional>
#include <string_view>

#include "node_view.h"

namespace vigor {

/// Whether fold() knows the operator.
bool folds(std::string_view type);

/// The value of a node over integers (and of Shape, Size, Constant, Cast and the like). Nothing
/// when it needs an activation or is float arithmetic, which is the operators' own business.
std::optional<Constant> fold(NodeView& node);

}  // namespace vigor
