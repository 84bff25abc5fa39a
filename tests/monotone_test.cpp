// What an operator calls monotone is so for every float, as computed (cut collapse rests on it).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "networks.h"

namespace vigor {
namespace {

// The floats from -inf to inf in ascending order, every `stride`-th one with its neighbour, through
// an operator: whether its outputs never turn.
bool never_turns(const std::string& type, const std::map<std::string, Attribute>& attributes,
                 int64_t stride) {
  constexpr int64_t kChunk = 1 << 14;
  constexpr int64_t kInfinity = 0x7f800000;
  Graph graph = network({1, kChunk});
  layer(graph, type, {graph.input}, {}, attributes);
  const Op& op = *graph.nodes[0].op;
  EXPECT_TRUE(op.monotone()) << type;
  const auto at = [](int64_t order) {
    return order < 0 ? -std::bit_cast<float>(static_cast<int32_t>(-order))
                     : std::bit_cast<float>(static_cast<int32_t>(order));
  };
  std::vector<float> in(kChunk), out(kChunk);
  bool rises = false, falls = false;
  float last = NAN;
  for (int64_t next = -kInfinity; next < kInfinity;) {
    for (size_t i = 0; i + 1 < kChunk; i += 2) {
      in[i] = at(std::min(next, kInfinity));
      in[i + 1] = at(std::min(next + 1, kInfinity));
      next += std::max<int64_t>(stride, 2);
    }
    const float* operand = in.data();
    op.forward({&operand, 1}, out.data());
    for (const float y : out) {
      rises = rises || y > last;
      falls = falls || y < last;
      EXPECT_FALSE(std::isnan(y));
      last = y;
    }
  }
  return rises != falls;
}

void check(int64_t stride) {
  for (const char* type : {"Relu", "LeakyRelu", "Neg", "Ceil", "Floor", "Elu", "Celu", "Selu",
                           "Softplus", "HardSigmoid", "Sigmoid", "Tanh", "Exp"}) {
    EXPECT_TRUE(never_turns(type, {}, stride)) << type;
  }
  EXPECT_TRUE(never_turns("Celu", {{"alpha", value(0.3F)}}, stride));
  EXPECT_TRUE(never_turns("Elu", {{"alpha", value(1.7F)}}, stride));
}

TEST(Monotone, SomeFloats) { check(9973); }
TEST(SlowMonotone, EveryFloat) { check(1); }

TEST(Monotone, WhatIsNot) {
  for (const char* type : {"HardSwish", "Abs", "Softsign"}) {
    Graph graph = network({1, 4});
    layer(graph, type, {graph.input});
    EXPECT_FALSE(graph.nodes[0].op->monotone()) << type;
  }
  Graph graph = network({1, 4});
  layer(graph, "LeakyRelu", {graph.input}, {}, {{"alpha", value(-0.1F)}});
  EXPECT_FALSE(graph.nodes[0].op->monotone());
}

}  // namespace
}  // namespace vigor
