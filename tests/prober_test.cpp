// The probers against each other and against arithmetic on paper (METHOD sections 1 and 7).
#include "prober.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "bit_flip.h"
#include "kernels/kernels.h"
#include "networks.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof a) == 0; }

void expect_same(const Outcome& a, const Outcome& b, const Fault& fault) {
  const auto where = fmt::format("site {} element {} input {} value {}", fault.site, fault.element,
                                 fault.input, fault.value);
  EXPECT_EQ(a.top, b.top) << where;
  EXPECT_TRUE(same_bits(a.margin, b.margin) || (a.nan && b.nan)) << where;
  EXPECT_EQ(a.rank, b.rank) << where;
  EXPECT_EQ(a.critical, b.critical) << where;
  EXPECT_EQ(a.masked, b.masked) << where;
  EXPECT_EQ(a.nan, b.nan) << where;
  EXPECT_EQ(a.inf, b.inf) << where;
}

std::vector<Outcome> run(const std::string& kind, const Graph& graph,
                         const std::vector<Site>& sites, const Golden& golden,
                         const std::vector<Fault>& faults, int lanes = 64) {
  const auto prober = make_prober(kind, graph, sites, lanes);
  prober->bind(golden);
  std::vector<Outcome> outcomes(faults.size());
  prober->run(faults, outcomes);
  return outcomes;
}

// Flips, large, tiny, infinite and NaN values at random places.
std::vector<Fault> random_faults(const std::vector<Site>& sites, const Golden& golden,
                                 RandomFloats& random, int count) {
  std::vector<Fault> faults;
  while (static_cast<int>(faults.size()) < count) {
    const auto site = static_cast<int32_t>(random.below(static_cast<int64_t>(sites.size())));
    const Site& at = sites[static_cast<size_t>(site)];
    const auto input = static_cast<int32_t>(random.below(golden.count()));
    if (golden.golden_class(input) < 0) continue;
    const int64_t element = random.below(at.population);
    const float a = golden.value(at.tensor, element, input);
    float v = flip_bit(a, static_cast<int>(random.below(32)));
    switch (random.below(8)) {
      case 0:
        v = kInfinity;
        break;
      case 1:
        v = -kInfinity;
        break;
      case 2:
        v = std::numeric_limits<float>::quiet_NaN();
        break;
      case 3:
        v = a + random.floats(1, 10.0F)[0];
        break;
      case 4:
        v = random.floats(1, 1e30F)[0];
        break;
      default:
        break;
    }
    faults.push_back({input, site, element, v});
  }
  return faults;
}

