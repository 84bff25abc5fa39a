// Amortised merging against thresholds of every input, merged: the same ranges wherever sides have
// one crossing, and no difference elsewhere that several crossings do not explain.
#include "amortised.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analyze.h"
#include "dataset.h"
#include "deviation.h"
#include "error.h"
#include "factors.h"
#include "guided_cases.h"
#include "onnx_import.h"
#include "run_head.h"
#include "samples.h"

namespace vigor {
namespace {

TEST(Amortised, PointsAreTheNearestOnTheRightSideOfTheBound) {
  RandomFloats random(21);
  for (const int bits : {0, 2}) {
    const Lattice lattice(bits);
    for (int n = 0; n < 300; ++n) {
      const float a = n % 7 == 0 ? 0 : random.floats(1, n % 3 == 0 ? 1e-6F : 2)[0];
      for (const int side : {-1, 1}) {
        const int64_t last = lattice.count(a, side);
        const float size = std::abs(random.floats(1, n % 2 ? 0.5F : 1e5F)[0]);
        double bound = static_cast<double>(side) * size;
        if (n % 5 == 0) bound = deviation_outward(lattice.point(a, side, n % last), a);
        if (n % 11 == 0) bound = 0;
        if (n % 13 == 0) bound = side * 0x1.2p100;  // beyond the domain from most values
        int64_t inner = last, outer = 0;
        for (int64_t p = last; p >= 0; --p) {
          const int reach = side * compare_deviation(lattice.point(a, side, p), a, bound);
          if (reach >= 0) inner = p;
          if (reach <= 0) outer = std::max(outer, p);
        }
        EXPECT_EQ(inner_point(lattice, a, side, bound), inner) << a << ' ' << bound;
        EXPECT_EQ(outer_point(lattice, a, side, bound), outer) << a << ' ' << bound;
        EXPECT_EQ(inner_point(lattice, a, side, side * double{INFINITY}), last);
      }
    }
  }
}

// A network, its sites and inputs as a few golden blocks.
struct Case {
  const Graph& graph;
  std::vector<Site> sites;
  std::vector<float> inputs;
  int64_t block = 12;
  const char* prober = "suffix";
  std::vector<Site> probed = with_cut_sites(graph, sites);
  std::vector<std::unique_ptr<Golden>> golden = {};

