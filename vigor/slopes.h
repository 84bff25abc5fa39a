// Forward-mode derivatives: how the logits change with the value of one neuron (METHOD section 3).
#pragma once

#include <cstdint>
#include <vector>

#include "execute.h"
#include "graph.h"

namespace vigor {

/// A network followed by the derivatives of its tensors with respect to one value.
struct TangentGraph {
  Graph graph;             // the network's tensors keep their numbers
  std::vector<int> nodes;  // those that depend on the value, and their tangents, in order
  std::vector<int> zeros;  // tensors: tangents of what does not depend on it
  int seed;                // tensor: tangent of the tensor that holds it
  int slopes;              // tensor: tangent of the logits
};

/// Throws Error naming the node whose operator has no derivative ("FILE: node NAME (OP): ...").
TangentGraph tangent_graph(const Graph& graph, int tensor);

/// What the network answers with a value at a neuron, for each lane of a golden block.
struct Slopes {
  const float* logits;       // [class][lane]
  const float* slopes;       // [class][lane]: derivatives with respect to the value, in float32
  std::vector<uint8_t> nan;  // by lane: the value or a tensor computed from it holds a NaN
};

/// For one tensor and one golden block, which outlives it.
class SlopeRunner {
 public:
  SlopeRunner(const Graph& graph, int tensor, const Golden& golden);

  /// values[l] at the element in lane l. Valid until the next call.
  const Slopes& run(int64_t element, const float* values);
  /// Multiply-accumulates per lane.
  int64_t macs() const { return runner_.macs(); }

 private:
  const int network_tensors_;
  const TangentGraph tangents_;
  LaneRunner runner_;
  const float* golden_;  // the tensor's values
  LaneFloats faulty_, seed_, zeros_;
  int64_t element_ = 0;  // of the last run
  Slopes slopes_;
};

}  // namespace vigor
