#include "graph.h"

namespace vigor {

int64_t Graph::macs() const {
  int64_t sum = 0;
  for (const Node& node : nodes) sum += node.op->macs();
  return sum;
}

int64_t Graph::parameters() const {
  int64_t sum = 0;
  for (const Node& node : nodes) sum += node.op->parameters();
  return sum;
}

int Graph::add_tensor(std::string name, Shape shape) {
  const int id = static_cast<int>(tensors.size());
  const int64_t size = element_count(shape);
  tensors.push_back({std::move(name), std::move(shape), size, -1, {}, id, {}});
  return id;
}

int Graph::add_node(std::string name, std::string type, std::shared_ptr<const Op> op,
                    std::vector<int> inputs, std::string output_name) {
  const int node = static_cast<int>(nodes.size());
  const int output = add_tensor(std::move(output_name), op->shape());
  Tensor& made = tensors.back();
  made.producer = node;
  if (op->role() == Role::kView) made.storage = tensor(inputs.front()).storage;
  for (const int input : inputs) tensors[static_cast<size_t>(input)].consumers.push_back(node);
  nodes.push_back({std::move(name), std::move(type), std::move(op), std::move(inputs), output});
  return output;
}

std::vector<bool> depends_on(const Graph& graph, int tensor) {
  std::vector<bool> touched(graph.tensors.size(), false);
  std::vector<bool> nodes(graph.nodes.size(), false);
  touched[static_cast<size_t>(tensor)] = true;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const int input : graph.nodes[n].inputs) {
      if (touched[static_cast<size_t>(input)]) nodes[n] = true;
    }
    if (nodes[n]) touched[static_cast<size_t>(graph.nodes[n].output)] = true;
  }
  return nodes;
}

}  // namespace vigor
