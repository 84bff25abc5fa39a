// What runs by many ranks take: the model of docs/cluster.md beside the simulation with the real
// scheduler, for the units of a real network.
//
//   cluster_table MODEL INPUTS [READ_SECONDS]
//
// Units cost what `vigor inspect` forecasts on this machine, one thread; READ_SECONDS (0.002) is
// what rank 0 takes for a part.
#include <fmt/format.h>

#include <cstdlib>

#include "../tests/cluster_simulation.h"
#include "error.h"
#include "execute.h"
#include "forecast.h"
#include "neuron_blocks.h"
#include "onnx_import.h"

namespace vigor {
namespace {

std::vector<std::vector<double>> units_of(const Graph& graph, int64_t inputs) {
  const int64_t block = inputs_per_block(graph);
  std::vector<double> full;  // of a whole block of inputs
  for (const Site& site : select_sites(graph, "post-activation")) {
    const double seconds = forecast(graph, {site}, block, 1).seconds;
    const auto neurons = static_cast<double>(site.neurons.size());
    for (const auto& numbers : neuron_blocks(graph, site)) {
      full.push_back(seconds * static_cast<double>(numbers.size()) / neurons);
    }
  }
  std::vector<std::vector<double>> blocks;
  for (int64_t first = 0; first < inputs; first += block) {
    const double part =
        static_cast<double>(std::min(block, inputs - first)) / static_cast<double>(block);
    blocks.push_back(full);
    for (double& seconds : blocks.back()) seconds *= part;
  }
  return blocks;
}

void print_table(const std::vector<std::vector<double>>& blocks, double read) {
  double work = 0, longest = 0, units = 0;
  for (const auto& block : blocks) {
    for (const double unit : block) {
      work += unit;
      longest = std::max(longest, unit);
      ++units;
    }
  }
  fmt::print(
      "{} units in {} blocks of inputs, {:.0f} thread seconds, mean {:.3g} s, longest {:.3g} s\n",
      units, blocks.size(), work, work / units, longest);
  fmt::print(
      "| ranks x threads | speeds | failures | model s | simulation s | busy | questions/s | parts "
      "| starts | lost thread s |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& [ranks, threads] :
       {std::pair{1, 16}, {16, 16}, {100, 16}, {1000, 16}, {1000, 1}}) {
    for (const double slowest : {1.0, 0.5}) {
      for (const double hours : {0.0, 200.0}) {
        if (ranks == 1 && (slowest < 1 || hours > 0)) continue;
        Cluster cluster;
        cluster.threads = threads;
        cluster.read = read;
        cluster.rank_hours = hours;
        double speed = 0;
        for (int r = 0; r < ranks; ++r) {
          cluster.speed.push_back(1 - (1 - slowest) * r / std::max(ranks - 1, 1));
          speed += cluster.speed.back() * threads;
        }
        const Simulated s = ClusterSimulation(blocks, cluster).run();
        fmt::print(
            "| {} x {} | {} | {} | {:.0f} | {:.0f} | {:.1f} % | {:.1f} | {} | {} | {:.0f} |\n",
            ranks, threads, slowest < 1 ? "1 to 0.5" : "1", hours > 0 ? "200 h" : "none",
            modelled_seconds(blocks, cluster), s.seconds, 100 * work / speed / s.seconds,
            static_cast<double>(s.questions) / s.seconds, s.parts, s.starts, s.lost);
      }
    }
  }
}

}  // namespace
}  // namespace vigor

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: cluster_table MODEL INPUTS [READ_SECONDS]\n");
    return 2;
  }
  try {
    const vigor::Graph graph = vigor::import_onnx(argv[1]);
    vigor::print_table(vigor::units_of(graph, std::atoll(argv[2])),
                       argc > 3 ? std::atof(argv[3]) : 0.002);
  } catch (const std::exception& error) {
    fmt::print(stderr, "cluster_table: {}\n", error.what());
    return 1;
  }
}
