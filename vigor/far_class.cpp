#include "far_class.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "execute.h"

namespace vigor {

namespace {

constexpr int kLanes = 64;
constexpr float kLeastGap = 0x1p-12F;  // of the best logit over the next, relative to the largest

// The limit of the part of the network that depends on the site, nothing where one of its
// operators has none. Other nodes stand as they are: they are not run.
std::optional<Graph> limit_graph(const Graph& graph, const std::vector<bool>& dependent) {
  Graph limit;
  limit.input = limit.add_tensor("", graph.tensor(graph.input).shape);
  limit.logits = graph.logits;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto op = dependent[n] ? node.op->far_limit() : node.op;
    if (!op) return std::nullopt;
    limit.add_node(node.name, node.type, op, node.inputs, "");
  }
  return limit;
}

int32_t unique_class(const float* logits, int64_t classes) {
  int32_t best = 0;
  float largest = 0;
  for (int32_t c = 0; c < classes; ++c) {
    const float logit = logits[c * kLanes];
    if (!std::isfinite(logit)) return -1;
    largest = std::max(largest, std::abs(logit));
    if (logit > logits[best * kLanes]) best = c;
  }
  for (int32_t c = 0; c < classes; ++c) {
    if (c != best && logits[best * kLanes] - logits[c * kLanes] <= kLeastGap * largest) return -1;
  }
  return best;
}

}  // namespace

FarLimits far_limits(const Graph& graph, const Site& site, std::span<const int64_t> numbers) {
  FarLimits result{std::vector<int32_t>(2 * numbers.size(), -1), {}};
  const std::vector<int64_t> neurons = elements(site, numbers);
  const int storage = graph.tensor(site.tensor).storage;
  const std::vector<bool> dependent = depends_on(graph, storage);
  const std::optional<Graph> limit = limit_graph(graph, dependent);
  if (!limit) return result;
  std::vector<int> nodes;
  for (size_t n = 0; n < dependent.size(); ++n) {
    if (dependent[n]) nodes.push_back(static_cast<int>(n));
  }
  result.slopes.reserve(result.classes.size() * static_cast<size_t>(graph.classes()));
  LaneRunner runner(*limit, nodes, kLanes, false);
  std::map<int, std::vector<float>> outside;
  outside[storage];
  for (const int bound : runner.bound()) outside[bound];
  for (auto& [tensor, values] : outside) {
    values.assign(static_cast<size_t>(limit->tensor(tensor).size * kLanes), 0.0F);
    runner.bind(tensor, values.data());
  }
  std::vector<float>& neuron = outside[storage];
  // Lane l of a round stands for entry `begin + l` of the classes.
  for (size_t begin = 0; begin < result.classes.size(); begin += kLanes) {
    const size_t lanes = std::min<size_t>(kLanes, result.classes.size() - begin);
    const auto at = [&](size_t lane) {
      return static_cast<size_t>(neurons[(begin + lane) / 2]) * kLanes + lane;
    };
    for (size_t l = 0; l < lanes; ++l) neuron[at(l)] = (begin + l) % 2 == 0 ? -1.0F : 1.0F;
    runner.run();
    for (size_t l = 0; l < lanes; ++l) {
      const float* logits = runner.values(graph.logits) + l;
      result.classes[begin + l] = unique_class(logits, graph.classes());
      for (int64_t c = 0; c < graph.classes(); ++c) result.slopes.push_back(logits[c * kLanes]);
      neuron[at(l)] = 0.0F;
    }
  }
  return result;
}

}  // namespace vigor
