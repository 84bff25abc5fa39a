// Small networks built by hand, and the models and data that tests may find.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <random>

#include "execute.h"
#include "graph.h"
#include "op_case.h"
#include "site.h"

namespace vigor {

inline Graph network(Shape input) {
  Graph graph;
  graph.file = "test";
  graph.input = graph.add_tensor("input", std::move(input));
  return graph;
}

/// Adds a node on the activations `operands`, followed by constants. Its output becomes the logits.
inline int layer(Graph& graph, const std::string& type, std::vector<int> operands,
                 const std::vector<NodeInput>& constants = {},
                 const std::map<std::string, Attribute>& attributes = {}) {
  std::vector<NodeInput> inputs;
  for (const int operand : operands) inputs.push_back(activation(graph.tensor(operand).shape));
  inputs.insert(inputs.end(), constants.begin(), constants.end());
  const std::string name = fmt::format("{}_{}", type, graph.nodes.size());
  graph.logits = graph.add_node(name, type, build({type, 13, inputs, attributes}).op,
                                std::move(operands), name + "_out");
  return graph.logits;
}

/// y = W x + b with W row by row ([outputs][inputs]).
inline int dense(Graph& graph, int x, std::vector<float> weights, std::vector<float> bias) {
  const auto rows = static_cast<int64_t>(bias.size());
  const int64_t columns = graph.tensor(x).shape.back();
  return layer(graph, "Gemm", {x},
               {constant({rows, columns}, std::move(weights)), constant({rows}, std::move(bias))},
               {{"transB", value(int64_t{1})}});
}

class RandomFloats {
 public:
  explicit RandomFloats(unsigned seed) : engine_(seed) {}
  /// Roughly normal.
  std::vector<float> floats(int64_t count, float scale) {
    std::normal_distribution<float> draw(0.0F, scale);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = draw(engine_);
    return values;
  }
  int64_t below(int64_t bound) {
    return std::uniform_int_distribution<int64_t>(0, bound - 1)(engine_);
  }

 private:
  std::mt19937 engine_;
};

/// Of all neurons under analysis.
inline std::vector<int64_t> all_numbers(const Site& site) {
  std::vector<int64_t> numbers(site.neurons.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

inline std::filesystem::path source_dir() { return VIGOR_SOURCE_DIR; }
inline std::filesystem::path lenet5() { return source_dir() / "models/lenet5_fashion_mnist.onnx"; }
/// Debian's dataset-fashion-mnist.
inline bool have_fashion_mnist() {
  return std::filesystem::exists("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz");
}

}  // namespace vigor
