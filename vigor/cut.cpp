#include "cut.h"

#include <algorithm>
#include <unordered_set>

namespace vigor {

namespace {

// The node that alone reads a tensor, through views or not, and only once; -1 where there is none.
int only_reader(const Graph& graph, int tensor) {
  const int storage = graph.tensor(tensor).storage;
  if (graph.tensor(graph.logits).storage == storage) return -1;
  int reader = -1;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    if (node.op->role() == Role::kView) continue;
    for (const int input : node.inputs) {
      if (graph.tensor(input).storage != storage) continue;
      if (reader >= 0) return -1;
      reader = static_cast<int>(n);
    }
  }
  return reader;
}

// At most one output element of a step depends on each element of the operand.
bool one_to_one(const Op& op, size_t operand, int64_t elements) {
  std::vector<int32_t> found;
  for (int32_t e = 0; e < elements; ++e) {
    found.clear();
    if (!op.affected(operand, {&e, 1}, found) || found.size() > 1) return false;
  }
  return true;
}

// Elements of all operands of a step, the most of any.
int64_t largest_operands(const Graph& graph, const CutChain& chain) {
  int64_t largest = 0;
  for (const auto& step : chain.steps) {
    int64_t elements = 0;
    for (const int input : graph.node(step.node).inputs) elements += graph.tensor(input).size;
    largest = std::max(largest, elements);
  }
  return largest;
}

}  // namespace

CutChain find_cut(const Graph& graph, int tensor) {
  CutChain chain{tensor, {}};
  while (true) {
    const int reader = only_reader(graph, chain.tensor);
    if (reader < 0) return chain;
    const Node& node = graph.node(reader);
    const int storage = graph.tensor(chain.tensor).storage;
    const auto operand = std::ranges::find_if(
        node.inputs, [&](int input) { return graph.tensor(input).storage == storage; });
    const auto at = static_cast<size_t>(operand - node.inputs.begin());
    if (!node.op->monotone() || !one_to_one(*node.op, at, graph.tensor(storage).size)) return chain;
    chain.steps.push_back({reader, at});
    chain.tensor = node.output;
  }
}

int64_t CutChain::element(const Graph& graph, int64_t neuron) const {
  auto element = static_cast<int32_t>(neuron);
  std::vector<int32_t> found;
  for (const Step& step : steps) {
    found.clear();
    graph.node(step.node).op->affected(step.operand, {&element, 1}, found);
    if (found.empty()) return -1;
    element = found.front();
  }
  return element;
}

int64_t count_cuts(const Graph& graph, const Site& site) {
  const CutChain chain = find_cut(graph, site.tensor);
  std::unordered_set<int64_t> cuts;
  for (const int64_t neuron : site.neurons) cuts.insert(chain.element(graph, neuron));
  return static_cast<int64_t>(cuts.size()) - (cuts.contains(-1) ? 1 : 0);
}

std::vector<Site> with_cut_sites(const Graph& graph, const std::vector<Site>& sites) {
  std::vector<Site> all = sites;
  for (const Site& site : sites) {
    const int cut = find_cut(graph, site.tensor).tensor;
    all.push_back({site.name + " cut",
                   SiteKind::kOther,
                   graph.tensor(cut).producer,
                   cut,
                   graph.tensor(cut).size,
                   {}});
  }
  return all;
}

CutMap::CutMap(const Graph& graph, const CutChain& chain, std::span<const int64_t> neurons,
               const Golden& golden)
    : graph_(graph),
      chain_(chain),
      golden_(golden),
      lanes_(golden.lanes()),
      rows_(chain.steps.size() + 1, LaneFloats(static_cast<size_t>(lanes_))),
      arena_(largest_operands(graph, chain) * lanes_) {
  for (int lane = 0; lane < lanes_; ++lane) {
    inputs_.push_back(static_cast<int32_t>(lane % golden.count()));
  }
  const int64_t largest = largest_operands(graph, chain);
  no_row_.assign(static_cast<size_t>(largest), -1);
  row_of_ = no_row_;
  for (const int64_t neuron : neurons) plans_.push_back(plan(neuron));
}

CutMap::Plan CutMap::plan(int64_t neuron) {
  Plan plan;
  if (chain_.element(graph_, neuron) < 0) return plan;
  auto element = static_cast<int32_t>(neuron);
  std::vector<RegionTensor> operands;
  std::vector<int32_t> found;
  for (size_t s = 0; s < chain_.steps.size(); ++s) {
    const auto& [number, operand] = chain_.steps[s];
    const Node& node = graph_.node(number);
    operands.clear();
    for (const int input : node.inputs) {
      const int storage = graph_.tensor(input).storage;
      operands.push_back({storage, {}, nullptr, no_row_.data(), graph_.tensor(input).size, lanes_});
    }
    RegionTensor& changed = operands[operand];
    changed.changed = {&element, 1};
    changed.values = rows_[s].data();
    changed.row_of = row_of_.data();
    row_of_[static_cast<size_t>(element)] = 0;
    found.clear();
    node.op->affected(operand, {&element, 1}, found);
    arena_.seek(0);
    plan.push_back(
        node.op->plan_region(operands, {node.output, found, rows_[s + 1].data(), lanes_, &arena_}));
    row_of_[static_cast<size_t>(element)] = -1;
    element = found.front();
  }
  return plan;
}

const float* CutMap::run(size_t k, const float* values) {
  if (chain_.steps.empty()) return values;
  std::copy_n(values, lanes_, rows_[0].data());
  for (const auto& step : plans_[k]) step->run({&golden_, inputs_.data(), lanes_, lanes_});
  return rows_.back().data();
}

}  // namespace vigor
