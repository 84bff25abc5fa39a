// What the default search and amortised merging are tested on.
#pragma once

#include "guided.h"
#include "networks.h"

namespace vigor {

inline std::vector<SiteFacts> facts_of(const Graph& graph, const std::vector<Site>& sites) {
  std::vector<SiteFacts> facts;
  for (const Site& site : sites) {
    facts.push_back({find_cut(graph, site.tensor),
                     static_cast<int32_t>(sites.size() + facts.size()),
                     far_limits(graph, site, all_numbers(site))});
  }
  return facts;
}

// Everything, then each shortcut left out, then nothing at all.
inline std::vector<Shortcuts> combinations() {
  std::vector<Shortcuts> all(1);
  Shortcuts none;
  for (const auto& [name, member] : kShortcuts) {
    Shortcuts one;
    one.*member = none.*member = false;
    all.push_back(one);
  }
  all.push_back(none);
  return all;
}

using ChainStep = std::pair<const char*, std::map<std::string, Attribute>>;
inline const std::map<std::string, Attribute> kPool2{
    {"kernel_shape", value(std::vector<int64_t>{2, 2})},
    {"strides", value(std::vector<int64_t>{2, 2})}};

inline int batch_norm(Graph& graph, int x, const std::vector<float>& scale) {
  const auto channels = static_cast<int64_t>(scale.size());
  const std::vector<float> zero(scale.size(), 0.1F), one(scale.size(), 1.0F);
  return layer(graph, "BatchNormalization", {x},
               {constant({channels}, scale), constant({channels}, zero), constant({channels}, zero),
                constant({channels}, one)});
}

// conv -> the chain -> dense: margins are concave in every value behind the chain, so that each
// side has one crossing, and the searches must agree on every pair.
inline Graph one_layer_behind(RandomFloats& random, const std::vector<ChainStep>& chain,
                              bool negative_scale) {
  Graph graph = network({1, 1, 7, 7});
  int x = layer(graph, "Conv", {graph.input},
                {constant({3, 1, 3, 3}, random.floats(27, 0.5F)), constant({3}, {0, 0.2F, -0.1F})});
  if (negative_scale) x = batch_norm(graph, x, {1.3F, -0.7F, 0.0F});
  for (const auto& [type, attributes] : chain) x = layer(graph, type, {x}, {}, attributes);
  x = layer(graph, "Flatten", {x});
  const int64_t size = graph.tensor(x).size;
  dense(graph, x, random.floats(size * 4, 0.5F), random.floats(4, 0.3F));
  return graph;
}

/// Chains for one_layer_behind().
inline std::vector<std::vector<ChainStep>> chains_to_one_layer() {
  return {
      {},
      {{"Relu", {}}},
      {{"Sigmoid", {}}},
      {{"Tanh", {}}, {"MaxPool", kPool2}},
      {{"Relu", {}}, {"MaxPool", kPool2}},      // 5x5: one row and column are dead
      {{"AveragePool", kPool2}, {"Relu", {}}},  // members keep their own lattices
      {{"LeakyRelu", {}}, {"Neg", {}}, {"MaxPool", kPool2}},
  };
}

/// Sides may have several crossings.
inline Graph deep_network(RandomFloats& random, const char* function) {
  Graph graph = network({1, 2, 8, 8});
  int x = layer(graph, "Conv", {graph.input},
                {constant({4, 2, 3, 3}, random.floats(72, 0.4F)), constant({4}, {0, 0.1F, 0, 0})},
                {{"pads", value(std::vector<int64_t>{1, 1, 1, 1})}});
  x = layer(graph, function, {batch_norm(graph, x, {1, -1, 0.5F, 2})});
  x = layer(graph, "MaxPool", {x}, {}, kPool2);
  const int y =
      layer(graph, "Conv", {x},
            {constant({4, 4, 1, 1}, random.floats(16, 0.5F)), constant({4}, {0, 0, 0, 0})});
  x = layer(graph, "Relu", {layer(graph, "Add", {x, y})});  // x has two consumers
  x = layer(graph, "Flatten", {x});
  x = layer(graph, function,
            {dense(graph, x, random.floats(64 * 8, 0.3F), random.floats(8, 0.3F))});
  dense(graph, x, random.floats(40, 0.5F), random.floats(5, 0.3F));
  return graph;
}

}  // namespace vigor
