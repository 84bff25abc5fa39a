// Where chains to a cut end, and what they do to values (METHOD section 4, "Cut collapse").
#include "cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "networks.h"
#include "neuron_blocks.h"
#include "prober.h"

namespace vigor {
namespace {

const std::map<std::string, Attribute> kPool2{{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                                              {"strides", value(std::vector<int64_t>{2, 2})}};

int conv(Graph& graph, int x) {
  const int64_t channels = graph.tensor(x).shape[1];
  const auto size = static_cast<size_t>(channels * channels);
  return layer(graph, "Conv", {x},
               {constant({channels, channels, 1, 1}, std::vector<float>(size, 0.5F)),
                constant({channels}, std::vector<float>(static_cast<size_t>(channels), 0.1F))});
}

TEST(Cut, EndsAtTheNextMixingLayer) {
  Graph graph = network({1, 2, 5, 5});
  const int c = conv(graph, graph.input);
  const int r = layer(graph, "Relu", {c});
  const int p = layer(graph, "MaxPool", {r}, {}, kPool2);
  conv(graph, p);
  const CutChain chain = find_cut(graph, c);
  EXPECT_EQ(chain.tensor, p);
  EXPECT_EQ(chain.steps.size(), 2U);
  // 5x5 maps, 2x2 windows: row and column 4 are nobody's.
  EXPECT_EQ(chain.element(graph, 0), 0);
  EXPECT_EQ(chain.element(graph, 6), 0);
  EXPECT_EQ(chain.element(graph, 3), 1);
  EXPECT_EQ(chain.element(graph, 25 + 17), 4 + 3);
  EXPECT_EQ(chain.element(graph, 4), -1);
  EXPECT_EQ(chain.element(graph, 20), -1);
  EXPECT_EQ(find_cut(graph, p).tensor, p);
  EXPECT_EQ(find_cut(graph, graph.logits).tensor, graph.logits);
}

TEST(Cut, EndsWhereItMust) {
  {  // windows that overlap
    Graph graph = network({1, 1, 5, 5});
    const int c = conv(graph, graph.input);
    conv(graph,
         layer(graph, "MaxPool", {c}, {}, {{"kernel_shape", value(std::vector<int64_t>{2, 2})}}));
    EXPECT_EQ(find_cut(graph, c).tensor, c);
  }
  {  // not monotone
    Graph graph = network({1, 1, 4, 4});
    const int c = conv(graph, graph.input);
    conv(graph, layer(graph, "HardSwish", {c}));
    EXPECT_EQ(find_cut(graph, c).tensor, c);
  }
  {  // several consumers, one of them by way of a view
    Graph graph = network({1, 1, 4, 4});
    const int c = conv(graph, graph.input);
    const int r = layer(graph, "Relu", {c});
    const int v = layer(graph, "Identity", {r});
    layer(graph, "Add", {conv(graph, r), v});
    EXPECT_EQ(find_cut(graph, c).tensor, r);
  }
  {  // the same operand twice
    Graph graph = network({1, 1, 4, 4});
    const int c = conv(graph, graph.input);
    conv(graph, layer(graph, "Mul", {c, c}));
    EXPECT_EQ(find_cut(graph, c).tensor, c);
  }
  {  // a view on the way, and another branch as an addend
    Graph graph = network({1, 1, 4, 4});
    const int x = conv(graph, graph.input);
    const int c = conv(graph, graph.input);
    const int a = layer(graph, "Add", {x, layer(graph, "Identity", {c})});
    dense(graph, layer(graph, "Flatten", {a}), std::vector<float>(32, 0.5F), {0, 0});
    EXPECT_EQ(find_cut(graph, c).tensor, a);
  }
}

// Values and golden values through every kind of step, against Op::forward.
TEST(Cut, MapsValuesAsTheNetworkDoes) {
  RandomFloats random(2);
  Graph graph = network({1, 2, 6, 6});
  const int other = conv(graph, graph.input);
  const int c = conv(graph, graph.input);
  int x = layer(graph, "BatchNormalization", {c},
                {constant({2}, {-1.5F, 0.7F}), constant({2}, {0.1F, 0.2F}),
                 constant({2}, {0.3F, -0.1F}), constant({2}, {1, 2})});
  x = layer(graph, "Sigmoid", {layer(graph, "Add", {x, other})});
  x = layer(graph, "AveragePool", {x}, {}, kPool2);
  const int cut = layer(graph, "MaxPool", {x}, {},
                        {{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                         {"strides", value(std::vector<int64_t>{2, 2})}});
  dense(graph, layer(graph, "Flatten", {cut}), random.floats(4, 1), {0, 0});
  const auto sites = select_sites(graph, "conv2.pre");
  const CutChain chain = find_cut(graph, c);
  ASSERT_EQ(chain.tensor, cut);
  const Golden golden(graph, random.floats(72 * 3, 1), 0);
  const auto lanes = static_cast<size_t>(golden.lanes());
  const std::vector<int64_t> neurons{0, 7, 45};
  CutMap map(graph, chain, neurons, golden);
  for (size_t k = 0; k < neurons.size(); ++k) {
    const float* own = golden.values(c) + neurons[k] * golden.lanes();
    const int64_t element = chain.element(graph, neurons[k]);
    const float* mapped = map.run(k, own);
    for (size_t l = 0; l < lanes; ++l) {
      EXPECT_EQ(mapped[l], golden.values(cut)[static_cast<size_t>(element) * lanes + l]);
    }
    // A fault at the neuron and one at its cut leave the same logits behind.
    std::vector<float> values = random.floats(golden.lanes(), 20);
    mapped = map.run(k, values.data());
    std::vector<Site> probed{{"c", SiteKind::kOther, 0, c, graph.tensor(c).size, {}},
                             {"cut", SiteKind::kOther, 0, cut, graph.tensor(cut).size, {}}};
    const auto prober = make_prober("reference", graph, probed);
    prober->bind(golden);
    for (int32_t i = 0; i < golden.count(); ++i) {
      const Fault faults[2]{{i, 0, neurons[k], values[static_cast<size_t>(i)]},
                            {i, 1, element, mapped[i]}};
      Outcome outcomes[2];
      prober->run(faults, outcomes);
      EXPECT_EQ(outcomes[0].margin, outcomes[1].margin);
      EXPECT_EQ(outcomes[0].top, outcomes[1].top);
    }
  }
}

TEST(Cut, BlocksHoldWholeCutsPositionByPosition) {
  Graph graph = network({1, 3, 20, 20});
  const int c = conv(graph, graph.input);
  const int cut = layer(graph, "MaxPool", {c}, {}, kPool2);
  layer(graph, "Flatten", {cut});
  auto sites = select_sites(graph, "conv1");
  std::erase(sites[0].neurons, 7);
  const CutChain chain = find_cut(graph, c);
  const auto blocks = neuron_blocks(graph, sites[0]);
  std::vector<int64_t> seen;
  for (size_t b = 0; b < blocks.size(); ++b) {
    EXPECT_TRUE(b + 1 == blocks.size() || blocks[b].size() >= 128);
    seen.insert(seen.end(), blocks[b].begin(), blocks[b].end());
    int64_t last = -1;
    for (const int64_t k : blocks[b]) {
      const int64_t e = chain.element(graph, sites[0].neurons[static_cast<size_t>(k)]);
      EXPECT_GE(e % 100, last);  // positions ascend
      last = e % 100;
    }
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, all_numbers(sites[0]));
  EXPECT_EQ(blocks.size(), 10U);  // of 1,199 neurons, 128 or a little more each
}

}  // namespace
}  // namespace vigor
