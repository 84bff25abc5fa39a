// Forward-mode derivatives against numerical differences and on paper (METHOD section 3).
#include "slopes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "error.h"
#include "networks.h"
#include "paper.h"
#include "prober.h"

namespace vigor {
namespace {

std::vector<float> row(float value, int lanes) {
  return std::vector<float>(static_cast<size_t>(lanes), value);
}

TEST(Slopes, OnPaper) {
  // h = relu(x), E = (3 h0 + h1 - 1, h0 + h1): dE/dh0 = (3, 1) and dE/dx0 = (3, 1) for x0 > 0.
  Graph graph = network({1, 2});
  const int h = layer(graph, "Relu", {dense(graph, graph.input, {1, 0, 0, 1}, {0, 0})});
  dense(graph, h, {3, 1, 1, 1}, {-1, 0});
  const Golden golden(graph, {1, 2}, 0);
  for (const char* name : {"fc1", "fc1.pre"}) {
    const std::vector<Site> sites = select_sites(graph, name);
    const auto prober = make_prober("region", graph, sites);
    prober->bind(golden);
    for (const float v : {5.0F, -4.0F, 5.0F}) {
      const bool passes = v > 0 || std::string(name) == "fc1";
      const Slopes& s = prober->slopes(0, 0, row(v, golden.lanes()).data());
      EXPECT_EQ(s.slopes[0], passes ? 3.0F : 0.0F);
      EXPECT_EQ(s.slopes[golden.lanes()], passes ? 1.0F : 0.0F);
      EXPECT_EQ(s.logits[0], passes ? 3 * v + 1 : 1.0F);
      EXPECT_EQ(s.nan[0], 0);
    }
    // The fault before is gone: by neuron 1 with its golden value the logits are the golden ones.
    const Slopes& s = prober->slopes(0, 1, row(2, golden.lanes()).data());
    EXPECT_EQ(s.logits[0], 4.0F);
    EXPECT_EQ(s.slopes[0], 1.0F);
    EXPECT_EQ(prober->slopes(0, 1, row(std::nanf(""), golden.lanes()).data()).nan[0], 1);
  }
}

TEST(Slopes, OfTheLogitsThemselves) {
  Graph graph = network({1, 2});
  dense(graph, graph.input, {1, 0, 0, 1}, {0, 0});
  const Golden golden(graph, {3, 2}, 0);
  const std::vector<Site> sites = select_sites(graph, "logits");
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  const Slopes& s = prober->slopes(0, 1, row(2.5F, golden.lanes()).data());
  EXPECT_EQ(s.logits[0], 3.0F);
  EXPECT_EQ(s.logits[golden.lanes()], 2.5F);
  EXPECT_EQ(s.slopes[0], 0.0F);
  EXPECT_EQ(s.slopes[golden.lanes()], 1.0F);
  // L = sigmoid(0.5), dL/dv = -sigmoid'(0.5).
  const double y = 1 / (1 + std::exp(-0.5));
  EXPECT_NEAR(loss_slope(s, 2, golden.lanes(), 0, 0), -y * (1 - y), 1e-6);
}

TEST(Slopes, LossIsFlatWhereFloatsSaturate) {
  const std::vector<float> slopes{1, 0};
  for (const auto& [logit, flat] : {std::pair{20.0F, true}, {10.0F, false}, {-110.0F, true}}) {
    const std::vector<float> logits{logit, 0};
    EXPECT_EQ(loss_slope({logits.data(), slopes.data(), {}}, 2, 1, 0, 0) == 0, flat) << logit;
  }
}

// Every operator that has a derivative: convolution, batch norm, sigmoid, both pools, a branch of
// which one part does not depend on the site, products with constants, dense layers.
Graph all_operators(RandomFloats& random) {
  Graph graph = network({1, 2, 8, 8});
  const std::map<std::string, Attribute> two{{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                                             {"strides", value(std::vector<int64_t>{2, 2})}};
  const std::map<std::string, Attribute> same{{"pads", value(std::vector<int64_t>{1, 1, 1, 1})}};
  const auto conv = [&](int x, int64_t out, int64_t in) {
    return layer(graph, "Conv", {x},
                 {constant({out, in, 3, 3}, random.floats(out * in * 9, 0.3F)),
                  constant({out}, random.floats(out, 0.1F))},
                 same);
  };
  const int first = conv(graph.input, 4, 2);
  int x = layer(graph, "BatchNormalization", {first},
                {constant({4}, {1, -0.5F, 2, 1}), constant({4}, {0, 1, 0, -1}),
                 constant({4}, {0, 0.5F, 0, 0}), constant({4}, {1, 1, 4, 1})});
  x = layer(graph, "MaxPool", {layer(graph, "Sigmoid", {x})}, {}, two);
  const int other = layer(graph, "MaxPool", {conv(graph.input, 4, 2)}, {}, two);
  x = layer(graph, "Add", {conv(x, 4, 4), other});
  x = layer(graph, "Mul", {layer(graph, "LeakyRelu", {x})}, {constant({1}, {1.5F})});
  x = layer(graph, "AveragePool", {layer(graph, "Tanh", {x})}, {}, two);
  x = layer(graph, "Flatten", {x});
  x = layer(graph, "Relu", {dense(graph, x, random.floats(16 * 8, 0.5F), random.floats(8, 0.1F))});
  dense(graph, x, random.floats(8 * 5, 0.5F), random.floats(5, 0.1F));
  return graph;
}

TEST(Slopes, NumericalDifferences) {
  RandomFloats random(3);
  const Graph graph = all_operators(random);
  const Golden golden(graph, random.floats(5 * 128, 1.0F), 0);
  const std::vector<Site> sites = select_sites(graph, "all");
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  int64_t compared = 0, nonzero = 0;
  for (int32_t s = 0; s < std::ssize(sites); ++s) {
    for (int n = 0; n < 6; ++n) {
      const auto& neurons = sites[static_cast<size_t>(s)].neurons;
      const int64_t k = neurons[static_cast<size_t>(random.below(std::ssize(neurons)))];
      std::vector<float> at = random.floats(golden.lanes(), 1.0F);
      std::vector<std::vector<float>> logits;
      std::vector<float> slopes;
      constexpr float kStep = 0x1p-8F;
      for (const float step : {-kStep, 0.0F, kStep}) {
        std::vector<float> moved = at;
        for (float& v : moved) v += step;
        const Slopes& found = prober->slopes(s, k, moved.data());
        logits.emplace_back(found.logits, found.logits + 5 * golden.lanes());
        if (step == 0) slopes.assign(found.slopes, found.slopes + 5 * golden.lanes());
      }
      for (size_t i = 0; i < slopes.size(); ++i) {
        const auto lane = static_cast<int64_t>(i) % golden.lanes();
        if (lane >= golden.count()) continue;
        const float left = (logits[1][i] - logits[0][i]) / kStep;
        const float right = (logits[2][i] - logits[1][i]) / kStep;
        if (std::abs(left - right) > 0.01F) continue;  // a kink between them
        EXPECT_NEAR(slopes[i], (left + right) / 2, 0.005F) << sites[static_cast<size_t>(s)].name;
        ++compared;
        nonzero += slopes[i] != 0;
      }
    }
  }
  EXPECT_GT(compared, 1000);
  EXPECT_GT(nonzero, 500);
}

TEST(Slopes, RefusesWhatHasNoDerivative) {
  Graph graph = network({1, 2});
  const int h = layer(graph, "HardSwish", {dense(graph, graph.input, {1, 0, 0, 1}, {0, 0})});
  dense(graph, h, {3, 1, 1, 1}, {-1, 0});
  try {
    tangent_graph(graph, graph.node(0).output);
    FAIL() << "expected an Error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node HardSwish_1 (HardSwish)"), std::string::npos)
        << error.what();
  }
  tangent_graph(graph, h);  // behind it there are only sums
}

}  // namespace
}  // namespace vigor
