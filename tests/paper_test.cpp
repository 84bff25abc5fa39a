// The paper's search on networks whose every step can be followed on paper (METHOD section 3).
#include "paper.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analyze.h"
#include "networks.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Found {
  Threshold below, above;
  SiteTally tally;
};

// E = (-h + rest, 0) for one neuron h whose golden value is 0, by weights of the first class.
Found search(const Graph& graph, PaperInit init, std::vector<float> input) {
  const std::vector<Site> sites = select_sites(graph, "fc1");
  const Golden golden(graph, std::move(input), 0);
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  SiteTally tally(1, graph.classes() + 1);
  const std::vector<int64_t> neurons{0};
  const auto found = paper_search(*prober, 0, neurons, init, tally);
  return {found[0], found[1], tally};
}

// E = (bias + weight h, 0), h = x.
Graph linear(float weight, float bias) {
  Graph graph = network({1, 1});
  const int h = dense(graph, graph.input, {1}, {0});
  dense(graph, h, {weight, 0}, {bias, 0});
  return graph;
}

void expect_infinite(const Threshold& t, int side) {
  EXPECT_EQ(t.safe, static_cast<float>(side) * kMostProbed);
  EXPECT_EQ(t.unsafe, static_cast<float>(side) * kInfinity);
}

TEST(Paper, StepsAreThePapers) {
  // Crossing above at 100: inside (0, 500], 14 steps; at 1000: inside (500, 2e5], 22 steps.
  for (const auto& [crossing, steps, passes] : {std::tuple{100.0F, 14, 16}, {1000.0F, 22, 25}}) {
    Found f = search(linear(-1, crossing), PaperInit::kClass, {0});
    EXPECT_LE(f.above.safe, crossing);
    EXPECT_GE(f.above.unsafe, crossing);
    EXPECT_LE(f.above.unsafe - f.above.safe, 0.05F);
    expect_infinite(f.below, -1);
    EXPECT_EQ(f.tally.paper_count(0, kSteps), steps);
    EXPECT_EQ(f.tally.paper_count(0, kSearches), 1);
    // +-delta, the far end below (and above where the search is out there), the steps.
    EXPECT_EQ(f.tally.paper_count(0, kPasses), passes + 1);
    EXPECT_EQ(f.tally.probes[0], passes + 1);
    EXPECT_EQ(f.tally.paper_count(0, kEqualSafe), 1);
  }
}

TEST(Paper, GradientsVanishWhereTheLossSaturates) {
  // At +-500 the margin is -400 or 600: both sigmoids are flat, though +500 misclassifies.
  Found f = search(linear(-1, 100), PaperInit::kGradient, {0});
  expect_infinite(f.above, 1);
  expect_infinite(f.below, -1);
  EXPECT_EQ(f.tally.paper_count(0, kZeroGradients), 2);
  EXPECT_EQ(f.tally.paper_count(0, kZeroInputs), 1);
  EXPECT_EQ(f.tally.paper_count(0, kFalseZeros), 1);
  EXPECT_EQ(f.tally.paper_count(0, kChecks), 1);
  EXPECT_EQ(f.tally.paper_count(0, kPasses), 2);
}

TEST(Paper, GradientChoosesTheInterval) {
  // Margin 0.1 - h / 1000: 0.6 at -500, -0.4 at +500. L falls with h. Above: g < 0 searches
  // (500, 2e5], whose ends are both critical; the crossing is at 100. Below: g < 0 searches
  // [-500, 0): both ends safe.
  Found f = search(linear(-0.001F, 0.1F), PaperInit::kGradient, {0});
  EXPECT_EQ(f.above.unsafe, 500.0F);
  EXPECT_EQ(f.above.safe, std::nextafter(500.0F, 0.0F));
  expect_infinite(f.below, -1);
  EXPECT_EQ(f.tally.paper_count(0, kWrongIntervals), 1);
  EXPECT_EQ(f.tally.paper_count(0, kEqualCritical), 1);
  EXPECT_EQ(f.tally.paper_count(0, kEqualSafe), 1);
  EXPECT_EQ(f.tally.paper_count(0, kPasses), 3);
  EXPECT_EQ(f.tally.paper_count(0, kChecks), 1);
  // A margin of 0.6 - h / 1000 crosses at 600, where the rule does look.
  Found right = search(linear(-0.001F, 0.6F), PaperInit::kGradient, {0});
  EXPECT_NEAR(right.above.unsafe, 600.0F, 0.06F);
  EXPECT_EQ(right.tally.paper_count(0, kWrongIntervals), 0);
  EXPECT_EQ(right.tally.paper_count(0, kSteps), 22);
}

TEST(Paper, ReversedEnds) {
  // E = (1 - relu(h) + 2 relu(h - 1000), 0) is critical from 1 to 1999. (g > 0 nowhere near 500:
  // the slope's sign is -, which searches (500, 2e5]: critical at 500, safe at 2e5.)
  Graph graph = network({1, 1});
  const int h = dense(graph, graph.input, {1}, {0});
  const int two = layer(graph, "Relu", {dense(graph, h, {1e-3F, 1e-3F}, {0, -1})});
  dense(graph, two, {-1, 2, 0, 0}, {1e-3F, 0});
  Found f = search(graph, PaperInit::kGradient, {0});
  EXPECT_EQ(f.above.unsafe, 500.0F);
  EXPECT_EQ(f.tally.paper_count(0, kReversed), 1);
}

TEST(Paper, LeavesNeuronsOut) {
  SiteResult site;
  RunHead head;
  head.golden_class = {0, 0, -1};
  site.site.neurons = {0, 1};
  site.tally = SiteTally(2, 1);
  site.thresholds.assign(3 * 2 * 4, 7.0F);
  SiteTally& tally = site.tally;
  for (int64_t k = 0; k < 2; ++k) {
    tally.paper_count(k, kZeroInputs) = k == 0 ? 2 : 1;
    tally.paper_count(k, kSteps) = 14;
  }
  std::fill(tally.nonvulnerable.begin(), tally.nonvulnerable.end(), 1.0);
  std::fill(tally.finite.begin(), tally.finite.end(), 1);
  std::fill(tally.critical.begin(), tally.critical.end(), 2);
  std::fill(tally.critical_beyond.begin(), tally.critical_beyond.end(), 1);
  leave_out_neurons(site, head);
  EXPECT_EQ(tally.paper_count(0, kLeftOut), 1);
  EXPECT_EQ(tally.paper_count(0, kPasses), 4);
  EXPECT_EQ(tally.paper_count(0, kSteps), 0);
  EXPECT_EQ(tally.nonvulnerable[0], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(tally.nonvulnerable[1], std::numeric_limits<double>::infinity());
  EXPECT_EQ(tally.finite[0], 0);
  EXPECT_EQ(tally.critical[5], 1);
  EXPECT_EQ(site.thresholds[3], kInfinity);
  EXPECT_EQ(site.thresholds[2 * 2 * 4 + 3], 7.0F);  // input 2 is left out itself
  // One of two inputs is less than 98 %.
  EXPECT_EQ(tally.paper_count(1, kLeftOut), 0);
  EXPECT_EQ(tally.paper_count(1, kSteps), 14);
  EXPECT_EQ(tally.nonvulnerable[2], 1.0);
  EXPECT_EQ(tally.critical[kBits], 2);
  EXPECT_EQ(site.thresholds[7], 7.0F);
}

}  // namespace
}  // namespace vigor
