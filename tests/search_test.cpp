// Thresholds that can be checked on paper (METHOD section 2).
#include "search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "networks.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Thresholds (below, above) of one neuron for one input, by both probers.
struct Sides {
  Threshold below, above;
};
Sides thresholds(const Graph& graph, const std::string& site_name, int64_t neuron,
                 std::vector<float> input) {
  std::vector<Site> sites = select_sites(graph, site_name);
  const Golden golden(graph, std::move(input), 0);
  Sides result{};
  for (const char* kind : {"reference", "suffix"}) {
    const auto prober = make_prober(kind, graph, sites);
    prober->bind(golden);
    std::vector<int64_t> neurons{neuron}, probes(1);
    const auto found = bisect(*prober, Lattice(), 0, neurons, probes);
    if (std::string(kind) == "suffix") {
      EXPECT_EQ(found[0].unsafe, result.below.unsafe);
      EXPECT_EQ(found[1].unsafe, result.above.unsafe);
    }
    result = {found[0], found[1]};
  }
  return result;
}

// The crossing lies between the safe and the unsafe point, which are neighbours.
void expect_crossing(const Threshold& t, float crossing, int side) {
  const auto s = static_cast<float>(side);
  EXPECT_LE(s * t.safe, s * crossing);
  EXPECT_GE(s * t.unsafe, s * crossing);
  EXPECT_LE(std::abs(t.unsafe - t.safe), std::abs(t.unsafe) * 0x1p-9F);
}

void expect_none(const Threshold& t, int side) {
  EXPECT_EQ(t.safe, static_cast<float>(side) * kMostProbed);
  EXPECT_EQ(t.unsafe, static_cast<float>(side) * kInfinity);
}

// Hidden h = relu(x); E = (3 h0 + h1 - 1, h0 + h1).
Graph two_layers() {
  Graph graph = network({1, 2});
  const int h = layer(graph, "Relu", {dense(graph, graph.input, {1, 0, 0, 1}, {0, 0})});
  dense(graph, h, {3, 1, 1, 1}, {-1, 0});
  return graph;
}

TEST(Search, TwoLayers) {
  // E = (4, 3). d = (E_t - E_j) / (w_jk - w_tk) = 1 / (1 - 3) = -0.5.
  const Graph graph = two_layers();
  const Sides sides = thresholds(graph, "fc1", 0, {1, 2});
  expect_crossing(sides.below, 1.0F - 0.5F, -1);
  expect_none(sides.above, 1);
  // Both classes gain equally by h1: no threshold.
  const Sides other = thresholds(graph, "fc1", 1, {1, 2});
  expect_none(other.below, -1);
  expect_none(other.above, 1);
}

TEST(Search, TieGoesToTheLowerClass) {
  // At h0 = 0.5 both logits are 2.5: class 0 still wins, so the safe point is exactly there.
  EXPECT_EQ(thresholds(two_layers(), "fc1", 0, {1, 2}).below.safe, 0.5F);
}

TEST(Search, ReluHidesWhatIsNegative) {
  // E = (relu(x0), 0.5): x0 = 1 keeps class 0 down to 0.5.
  Graph graph = network({1, 2});
  const int h = layer(graph, "Relu", {dense(graph, graph.input, {1, 0, 0, 1}, {0, 0})});
  dense(graph, h, {1, 0, 0, 0}, {0, 0.5F});
  expect_crossing(thresholds(graph, "fc1.pre", 0, {1, 0}).below, 0.5F, -1);
  // Class 1 wins for x0 = -3; below nothing ever happens, above from 0.5 on.
  const Sides sides = thresholds(graph, "fc1.pre", 0, {-3, 0});
  expect_none(sides.below, -1);
  expect_crossing(sides.above, 0.5F, 1);
}

TEST(Search, MaxPoolHidesTheLesser) {
  // Window (1, 4): E = (10 - max, 0); the neuron of value 1 counts once it passes 4, up to 10.
  Graph graph = network({1, 1, 2});
  const int x = layer(graph, "Conv", {graph.input}, {constant({1, 1, 1}, {1})});
  const int pool =
      layer(graph, "MaxPool", {x}, {}, {{"kernel_shape", value(std::vector<int64_t>{2})}});
  dense(graph, layer(graph, "Flatten", {pool}), {-1, 0}, {10, 0});
  const Sides lesser = thresholds(graph, "conv1", 0, {1, 4});
  expect_none(lesser.below, -1);
  expect_crossing(lesser.above, 10.0F, 1);
  expect_crossing(thresholds(graph, "conv1", 1, {1, 4}).above, 10.0F, 1);
}

TEST(Search, SigmoidSaturates) {
  // E = (s(x), 2): one neuron cannot lift a sigmoid above 1. E = (s(x), 0.75): from ln 3 on.
  for (const float rival : {2.0F, 0.75F}) {
    Graph graph = network({1, 1});
    const int s = layer(graph, "Sigmoid", {dense(graph, graph.input, {1}, {0})});
    dense(graph, s, {1, 0}, {0, rival});
    const Sides sides = thresholds(graph, "fc1.pre", 0, {0});
    expect_none(sides.below, -1);
    if (rival > 1) {
      expect_none(sides.above, 1);
    } else {
      expect_crossing(sides.above, std::log(3.0F), 1);
    }
  }
}

TEST(Search, GoldenZeroAndSubnormal) {
  // E = (h, 1 - h) around h = 0: class 1 until h reaches 0.5.
  Graph graph = network({1, 1});
  const int h = dense(graph, graph.input, {1}, {0});
  const int r = layer(graph, "Relu", {h});
  dense(graph, r, {1, -1}, {0, 1});
  for (const float a : {0.0F, -0.0F, 0x1p-149F, 0x1p-127F}) {
    const Sides sides = thresholds(graph, "fc1.pre", 0, {a});
    expect_none(sides.below, -1);
    expect_crossing(sides.above, 0.5F, 1);
  }
}

TEST(Search, ValueBeyondTheDomainHasNoUpperSide) {
  Graph graph = network({1, 1});
  dense(graph, dense(graph, graph.input, {1}, {0}), {1, 0}, {0, 1});
  const Sides sides = thresholds(graph, "fc1", 0, {1e35F});
  EXPECT_EQ(sides.above.safe, 1e35F);
  EXPECT_EQ(sides.above.unsafe, kInfinity);
  expect_crossing(sides.below, 1.0F, -1);
}

}  // namespace
}  // namespace vigor
