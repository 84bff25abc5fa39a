#include "forecast.h"

#include <chrono>

#include "execute.h"
#include "kernels/kernels.h"
#include "run.h"

namespace vigor {

namespace {

constexpr int kLanes = 64;
// Of plain bisection with the default lattice: LeNet-5 on Fashion-MNIST takes 18 to 35.
constexpr double kProbesPerNeuronAndInput = 28;

// Multiply-accumulates per second of one thread.
double measure_rate(const Graph& graph) {
  const int64_t size = graph.tensor(graph.input).size;
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double seconds = 0;
  int64_t runs = 0;
  while (seconds < 0.3) {
    const Golden golden(graph, std::vector<float>(static_cast<size_t>(size)), 0);
    runs += golden.lanes();
    seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  const double macs = static_cast<double>(graph.macs()) * static_cast<double>(runs);
  return macs / seconds;
}

}  // namespace

int64_t suffix_macs(const Graph& graph, const Site& site) {
  const std::vector<bool> dependent = depends_on(graph, graph.tensor(site.tensor).storage);
  int64_t macs = 0;
  for (size_t n = 0; n < dependent.size(); ++n) {
    if (dependent[n]) macs += graph.nodes[n].op->macs();
  }
  return macs;
}

Forecast forecast(const Graph& graph, const std::vector<Site>& sites, int64_t inputs, int threads) {
  Forecast result;
  for (const Site& site : sites) {
    const auto neurons = static_cast<int64_t>(site.neurons.size());
    const double probes = kProbesPerNeuronAndInput * static_cast<double>(neurons * inputs);
    result.neurons += neurons;
    result.probes += probes;
    result.macs += probes * static_cast<double>(suffix_macs(graph, site));
  }
  constexpr int64_t kCountsPerNeuron = 5 * kBits + 3;
  const int64_t rows = class_rows_fit(graph, result.neurons) ? graph.classes() + 1 : 1;
  result.bytes = result.neurons * (rows * kRangeBytes + kCountsPerNeuron * 8);
  int64_t activations = 0;
  for (const Node& node : graph.nodes) {
    if (node.op->role() != Role::kView) activations += node.op->size();
  }
  result.bytes += activations * 4 * (inputs_per_block(graph) + int64_t{2} * threads * kLanes);
  result.seconds = result.macs / (measure_rate(graph) * threads);
  return result;
}

}  // namespace vigor
