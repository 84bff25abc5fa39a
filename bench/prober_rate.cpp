// Faults per second of a prober: random single bit flips of random neurons (post-activation sites,
// neurons and bits uniform), every one run, one image at a time, one thread. Median of the rounds.
//
//   prober_rate MODEL.onnx PROBER FAULTS_PER_IMAGE ROUNDS --data SPEC [preprocessing]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "analyze.h"
#include "bit_flip.h"
#include "commands.h"
#include "forecast.h"
#include "onnx_import.h"
#include "prober.h"
#include "random.h"

namespace {

using namespace vigor;

std::vector<Fault> draw(const std::vector<Site>& sites, const Golden& golden, int64_t count,
                        uint64_t seed) {
  int64_t neurons = 0;
  for (const Site& site : sites) neurons += site.population;
  const Philox random(seed);
  std::vector<Fault> faults;
  for (int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint64_t>(i);
    auto neuron = static_cast<int64_t>(random.below(static_cast<uint64_t>(neurons), index, 0));
    int32_t site = 0;
    while (neuron >= sites[static_cast<size_t>(site)].population) {
      neuron -= sites[static_cast<size_t>(site++)].population;
    }
    const float a = golden.value(sites[static_cast<size_t>(site)].tensor, neuron, 0);
    faults.push_back({0, site, neuron, flip_bit(a, static_cast<int>(random.below(32, index, 1)))});
  }
  return faults;
}

void run(const std::string& model, const std::string& kind, int64_t count, int rounds,
         const DataOptions& options) {
  const Graph graph = import_onnx(model);
  const Dataset data = Dataset::open(options);
  const auto sites = select_sites(graph, "post-activation");
  const auto prober = make_prober(kind, graph, sites);
  std::vector<double> rates;
  double macs = 0;
  double seconds_of_all = 0;
  int64_t masked = 0;
  int64_t dense = 0;
  for (int round = 0; round < rounds; ++round) {
    const Golden golden(graph, read_inputs(graph, data, round, 1), round);
    prober->bind(golden);
    const auto faults = draw(sites, golden, count, static_cast<uint64_t>(round));
    std::vector<Outcome> outcomes(faults.size());
    const int64_t before = prober->costs().macs;
    const auto begin = std::chrono::steady_clock::now();
    prober->run(faults, outcomes);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    rates.push_back(static_cast<double>(count) / seconds);
    macs += static_cast<double>(prober->costs().macs - before);
    seconds_of_all += seconds;
    masked += std::count_if(outcomes.begin(), outcomes.end(), [](auto& o) { return o.masked; });
    for (const Fault& f : faults) dense += suffix_macs(graph, sites[static_cast<size_t>(f.site)]);
  }
  std::sort(rates.begin(), rates.end());
  const double all = static_cast<double>(count) * rounds;
  fmt::print(
      "{} {}: {:.0f} faults/s (min {:.0f}, max {:.0f}), {:.1f} % masked, {:.0f} macs/fault "
      "({:.3f} of the dense suffix), {:.1f} GFLOP/s\n",
      graph.file, kind, rates[rates.size() / 2], rates.front(), rates.back(),
      100 * static_cast<double>(masked) / all, macs / all, macs / static_cast<double>(dense),
      2e-9 * macs / seconds_of_all);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Faults per second of a prober"};
  std::string model, kind;
  int64_t count = 0;
  int rounds = 0;
  app.add_option("MODEL", model)->required();
  app.add_option("PROBER", kind)->required();
  app.add_option("FAULTS", count)->required();
  app.add_option("ROUNDS", rounds)->required();
  const auto data = vigor::add_data_options(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(model, kind, count, rounds, data());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
