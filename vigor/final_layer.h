// The end of a classifier: what the logits are.
#pragma once

#include <onnx/onnx_pb.h>

#include <optional>
#include <string>

#include "graph.h"

namespace vigor {

struct FinalLayer {
  std::string logits;                // tensor
  std::string type;                  // Softmax, LogSoftmax, ArgMax; empty for none
  std::optional<int64_t> axis = {};  // as the file gives it
};

/// Goes back from the graph's outputs through a final Softmax, LogSoftmax or ArgMax, and through
/// views around it. Throws Error when the outputs lead to different tensors.
FinalLayer strip_final_layer(const std::string& file, const onnx::GraphProto& graph);

/// Throws Error unless the logits are those of a classifier of two or more classes.
void check_classifier(const std::string& file, const Graph& graph, const FinalLayer& final);

}  // namespace vigor