  void run() {
    const int64_t size = graph.tensor(graph.input).size;
    const auto count = static_cast<int64_t>(inputs.size()) / size;
    for (int64_t first = 0; first < count; first += block) {
      const auto begin = inputs.begin() + first * size;
      const auto end = inputs.begin() + std::min(count, first + block) * size;
      golden.push_back(std::make_unique<Golden>(graph, std::vector<float>(begin, end), first));
    }
  }
};

// Of a site: all thresholds searched and merged, or amortised.
SiteTally tally(const Case& c, size_t site, const UnitOptions& options, bool amortised) {
  const auto prober = make_prober(c.prober, c.graph, c.probed);
  const std::vector<int64_t> numbers = all_numbers(c.sites[site]);
  AmortisedUnit unit(static_cast<int32_t>(site), numbers, c.graph.classes(), options);
  SiteTally total(std::ssize(numbers), options.per_class ? c.graph.classes() + 1 : 1);
  for (const auto& golden : c.golden) {
    prober->bind(*golden);
    if (amortised) {
      unit.add(*prober);
    } else {
      total.merge(run_unit(*prober, static_cast<int32_t>(site), numbers, options), numbers);
    }
  }
  return amortised ? unit.tally() : total;
}

TEST(Amortised, EqualsTheFullSearchWhereOneCrossingIsTheTruth) {
  RandomFloats random(22);
  for (const auto& chain : chains_to_one_layer()) {
    for (const bool negative_scale : {false, true}) {
      const Graph graph = one_layer_behind(random, chain, negative_scale);
      Case c{graph, select_sites(graph, "all"), random.floats(49 * 40, 1)};
      c.run();
      UnitOptions options;
      options.facts = std::make_shared<std::vector<SiteFacts>>(facts_of(graph, c.sites));
      for (size_t site = 0; site < c.sites.size(); ++site) {
        UnitOptions oracle;
        for (const bool per_class : {true, false}) {
          options.per_class = oracle.per_class = per_class;
          const SiteTally full = tally(c, site, oracle, false);
          for (const Shortcuts& shortcuts : combinations()) {
            options.shortcuts = shortcuts;
            for (const bool vulnerable : {true, false}) {
              options.vulnerable = vulnerable;
              const SiteTally found = tally(c, site, options, true);
              EXPECT_EQ(found.nonvulnerable, full.nonvulnerable) << c.sites[site].name;
              EXPECT_EQ(found.golden, full.golden);
              if (!vulnerable) continue;
              EXPECT_EQ(found.vulnerable, full.vulnerable) << c.sites[site].name;
              EXPECT_EQ(found.vulnerable_finite, full.vulnerable_finite);
              EXPECT_EQ(found.finite, full.finite);
            }
          }
        }
      }
    }
  }
}

// Whether all points of a side up to some one are safe, and all further ones critical.
bool one_crossing(Prober& prober, const Lattice& lattice, int32_t site, int64_t neuron,
                  int32_t input, int side) {
  const float a = prober.golden().value(prober.site(site).tensor, neuron, input);
  std::vector<Fault> faults;
  for (int64_t p = 1; p <= lattice.count(a, side); ++p) {
    faults.push_back({input, site, neuron, lattice.point(a, side, p)});
  }
  std::vector<Outcome> outcomes(faults.size());
  prober.run(faults, outcomes);
  return std::ranges::is_sorted(outcomes, {}, &Outcome::critical);
}

struct Differences {
  int64_t entries = 0, different = 0;
};

// Compares the ranges of every class; probes every point of the sides behind those that differ.
Differences explain(const Case& c, UnitOptions options) {
  Differences result;
  for (size_t site = 0; site < c.sites.size(); ++site) {
    const SiteTally full = tally(c, site, options, false);
    const SiteTally found = tally(c, site, options, true);
    EXPECT_EQ(found.golden, full.golden);
    const auto prober = make_prober(c.prober, c.graph, c.probed);
    const size_t in_row = 2 * static_cast<size_t>(full.neurons);
    for (size_t e = 0; e < full.nonvulnerable.size() - in_row; ++e) {  // without that of all inputs
      ++result.entries;
      if (found.nonvulnerable[e] == full.nonvulnerable[e] &&
          found.vulnerable[e] == full.vulnerable[e] && found.finite[e] == full.finite[e] &&
          found.vulnerable_finite[e] == full.vulnerable_finite[e]) {
        continue;
      }
      ++result.different;
      const int64_t neuron = c.sites[site].neurons[e % in_row / 2];
      bool explained = false;
      for (const auto& golden : c.golden) {
        prober->bind(*golden);
        for (int32_t i = 0; i < golden->count() && !explained; ++i) {
          if (golden->golden_class(i) != static_cast<int32_t>(e / in_row)) continue;
          explained = !one_crossing(*prober, options.lattice, static_cast<int32_t>(site), neuron, i,
                                    e % 2 ? 1 : -1);
        }
      }
      EXPECT_TRUE(explained) << c.sites[site].name << " neuron " << neuron << " row " << e / in_row;
    }
  }
  return result;
}

TEST(Amortised, SeveralCrossingsExplainEveryDifference) {
  RandomFloats random(23);
  Differences all;
  for (const char* function : {"Relu", "Sigmoid", "HardSwish"}) {
    const Graph graph = deep_network(random, function);
    Case c{graph, select_sites(graph, "all"), random.floats(128 * 40, 1), 12, "region"};
    c.run();
    UnitOptions options{Lattice(3)};
    options.facts = std::make_shared<std::vector<SiteFacts>>(facts_of(graph, c.sites));
    const Differences found = explain(c, options);
    all.entries += found.entries;
    all.different += found.different;
  }
  EXPECT_GT(all.entries, 1000);
  EXPECT_LT(static_cast<double>(all.different), 0.1 * static_cast<double>(all.entries));
}

TEST(Amortised, LeNet) {
  if (!have_fashion_mnist()) GTEST_SKIP() << "no Fashion-MNIST";
  DataOptions data_options;
  data_options.spec = "fashion-mnist";
  data_options.preprocessing.scale = {1, 255};
  const Dataset data = Dataset::open(data_options);
  const Graph graph = import_onnx(lenet5());
  Case c{graph, select_sites(graph, "post-activation"), read_inputs(graph, data, 0, 96), 32,
         "region"};
  for (Site& site : c.sites) site.neurons.resize(std::min<size_t>(site.neurons.size(), 112));
  c.probed = with_cut_sites(graph, c.sites);
  c.run();
  UnitOptions options{Lattice(3)};
  options.facts = std::make_shared<std::vector<SiteFacts>>(facts_of(graph, c.sites));
  const Differences found = explain(c, options);
  EXPECT_LT(static_cast<double>(found.different), 0.05 * static_cast<double>(found.entries));
}

// Over more inputs than a unit holds.
TEST(ParallelAmortised, SameBitsForAnyThreadsAndBatches) {
  RandomFloats random(24);
  const Graph graph = monotone_network(random, "Relu");
  const auto count = amortised_inputs(inputs_per_block(graph), graph.classes() + 1) + 70;
  std::vector<float> inputs = random.floats(5 * count, 1);
  inputs[7] = INFINITY;
  const Dataset data = samples({5}, inputs);
  AnalyzeOptions options;
  options.sites = "all";
  const vigor::Run full = analyze(graph, data, options);
  options.factors = "none";
  for (const char* ranges : {"both", "inner"}) {
    options.ranges = ranges;
    std::vector<std::vector<int64_t>> costs;  // of one thread
    for (const int threads : {1, 2, 4}) {
      options.threads = threads;
      options.lanes = threads == 4 ? 16 : 64;
      const vigor::Run run = analyze(graph, data, options);
      EXPECT_EQ(parse_analyze_options(run.options, 0).ranges, ranges);
      EXPECT_FALSE(run.has_factors);
      EXPECT_EQ(run.has_vulnerable, options.ranges == "both");
      EXPECT_LT(probes_per_pair(run), options.ranges == "both" ? 4.4 : 2.2);
      EXPECT_LT(probes_per_pair(run), probes_per_pair(full));
      EXPECT_TRUE(std::isnan(mvf(run).resolved));
      std::vector<std::vector<int64_t>> cost;
      for (size_t s = 0; s < run.sites.size(); ++s) {
        const SiteTally& found = run.sites[s].tally;
        const SiteTally& expected = full.sites[s].tally;
        EXPECT_EQ(found.nonvulnerable, expected.nonvulnerable);
        EXPECT_EQ(found.golden, expected.golden);
        EXPECT_TRUE(found.critical.empty());
        if (run.has_vulnerable) {
          EXPECT_EQ(found.vulnerable, expected.vulnerable);
          EXPECT_EQ(found.vulnerable_finite, expected.vulnerable_finite);
          EXPECT_EQ(found.finite, expected.finite);
        } else {
          EXPECT_TRUE(std::isnan(found.vulnerable[0]));
        }
        cost.push_back(found.probes);
        cost.back().push_back(found.macs);
      }
      if (threads == 1) costs = cost;
      EXPECT_EQ(cost, costs);
    }
  }
}

TEST(Amortised, RefusesWhatItDoesNotHold) {
  RandomFloats random(25);
  const Graph graph = monotone_network(random, "Relu");
  const Dataset data = samples({5}, random.floats(10, 1));
  AnalyzeOptions inner;
  inner.ranges = "inner";
  EXPECT_THROW(analyze(graph, data, inner), Error);
  AnalyzeOptions none;
  none.factors = "none";
  for (const auto& change : std::vector<std::function<void(AnalyzeOptions&)>>{
           [](AnalyzeOptions& o) { o.keep_thresholds = true; },
           [](AnalyzeOptions& o) { o.search = "bisect"; },
           [](AnalyzeOptions& o) { o.method = kPaperMethod; },
           [](AnalyzeOptions& o) { o.audit = 0.1; }, [](AnalyzeOptions& o) { o.factors = "some"; },
           [](AnalyzeOptions& o) { o.ranges = "outer"; }}) {
    AnalyzeOptions options = none;
    change(options);
    EXPECT_THROW(analyze(graph, data, options), Error);
  }
}

}  // namespace
}  // namespace vigor
