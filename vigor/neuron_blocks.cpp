#include "neuron_blocks.h"

#include <algorithm>
#include <limits>

#include "cut.h"

namespace vigor {

namespace {

constexpr size_t kMostBlockNeurons = 1024;

// A neuron, and where its cut stands: position by position, there channel by channel.
struct Placed {
  int64_t place, number;
  auto operator<=>(const Placed&) const = default;
};

std::vector<Placed> placed_neurons(const Graph& graph, const Site& site) {
  const CutChain chain = find_cut(graph, site.tensor);
  const Tensor& cut = graph.tensor(chain.tensor);
  const int64_t channels = cut.shape.size() > 2 ? cut.shape[1] : 1;
  const int64_t positions = std::max<int64_t>(cut.size / std::max<int64_t>(channels, 1), 1);
  std::vector<Placed> placed;
  for (size_t k = 0; k < site.neurons.size(); ++k) {
    const int64_t e = chain.element(graph, site.neurons[k]);
    const int64_t place = e < 0 ? std::numeric_limits<int64_t>::max()  // feeds none
                                : e % positions * channels + e / positions;
    placed.push_back({place, static_cast<int64_t>(k)});
  }
  std::sort(placed.begin(), placed.end());
  return placed;
}

}  // namespace

std::vector<std::vector<int64_t>> neuron_blocks(const Graph& graph, const Site& site,
                                                size_t least) {
  std::vector<std::vector<int64_t>> blocks;
  int64_t last_place = -1;
  for (const auto& [place, number] : placed_neurons(graph, site)) {
    const size_t count = blocks.empty() ? kMostBlockNeurons : blocks.back().size();
    const bool full = count >= least && (place != last_place || count >= kMostBlockNeurons);
    if (full) blocks.emplace_back();
    blocks.back().push_back(number);
    last_place = place;
  }
  return blocks;
}

}  // namespace vigor
