// Operators that compute nothing: views, and data movement by an index map.
#pragma once

#include "ops/index.h"

namespace vigor {

/// Input 0 under another shape of as many elements. Throws Error otherwise.
std::shared_ptr<const Op> make_view(NodeView& node, const Shape& shape);

/// Where an element comes from; operand -1: from the constants.
struct Source {
  int32_t operand;
  int32_t element;
};

/// The operator that copies element by element; a view where that moves nothing. `operand_sizes`
/// and `map` as for the node's registered operands.
std::shared_ptr<const Op> make_move(const NodeView& node, Shape shape, std::vector<Source> map,
                                    std::vector<float> constants, bool trained = false);

/// Registers input 0 and moves its elements; `fill` stands where the map is negative.
std::shared_ptr<const Op> make_move(NodeView& node, Shape shape, const IndexMap& map,
                                    float fill = 0.0F);

}  // namespace vigor