// Convolutions with random strides, padding, dilation and groups, batch norm, residual sums,
// branches put together, activations, pools, and dense layers to three classes.
Graph random_network(RandomFloats& random) {
  const auto weights = [&](Shape shape) {
    const int64_t count = element_count(shape);
    return constant(std::move(shape), random.floats(count, 0.5F));
  };
  int64_t channels = 1 + random.below(3);
  Graph graph = network({1, channels, 5 + random.below(5), 5 + random.below(5)});
  int x = graph.input;
  for (int64_t n = 1 + random.below(3); n > 0; --n) {
    const int64_t groups = random.below(3) == 0 ? channels : 1;
    const int64_t out = groups * (1 + random.below(3));
    const Shape& before = graph.tensor(x).shape;
    const int64_t kernel = 1 + random.below(std::min<int64_t>({3, before[2], before[3]}));
    const int64_t dilation =
        kernel == 2 && before[2] > 2 && before[3] > 2 ? 1 + random.below(2) : 1;
    const int64_t pad = random.below(kernel + 1);
    x = layer(graph, "Conv", {x},
              {weights({out, channels / groups, kernel, kernel}), weights({out})},
              {{"group", value(groups)},
               {"dilations", value(std::vector<int64_t>{dilation, dilation})},
               {"pads", value(std::vector<int64_t>{pad, pad, random.below(kernel + 1), pad})},
               {"strides", value(std::vector<int64_t>{1 + random.below(2), 1})}});
    channels = out;
    if (random.below(2)) {
      x = layer(graph, "BatchNormalization", {x},
                {weights({out}), weights({out}), weights({out}),
                 constant({out}, std::vector<float>(static_cast<size_t>(out), 0.7F))});
    }
    const char* functions[] = {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Relu"};
    const int y = layer(graph, functions[random.below(5)], {x});
    if (random.below(4) == 0) {
      x = layer(graph, "Concat", {x, y}, {}, {{"axis", value(int64_t{1})}});
      channels *= 2;
    } else {
      x = random.below(3) == 0 ? layer(graph, "Add", {x, y}) : y;
    }
    const Shape& shape = graph.tensor(x).shape;
    if (shape[2] >= 2 && shape[3] >= 2 && random.below(2)) {
      x = layer(graph, random.below(2) ? "MaxPool" : "AveragePool", {x}, {},
                {{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                 {"strides", value(std::vector<int64_t>{1 + random.below(2), 2})}});
    }
  }
  if (random.below(4) == 0) x = layer(graph, "GlobalAveragePool", {x});
  x = layer(graph, "Flatten", {x});
  const int64_t features = graph.tensor(x).size;
  x = layer(graph, "Relu",
            {dense(graph, x, random.floats(8 * features, 0.5F), random.floats(8, 0.5F))});
  dense(graph, x, random.floats(24, 0.5F), random.floats(3, 0.5F));
  return graph;
}

TEST(Prober, SuffixEqualsReferenceBitForBit) {
  RandomFloats random(1);
  for (int n = 0; n < 150; ++n) {
    const Graph graph = random_network(random);
    const auto sites = all_sites(graph);
    const int64_t inputs = 1 + random.below(20);
    const Golden golden(graph, random.floats(inputs * graph.tensor(graph.input).size, 1.0F), 0);
    const auto faults = random_faults(sites, golden, random, 60);
    const auto reference = run("reference", graph, sites, golden, faults);
    const auto suffix = run("suffix", graph, sites, golden, faults);
    const auto small = run("suffix", graph, sites, golden, faults, 16);
    for (size_t f = 0; f < faults.size(); ++f) {
      expect_same(reference[f], suffix[f], faults[f]);
      expect_same(reference[f], small[f], faults[f]);
    }
    if (testing::Test::HasFailure()) break;
  }
}

// Largest |logit| of the faulty network, by the operators' reference form.
float largest_logit(const Graph& graph, const Site& site, const Golden& golden,
                    const Fault& fault) {
  std::vector<std::vector<float>> values(graph.tensors.size());
  const auto input = golden.input(fault.input);
  values[static_cast<size_t>(graph.input)].assign(input.begin(), input.end());
  for (const Node& node : graph.nodes) {
    std::vector<const float*> operands;
    for (const int t : node.inputs) operands.push_back(values[static_cast<size_t>(t)].data());
    auto& out = values[static_cast<size_t>(node.output)];
    out.resize(static_cast<size_t>(node.op->size()));
    node.op->forward(operands, out.data());
    if (node.output == site.tensor) out[static_cast<size_t>(fault.element)] = fault.value;
  }
  float largest = 0;
  for (const float logit : values[static_cast<size_t>(graph.logits)]) {
    largest = std::max(largest, std::abs(logit));
  }
  return largest;
}

// METHOD section 7, points 3 and 4.
TEST(Prober, RegionEqualsReferenceWithinTau) {
  RandomFloats random(11);
  int64_t compared = 0, inside_tau = 0;
  for (int n = 0; n < 1000; ++n) {
    const Graph graph = random_network(random);
    const auto sites = all_sites(graph);
    const int64_t inputs = 1 + random.below(20);
    const Golden golden(graph, random.floats(inputs * graph.tensor(graph.input).size, 1.0F), 0);
    const auto faults = random_faults(sites, golden, random, 80);
    const auto reference = run("reference", graph, sites, golden, faults);
    const auto region = run("region", graph, sites, golden, faults);
    for (size_t f = 0; f < faults.size(); ++f) {
      if (!(std::abs(faults[f].value) <= 0x1p100F)) continue;
      const Outcome& a = reference[f];
      const Outcome& b = region[f];
      ASSERT_EQ(a.nan, b.nan) << n << ' ' << faults[f].value;
      if (a.nan) continue;
      const Site& site = sites[static_cast<size_t>(faults[f].site)];
      const float tau = 0x1p-14F * largest_logit(graph, site, golden, faults[f]);
      ++compared;
      ASSERT_LE(std::abs(a.margin - b.margin), tau) << n << ' ' << site.name;
      if (a.top != b.top) {
        ++inside_tau;
        ASSERT_LE(std::abs(a.margin), tau);
      }
    }
  }
  EXPECT_GT(compared, 20000);
  EXPECT_LE(inside_tau * 10000, compared);
  fmt::print("{} faults compared, classes differ inside tau in {}\n", compared, inside_tau);
}

// Point 2: small integers are summed without rounding, so that all probers agree bit for bit.
TEST(Prober, RegionEqualsReferenceBitForBitOnIntegers) {
  RandomFloats random(12);
  const auto integers = [&](int64_t count, int64_t most) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = static_cast<float>(random.below(2 * most + 1) - most);
    return values;
  };
  int64_t networks = 0;
  for (int n = 0; n < 1500; ++n) {
    int64_t channels = 1 + random.below(3);
    Graph graph = network({1, channels, 4 + random.below(6), 4 + random.below(6)});
    int x = graph.input;
    for (int64_t depth = 1 + random.below(3); depth > 0; --depth) {
      const Shape before = graph.tensor(x).shape;
      const int64_t groups = random.below(3) == 0 ? channels : 1;
      const int64_t out = groups * (1 + random.below(3));
      const int64_t kernel = 1 + random.below(std::min<int64_t>({3, before[2], before[3]}));
      const int64_t dilation = kernel == 2 ? 1 + random.below(2) : 1;
      const int64_t pad = kernel + random.below(2);
      const Shape shape{out, channels / groups, kernel, kernel};
      const int before_conv = x;
      x = layer(
          graph, "Conv", {x},
          {constant(shape, integers(element_count(shape), 1)), constant({out}, integers(out, 3))},
          {{"group", value(groups)},
           {"dilations", value(std::vector<int64_t>{dilation, 1})},
           {"pads", value(std::vector<int64_t>{pad, pad, pad, pad - random.below(2)})},
           {"strides", value(std::vector<int64_t>{1 + random.below(2), 1 + random.below(3)})}});
      channels = out;
      if (random.below(2)) x = layer(graph, "Relu", {x});
      if (random.below(3) == 0) x = layer(graph, "Add", {x, x});
      if (graph.tensor(x).shape == before) x = layer(graph, "Add", {x, before_conv});
      if (random.below(3) == 0) {
        x = layer(graph, "Concat", {x, x}, {}, {{"axis", value(int64_t{1})}});
        channels *= 2;
      }
      if (random.below(3) == 0) {
        x = layer(graph, "Add", {x}, {constant({channels, 1, 1}, integers(channels, 2))});
      }
      const Shape after = graph.tensor(x).shape;
      if (after[2] >= 2 && after[3] >= 2 && random.below(2)) {
        x = layer(graph, random.below(2) ? "MaxPool" : "AveragePool", {x}, {},
                  {{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                   {"strides", value(std::vector<int64_t>{1 + random.below(2), 2})}});
      }
    }
    x = layer(graph, "Flatten", {x});
    dense(graph, x, integers(3 * graph.tensor(x).size, 2), integers(3, 2));
    const auto sites = all_sites(graph);
    const int64_t inputs = 1 + random.below(70);
    const Golden golden(graph, integers(inputs * graph.tensor(graph.input).size, 3), 0);
    // Sums of products must stay below 2^24.
    float largest = 0;
    for (const Node& node : graph.nodes) {
      for (int64_t e = 0; e < node.op->size(); ++e) {
        largest = std::max(largest, std::abs(golden.value(node.output, e, 0)));
      }
    }
    if (largest > 0x1p16F) continue;
    ++networks;
    std::vector<Fault> faults;
    for (int f = 0; f < 100; ++f) {
      const auto site = static_cast<int32_t>(random.below(static_cast<int64_t>(sites.size())));
      faults.push_back({static_cast<int32_t>(random.below(golden.count())), site,
                        random.below(sites[static_cast<size_t>(site)].population),
                        static_cast<float>(random.below(41) - 20)});
    }
    const auto reference = run("reference", graph, sites, golden, faults);
    const auto region = run("region", graph, sites, golden, faults);
    for (size_t f = 0; f < faults.size(); ++f) expect_same(reference[f], region[f], faults[f]);
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(networks, 1000);
}

// However faults are grouped, whatever waits for the same batch and is kept of the plans.
TEST(Prober, RegionOutcomesDoNotDependOnTheBatch) {
  RandomFloats random(13);
  for (int n = 0; n < 40; ++n) {
    const Graph graph = random_network(random);
    const auto sites = all_sites(graph);
    const Golden golden(graph, random.floats(5 * graph.tensor(graph.input).size, 1.0F), 0);
    auto faults = random_faults(sites, golden, random, 60);
    for (int f = 0; f < 600; ++f) faults.push_back({2, 0, 0, random.floats(1, 3.0F)[0]});
    const auto together = run("region", graph, sites, golden, faults);
    const auto wide = run("region", graph, sites, golden, faults, kMostLanes);
    const auto prober = make_prober("region", graph, sites, 16, 0);
    prober->bind(golden);
    for (size_t f = 0; f < faults.size(); f += f < 60 ? 1 : 7) {
      Outcome alone;
      prober->run({&faults[f], 1}, {&alone, 1});
      expect_same(together[f], alone, faults[f]);
      expect_same(together[f], wide[f], faults[f]);
    }
    if (testing::Test::HasFailure()) break;
  }
}

// Plans outlive the golden block that they were made with.
TEST(Prober, RegionServesBlockAfterBlock) {
  RandomFloats random(14);
  for (int n = 0; n < 40; ++n) {
    const Graph graph = random_network(random);
    const auto sites = all_sites(graph);
    const auto prober = make_prober("region", graph, sites);
    for (const int64_t inputs : {3, 20, 1}) {
      const Golden golden(graph, random.floats(inputs * graph.tensor(graph.input).size, 1.0F), 0);
      const auto faults = random_faults(sites, golden, random, 60);
      prober->bind(golden);
      std::vector<Outcome> outcomes(faults.size());
      prober->run(faults, outcomes);
      const auto fresh = run("region", graph, sites, golden, faults);
      for (size_t f = 0; f < faults.size(); ++f) expect_same(fresh[f], outcomes[f], faults[f]);
    }
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Prober, GoldenRunEqualsTheReferences) {
  RandomFloats random(2);
  for (int n = 0; n < 50; ++n) {
    const Graph graph = random_network(random);
    const Golden golden(graph, random.floats(3 * graph.tensor(graph.input).size, 1.0F), 0);
    std::vector<std::vector<float>> values(graph.tensors.size());
    const auto input = golden.input(2);
    values[static_cast<size_t>(graph.input)].assign(input.begin(), input.end());
    for (const Node& node : graph.nodes) {
      std::vector<const float*> operands;
      for (const int t : node.inputs) operands.push_back(values[static_cast<size_t>(t)].data());
      auto& out = values[static_cast<size_t>(node.output)];
      out.resize(static_cast<size_t>(node.op->size()));
      node.op->forward(operands, out.data());
      for (int64_t e = 0; e < node.op->size(); ++e) {
        ASSERT_TRUE(same_bits(out[static_cast<size_t>(e)], golden.value(node.output, e, 2)))
            << node.name << ' ' << e;
      }
    }
  }
}

// E = relu(x) through the identity: what a fault does can be read off.
Graph identity_network() {
  Graph graph = network({1, 3});
  const int x = dense(graph, graph.input, {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0});
  dense(graph, layer(graph, "Relu", {x}), {1, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0});
  return graph;
}

TEST(Prober, Outcomes) {
  const Graph graph = identity_network();
  const auto sites = select_sites(graph, "fc1");
  const Golden golden(graph, {3, 2, 1}, 0);
  const std::vector<Fault> faults{{0, 0, 2, 1.0F},       // v == a
                                  {0, 0, 1, 2.5F},       // changes a logit, not the answer
                                  {0, 0, 1, 3.0F},       // tie: the lower index keeps
                                  {0, 0, 1, 4.0F},       // another class
                                  {0, 0, 2, kInfinity},  // 0 * inf is NaN in the other logits
                                  {0, 0, 0, std::nanf("")}};
  for (const char* kind : {"reference", "suffix", "region"}) {
    const auto o = run(kind, graph, sites, golden, faults);
    EXPECT_TRUE(o[0].masked && !o[0].critical && o[0].margin == 1.0F && o[0].rank == 0);
    EXPECT_TRUE(!o[1].masked && !o[1].critical && o[1].margin == 0.5F && o[1].top == 0);
    EXPECT_TRUE(!o[2].critical && o[2].margin == 0.0F && o[2].rank == 0);
    EXPECT_TRUE(o[3].critical && o[3].top == 1 && o[3].rank == 1 && o[3].margin == -1.0F);
    EXPECT_TRUE(o[4].critical && o[4].nan && o[4].top == -1);
    EXPECT_TRUE(o[5].critical && o[5].nan);
  }
}

TEST(Prober, ZeroOfEitherSignIsTheSameValue) {
  const Graph graph = identity_network();
  const auto sites = select_sites(graph, "fc1");
  const Golden golden(graph, {3, 0, -1}, 0);
  const std::vector<Fault> faults{{0, 0, 1, -0.0F}, {0, 0, 2, -0.0F}};
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  std::vector<Outcome> outcomes(2);
  prober->run(faults, outcomes);
  EXPECT_TRUE(outcomes[0].masked && outcomes[1].masked);
  EXPECT_EQ(prober->costs().probes, 0);
}

// Exponent's top bit: 0 -> 2, [1, 2) -> NaN, 1 -> infinity (METHOD section 5).
TEST(Prober, FlippedExponents) {
  EXPECT_EQ(flip_bit(0.0F, 30), 2.0F);
  EXPECT_TRUE(std::isnan(flip_bit(1.5F, 30)));
  EXPECT_EQ(flip_bit(1.0F, 30), kInfinity);
  const Graph graph = identity_network();
  const auto sites = select_sites(graph, "fc1");
  const Golden golden(graph, {1.75F, 1.5F, 1.0F}, 0);
  const std::vector<Fault> faults{{0, 0, 1, flip_bit(1.5F, 30)}, {0, 0, 2, flip_bit(1.0F, 30)}};
  const auto o = run("suffix", graph, sites, golden, faults);
  EXPECT_TRUE(o[0].nan && o[0].critical);
  EXPECT_TRUE(o[1].nan && o[1].critical);  // 0 * infinity in the other logits
}

TEST(Golden, LeavesOutWhatIsNotFinite) {
  const Graph graph = identity_network();
  const Golden golden(graph, {1, 2, 3, 1, kInfinity, 3, std::nanf(""), 2, 3}, 0);
  EXPECT_EQ(golden.golden_class(0), 2);
  EXPECT_EQ(golden.golden_class(1), -1);
  EXPECT_EQ(golden.golden_class(2), -1);
}

TEST(Logits, TiesAndInfinities) {
  const float tie[] = {1, 5, 5};
  EXPECT_EQ(read_logits(tie, 3, 1, -1).top, 1);
  EXPECT_EQ(read_logits(tie, 3, 1, 2).rank, 1);
  const float infinite[] = {-kInfinity, kInfinity, kInfinity};
  EXPECT_EQ(read_logits(infinite, 3, 1, -1).top, 1);
  EXPECT_TRUE(read_logits(infinite, 3, 1, -1).inf);
  const float lost[] = {-kInfinity, -kInfinity};
  EXPECT_EQ(read_logits(lost, 2, 1, -1).top, 0);
}

}  // namespace
}  // namespace vigor
