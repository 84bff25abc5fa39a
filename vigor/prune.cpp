#include "prune.h"

namespace vigor {

Graph pruned(const Graph& graph) {
  std::vector<bool> needed(graph.tensors.size(), false);
  needed[static_cast<size_t>(graph.logits)] = true;
  for (size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    if (!needed[static_cast<size_t>(node.output)]) continue;
    for (const int input : node.inputs) needed[static_cast<size_t>(input)] = true;
  }
  Graph result;
  result.file = graph.file;
  result.sha256 = graph.sha256;
  result.file_sha256 = graph.file_sha256;
  result.weight_files = graph.weight_files;
  result.opset = graph.opset;
  std::vector<int> moved(graph.tensors.size(), -1);
  const Tensor& input = graph.tensor(graph.input);
  result.input = moved[static_cast<size_t>(graph.input)] =
      result.add_tensor(input.name, input.shape);
  result.tensors.back().onnx_name = input.onnx_name;
  for (const Node& node : graph.nodes) {
    if (!needed[static_cast<size_t>(node.output)]) continue;
    std::vector<int> inputs;
    for (const int tensor : node.inputs) inputs.push_back(moved[static_cast<size_t>(tensor)]);
    const Tensor& made = graph.tensor(node.output);
    moved[static_cast<size_t>(node.output)] =
        result.add_node(node.name, node.type, node.op, std::move(inputs), made.name);
    result.tensors.back().onnx_name = made.onnx_name;
  }
  result.logits = moved[static_cast<size_t>(graph.logits)];
  return result;
}

}  // namespace vigor
