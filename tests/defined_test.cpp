// Cases that are easily forgotten (docs/answers.md).
#include <gtest/gtest.h>

#include "networks.h"
#include "search.h"
#include "unit.h"

namespace vigor {
namespace {

SiteTally tally(const Graph& graph, const std::string& site, std::vector<float> inputs) {
  const auto sites = select_sites(graph, site);
  const Golden golden(graph, std::move(inputs), 0);
  const auto prober = make_prober("region", graph, sites);
  prober->bind(golden);
  return run_unit(*prober, 0, all_numbers(sites[0]), {Lattice(), true, 0, 0});
}

TEST(Defined, ConstantLogits) {
  Graph graph = network({1, 2});
  dense(graph, dense(graph, graph.input, {1, 0, 0, 1}, {0, 0}), {0, 0, 0, 0}, {1, 1});
  const SiteTally result = tally(graph, "fc1", {1.5F, 0.5F});
  int64_t critical = 0, nan = 0;
  for (const int64_t count : result.critical) critical += count;
  for (const int64_t count : result.critical_nan) nan += count;
  EXPECT_EQ(nan, 1);  // bit 30 of 1.5 alone makes a NaN
  EXPECT_EQ(critical, nan);
}

TEST(Defined, OneNeuron) {
  Graph graph = network({1, 1, 1, 1});
  const int c = layer(graph, "Conv", {graph.input}, {constant({1, 1, 1, 1}, {1})});
  dense(graph, layer(graph, "Flatten", {c}), {1, -1}, {0, 0});
  const SiteTally result = tally(graph, "conv1", {1});
  ASSERT_EQ(result.neurons, 1);
  // E = (v, -v): the sign flip is critical, so is infinity's only if it became a NaN: it does not.
  EXPECT_EQ(result.critical[31], 1);
  EXPECT_EQ(result.critical[0], 0);
}

TEST(Defined, ZeroInput) {
  Graph graph = network({1, 2});
  dense(graph, dense(graph, graph.input, {1, 0, 0, 1}, {0, 0}), {1, 0, 0, 1}, {0, 1});
  const SiteTally result = tally(graph, "fc1", {0, 0});
  // E = (v, 1): only bit 30, which makes 2 of 0, reaches 1.
  for (int bit = 0; bit < kBits; ++bit) {
    EXPECT_EQ(result.critical[static_cast<size_t>(bit)], bit == 30 ? 1 : 0) << bit;
  }
}

}  // namespace
}  // namespace vigor
