#include "slopes.h"

#include <algorithm>
#include <cmath>

#include "error.h"
#include "kernels/kernels.h"

namespace vigor {

namespace {

std::shared_ptr<const Op> tangent_of(const Graph& graph, const Node& node) {
  std::shared_ptr<const Op> op = node.op->tangent();
  if (op) return op;
  fail(graph.file, "node {} ({}): has no derivative, expected one of every operator behind a site",
       node.name, node.type);
}

}  // namespace

TangentGraph tangent_graph(const Graph& network, int tensor) {
  TangentGraph result{network, {}, {}, -1, -1};
  Graph& graph = result.graph;
  const int storage = network.tensor(tensor).storage;
  result.seed = graph.add_tensor("seed", network.tensor(storage).shape);
  // By storage, so that views need no tangents of their own. -1: does not depend on the value.
  std::vector<int> tangents(network.tensors.size(), -1);
  tangents[static_cast<size_t>(storage)] = result.seed;
  const auto of = [&](int t) -> int& {
    return tangents[static_cast<size_t>(network.tensor(t).storage)];
  };
  const std::vector<bool> dependent = depends_on(network, storage);
  for (size_t n = 0; n < network.nodes.size(); ++n) {
    const Node& node = network.nodes[n];
    if (!dependent[n] || node.op->role() == Role::kView) continue;
    const std::shared_ptr<const Op> op = tangent_of(network, node);
    std::vector<int> inputs;
    if (op->operands() == 2 * node.inputs.size()) inputs = node.inputs;
    for (const int input : node.inputs) {
      if (of(input) < 0) {
        result.zeros.push_back(graph.add_tensor("zero", network.tensor(input).shape));
      }
      inputs.push_back(of(input) < 0 ? result.zeros.back() : of(input));
    }
    result.nodes.push_back(static_cast<int>(n));
    result.nodes.push_back(static_cast<int>(graph.nodes.size()));
    of(node.output) =
        graph.add_node(node.name, node.type + "_tangent", op, std::move(inputs), "tangent");
  }
  result.slopes = of(network.logits);
  return result;
}

SlopeRunner::SlopeRunner(const Graph& graph, int tensor, const Golden& golden)
    : network_tensors_(static_cast<int>(graph.tensors.size())),
      tangents_(tangent_graph(graph, tensor)),
      runner_(tangents_.graph, tangents_.nodes, golden.lanes(), false),
      golden_(golden.values(tensor)) {
  const auto lanes = static_cast<size_t>(golden.lanes());
  for (const int bound : runner_.bound()) {
    if (bound < network_tensors_) runner_.bind(bound, golden.values(bound));
  }
  const auto size = static_cast<size_t>(graph.tensor(tensor).size) * lanes;
  faulty_.assign(golden_, golden_ + size);
  seed_.assign(size, 0.0F);
  runner_.bind(tensor, faulty_.data());
  runner_.bind(tangents_.seed, seed_.data());
  for (const int zero : tangents_.zeros) {
    const auto floats = static_cast<size_t>(tangents_.graph.tensor(zero).size) * lanes;
    zeros_.resize(std::max(zeros_.size(), floats));
  }
  for (const int zero : tangents_.zeros) runner_.bind(zero, zeros_.data());
  slopes_.nan.resize(lanes);
}

const Slopes& SlopeRunner::run(int64_t element, const float* values) {
  const int lanes = runner_.lanes();
  std::copy_n(golden_ + element_ * lanes, lanes, faulty_.data() + element_ * lanes);
  std::fill_n(seed_.data() + element_ * lanes, lanes, 0.0F);
  std::copy_n(values, lanes, faulty_.data() + element * lanes);
  std::fill_n(seed_.data() + element * lanes, lanes, 1.0F);
  element_ = element;
  for (int l = 0; l < lanes; ++l) slopes_.nan[static_cast<size_t>(l)] = std::isnan(values[l]);
  runner_.run([&](int made) {
    if (made >= network_tensors_) return;
    kernels().find_nan(runner_.values(made), tangents_.graph.tensor(made).size, lanes, lanes,
                       slopes_.nan.data());
  });
  slopes_.logits = runner_.values(tangents_.graph.logits);
  slopes_.slopes = runner_.values(tangents_.slopes);
  return slopes_;
}

}  // namespace vigor
