// Faults per second of a prober on one thread: random single bit flips, every one run. Median of
// the rounds, each with a golden block of its own.
//
//   prober_rate MODEL.onnx PROBER FAULTS ROUNDS --data SPEC [preprocessing]
//       FAULTS random flips of random neurons (post-activation sites, uniform) of one image
//   prober_rate ... --neurons K [--inputs N] [--site NAME]
//       FAULTS random flips for each of K random neurons of every site (or of one) and every image
//       of a block of N, as an analysis asks
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
#include "workers.h"

namespace {

using namespace vigor;

float random_flip(const Golden& golden, const Site& site, int64_t neuron, int64_t input,
                  uint64_t bits) {
  return flip_bit(golden.value(site.tensor, neuron, input), static_cast<int>(bits));
}

// `count` flips of random neurons of the first image, uniform over all sites.
std::vector<Fault> draw_uniform(const std::vector<Site>& sites, const Golden& golden, int64_t count,
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
    faults.push_back({0, site, neuron,
                      random_flip(golden, sites[static_cast<size_t>(site)], neuron, 0,
                                  random.below(kBits, index, 1))});
  }
  return faults;
}

// `count` flips of each neuron of the sites and each image.
std::vector<Fault> draw_blocks(const std::vector<Site>& sites, const Golden& golden, int64_t count,
                               uint64_t seed) {
  const Philox random(seed);
  std::vector<Fault> faults;
  for (size_t s = 0; s < sites.size(); ++s) {
    for (const int64_t neuron : sites[s].neurons) {
      for (int64_t input = 0; input < golden.count(); ++input) {
        for (int64_t i = 0; i < count; ++i) {
          const uint64_t bit = random.below(kBits, faults.size(), 2);
          faults.push_back({static_cast<int32_t>(input), static_cast<int32_t>(s), neuron,
                            random_flip(golden, sites[s], neuron, input, bit)});
        }
      }
    }
  }
  return faults;
}

struct Shares {
  int64_t neurons = 0;  // per site; 0: faults of one image, neurons uniform
  int64_t inputs = 1;
  std::string site;
};

void run(const std::string& model, const std::string& kind, int64_t count, int rounds,
         const Shares& shares, const DataOptions& options) {
  const Graph graph = import_onnx(model);
  const Dataset data = Dataset::open(options);
  auto sites = select_sites(graph, "post-activation");
  std::erase_if(sites,
                [&](const Site& s) { return !shares.site.empty() && s.name != shares.site; });
  const auto prober = make_prober(kind, graph, sites);
  std::vector<double> rates;
  double macs = 0;
  double seconds_of_all = 0;
  int64_t masked = 0;
  double dense = 0;
  double all = 0;
  for (int round = 0; round < rounds; ++round) {
    const int64_t first = round * shares.inputs;
    const Golden golden(graph, read_inputs(graph, data, first, shares.inputs), first);
    prober->bind(golden);
    const auto seed = static_cast<uint64_t>(round);
    if (shares.neurons > 0) sample_neurons(sites, fmt::format("{}", shares.neurons), seed);
    const auto faults = shares.neurons > 0 ? draw_blocks(sites, golden, count, seed)
                                           : draw_uniform(sites, golden, count, seed);
    std::vector<Outcome> outcomes(faults.size());
    const int64_t before = prober->costs().macs;
    const auto begin = std::chrono::steady_clock::now();
    prober->run(faults, outcomes);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    rates.push_back(static_cast<double>(faults.size()) / seconds);
    all += static_cast<double>(faults.size());
    macs += static_cast<double>(prober->costs().macs - before);
    seconds_of_all += seconds;
    masked += std::count_if(outcomes.begin(), outcomes.end(), [](auto& o) { return o.masked; });
    std::vector<double> of_site;
    of_site.reserve(sites.size());
    for (const Site& site : sites) of_site.push_back(static_cast<double>(suffix_macs(graph, site)));
    for (const Fault& f : faults) dense += of_site[static_cast<size_t>(f.site)];
  }
  std::sort(rates.begin(), rates.end());
  fmt::print(
      "{} {}: {:.0f} faults/s (min {:.0f}, max {:.0f}), {:.1f} % masked, {:.0f} macs/fault "
      "({:.3f} of the dense suffix), {:.1f} GFLOP/s\n",
      graph.file, kind, rates[rates.size() / 2], rates.front(), rates.back(),
      100 * static_cast<double>(masked) / all, macs / all, macs / dense,
      2e-9 * macs / seconds_of_all);
}

}  // namespace

int main(int argc, char** argv) {
  vigor::keep_freed_memory();
  CLI::App app{"Faults per second of a prober"};
  std::string model, kind;
  int64_t count = 0;
  int rounds = 0;
  Shares shares;
  app.add_option("MODEL", model)->required();
  app.add_option("PROBER", kind)->required();
  app.add_option("FAULTS", count)->required();
  app.add_option("ROUNDS", rounds)->required();
  app.add_option("--neurons", shares.neurons);
  app.add_option("--inputs", shares.inputs);
  app.add_option("--site", shares.site);
  const auto data = vigor::add_data_options(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(model, kind, count, rounds, shares, data());
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
