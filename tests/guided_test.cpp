// The guided search against plain bisection: the same points wherever a side has one crossing, and
// a crossing all the same where it has more (METHOD section 4).
#include "guided.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "dataset.h"
#include "guided_cases.h"
#include "onnx_import.h"
#include "run_head.h"

namespace vigor {
namespace {

struct Comparison {
  int64_t pairs = 0, different = 0, finite = 0;
  int64_t bisect_probes = 0, guided_probes = 0;
};

bool critical(Prober& prober, int32_t site, int64_t neuron, int32_t input, float value) {
  const Fault fault{input, site, neuron, value};
  Outcome outcome;
  prober.run({&fault, 1}, {&outcome, 1});
  return outcome.critical;
}

// Safe and unsafe are neighbours, one of them is critical. (Or the last point is not.)
void expect_valid(Prober& prober, int32_t site, int64_t neuron, int32_t input, int side,
                  const Threshold& t) {
  const Lattice lattice;
  const float a = prober.golden().value(prober.site(site).tensor, neuron, input);
  EXPECT_FALSE(critical(prober, site, neuron, input, t.safe));
  if (std::isinf(t.unsafe)) {
    EXPECT_EQ(t.safe, lattice.point(a, side, lattice.count(a, side)));
    return;
  }
  EXPECT_TRUE(critical(prober, site, neuron, input, t.unsafe));
  EXPECT_EQ(lattice.index(a, side, t.unsafe), lattice.index(a, side, t.safe) + 1);
}

Comparison compare(const Graph& graph, std::vector<Site> sites, const std::vector<float>& inputs,
                   const Shortcuts& shortcuts, const char* kind = "suffix") {
  const std::vector<SiteFacts> facts = facts_of(graph, sites);
  const std::vector<Site> probed = with_cut_sites(graph, sites);
  const auto prober = make_prober(kind, graph, probed);
  const Golden golden(graph, inputs, 0);
  prober->bind(golden);
  Comparison result;
  for (size_t s = 0; s < sites.size(); ++s) {
    const auto site = static_cast<int32_t>(s);
    const auto& neurons = sites[s].neurons;
    std::vector<int64_t> bisect_probes(neurons.size()), guided_probes(neurons.size());
    const auto expected = bisect(*prober, Lattice(), site, neurons, bisect_probes);
    const auto found =
        GuidedSearch(*prober, Lattice(), site, facts[s], all_numbers(sites[s]), shortcuts)
            .run(guided_probes);
    EXPECT_EQ(found.size(), expected.size());
    for (size_t p = 0; p < expected.size(); ++p) {
      ++result.pairs;
      result.finite += std::isfinite(expected[p].unsafe);
      if (found[p].safe == expected[p].safe && found[p].unsafe == expected[p].unsafe) continue;
      if (std::isnan(found[p].safe) && std::isnan(expected[p].safe)) continue;
      ++result.different;
      const auto count = static_cast<size_t>(golden.count());
      expect_valid(*prober, site, neurons[p / 2 / count], static_cast<int32_t>(p / 2 % count),
                   p % 2 ? 1 : -1, found[p]);
    }
    result.bisect_probes += std::accumulate(bisect_probes.begin(), bisect_probes.end(), int64_t{0});
    result.guided_probes += std::accumulate(guided_probes.begin(), guided_probes.end(), int64_t{0});
  }
  return result;
}

TEST(Guided, EqualsBisectionWhereOneCrossingIsTheTruth) {
  RandomFloats random(11);
  for (const auto& chain : chains_to_one_layer()) {
    for (const bool negative_scale : {false, true}) {
      const Graph graph = one_layer_behind(random, chain, negative_scale);
      const auto inputs = random.floats(49 * 4, 1);
      for (const Shortcuts& shortcuts : combinations()) {
        const Comparison c = compare(graph, select_sites(graph, "all"), inputs, shortcuts);
        EXPECT_EQ(c.different, 0) << (chain.empty() ? "plain" : chain[0].first) << negative_scale
                                  << shortcuts.guide << shortcuts.cut << shortcuts.domain
                                  << shortcuts.far;
        EXPECT_GT(c.finite, 50);
        EXPECT_LE(c.guided_probes, c.bisect_probes);
      }
    }
  }
}

TEST(Guided, FindsACrossingInDeepNetworks) {
  RandomFloats random(12);
  int64_t pairs = 0, different = 0;
  for (const char* function : {"Relu", "Sigmoid", "HardSwish"}) {
    const Graph graph = deep_network(random, function);
    const auto inputs = random.floats(128 * 2, 1);
    for (const Shortcuts& shortcuts : combinations()) {
      const Comparison c = compare(graph, select_sites(graph, "all"), inputs, shortcuts, "region");
      pairs += c.pairs;
      different += c.different;
      EXPECT_LE(c.guided_probes, c.bisect_probes);
    }
  }
  EXPECT_LT(static_cast<double>(different), 0.05 * static_cast<double>(pairs));
}

TEST(Guided, LeNet) {
  if (!have_fashion_mnist()) GTEST_SKIP() << "no Fashion-MNIST";
  DataOptions options;
  options.spec = "fashion-mnist";
  options.preprocessing.scale = {1, 255};
  const Dataset data = Dataset::open(options);
  const Graph graph = import_onnx(lenet5());
  std::vector<Site> sites = select_sites(graph, "post-activation");
  for (Site& site : sites) site.neurons.resize(std::min<size_t>(site.neurons.size(), 112));
  std::vector<float> inputs = read_inputs(graph, data, 0, 16);
  for (const Shortcuts& shortcuts : combinations()) {
    const Comparison c = compare(graph, sites, inputs, shortcuts, "region");
    EXPECT_LT(static_cast<double>(c.different), 0.02 * static_cast<double>(c.pairs));
    EXPECT_GT(c.finite, c.pairs / 4);
  }
}

}  // namespace
}  // namespace vigor
