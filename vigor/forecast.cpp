#include "forecast.h"

#include <algorithm>
#include <chrono>

#include "cut.h"
#include "lattice.h"
#include "memory.h"
#include "prober.h"
#include "random.h"
#include "run.h"

namespace vigor {

namespace {

std::vector<float> random_input(const Graph& graph) {
  const Philox random(0);
  std::vector<float> input(static_cast<size_t>(graph.tensor(graph.input).size));
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(random.uniform(i));
  return input;
}

// Seconds and multiply-accumulates of one probe of a site: a batch at one neuron, planned once and
// run twice.
struct ProbeCost {
  double seconds, macs;
};
ProbeCost probe_cost(Prober& prober, int32_t site) {
  const auto& neurons = prober.site(site).neurons;
  const int64_t neuron = neurons[neurons.size() / 2];
  std::vector<Fault> faults;
  faults.reserve(64);
  for (int l = 0; l < 64; ++l) {
    faults.push_back({0, site, neuron, 1.0F + static_cast<float>(l)});
  }
  std::vector<Outcome> outcomes(faults.size());
  prober.run(faults, outcomes);
  const int64_t macs = prober.costs().macs;
  const auto begin = std::chrono::steady_clock::now();
  prober.run(faults, outcomes);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto count = static_cast<double>(faults.size());
  return {seconds / count, static_cast<double>(prober.costs().macs - macs) / count};
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

Forecast forecast(const Graph& graph, const std::vector<Site>& sites, int64_t inputs, int threads,
                  double probes_per_cut) {
  Forecast result;
  const Golden golden(graph, random_input(graph), 0);
  const auto prober = make_prober("region", graph, sites);
  prober->bind(golden);
  for (size_t s = 0; s < sites.size(); ++s) {
    const auto neurons = static_cast<int64_t>(sites[s].neurons.size());
    if (neurons == 0) continue;
    const double probes =
        probes_per_cut * static_cast<double>(count_cuts(graph, sites[s]) * inputs);
    const ProbeCost cost = probe_cost(*prober, static_cast<int32_t>(s));
    result.neurons += neurons;
    result.probes += probes;
    result.macs += probes * cost.macs;
    result.seconds += probes * cost.seconds / threads;
  }
  constexpr int64_t kCountsPerNeuron = 5 * kBits + 3;
  const int64_t rows = class_rows_fit(graph, result.neurons) ? graph.classes() + 1 : 1;
  result.bytes = result.neurons * (rows * kRangeBytes + kCountsPerNeuron * 8);
  // The golden block, and for each thread its plans and, at worst, every row changed.
  result.bytes += golden_bytes(graph) * (1 + threads) + threads * kProberCache;
  return result;
}

}  // namespace vigor
