// Removes what does not lead to the logits.
#pragma once

#include "graph.h"

namespace vigor {

/// The same graph without dead nodes; the input stays.
Graph pruned(const Graph& graph);

}  // namespace vigor
