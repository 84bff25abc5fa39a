// The network as the analysis sees it: activations and the operators between them.
//
// Shapes are ONNX shapes with the batch dimension set to 1. A batch is a dimension of ours, outside
// of the shape, so that an operator may do with its dimensions what it likes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "op.h"

namespace vigor {

struct Tensor {
  std::string name;  // printable
  Shape shape;
  int64_t size = 0;
  int producer = -1;           // node, -1 for the network's input
  std::vector<int> consumers;  // nodes
  int storage = -1;            // the tensor whose memory it shares (itself unless a view)
  std::string onnx_name;       // as the file spells it; empty where it has none
};

struct Node {
  std::string name;
  std::string type;  // ONNX operator
  std::shared_ptr<const Op> op;
  std::vector<int> inputs;  // tensors
  int output = -1;
};

/// Nodes in topological order; every one leads to the logits.
struct Graph {
  std::string file;    // base name of the model file
  std::string sha256;  // of the model: its file, and weights that lie in others
  std::string file_sha256;
  std::vector<std::filesystem::path> weight_files;  // others that were read
  int64_t opset = 0;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  int input = -1;   // tensor
  int logits = -1;  // tensor: what a final softmax or argmax is taken of

  int64_t classes() const { return tensors[static_cast<size_t>(logits)].size; }
  const Tensor& tensor(int id) const { return tensors[static_cast<size_t>(id)]; }
  const Node& node(int id) const { return nodes[static_cast<size_t>(id)]; }
  int64_t macs() const;
  int64_t parameters() const;

  /// Adds a tensor, or a node with its output tensor (a view shares its operand's storage).
  /// Return the new tensor's index.
  int add_tensor(std::string name, Shape shape);
  int add_node(std::string name, std::string type, std::shared_ptr<const Op> op,
               std::vector<int> inputs, std::string output_name);
};

/// For every node whether its output depends on `tensor`.
std::vector<bool> depends_on(const Graph& graph, int tensor);

}  // namespace vigor
