// A constant that an operator takes at run time beside its activations.
#pragma once

#include "node_view.h"

namespace vigor {

std::shared_ptr<const Op> make_constant(ConstantPtr value);

}  // namespace vigor
