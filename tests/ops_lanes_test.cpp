// Every row of the operator table: forward_lanes() is forward() of each lane, bit for bit.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "op_case.h"

namespace vigor {
namespace {

const Shape kImage{1, 3, 4, 5};

std::vector<OpCase> cases() {
  const NodeInput x = activation(kImage), row = activation({5}), channel = activation({1, 3, 1, 1});
  const NodeInput bias = constant({3, 1, 1}, {0.5F, -1.0F, 2.0F}), scalar = constant({}, {2.5F});
  const std::map<std::string, Attribute> axis_1{{"axis", value(int64_t{1})}};
  std::vector<OpCase> result;
  for (const char* type :
       {"Abs",         "Ceil",      "Celu",      "Elu",        "Erf",      "Exp",        "Floor",
        "HardSigmoid", "HardSwish", "LeakyRelu", "Log",        "Neg",      "Reciprocal", "Relu",
        "Selu",        "Sigmoid",   "Softplus",  "Softsign",   "Sqrt",     "Tanh",       "Flatten",
        "Identity",    "Dropout",   "Softmax",   "LogSoftmax", "Transpose"}) {
    result.push_back({type, 14, {x}});
  }
  for (const char* type : {"Add", "Sub", "Mul", "Div", "Pow"}) {
    result.push_back({type, 13, {x, x}});
    result.push_back({type, 13, {x, row}});
    result.push_back({type, 13, {channel, row}});
    result.push_back({type, 13, {x, bias}});
    result.push_back({type, 13, {scalar, x}});
    result.push_back({type, 13, {bias, row}});
    result.push_back({type, 13, {scalar, bias}});
  }
  for (const char* type : {"Min", "Max", "Sum"}) {
    result.push_back({type, 13, {x}});
    result.push_back({type, 13, {x, x, x}});
    result.push_back({type, 13, {bias, scalar, x, row}});
  }
  result.push_back({"PRelu", 9, {x, bias}});
  result.push_back({"PRelu", 9, {x, row}});
  result.push_back({"Clip", 6, {x}, {{"min", value(-0.5F)}, {"max", value(0.5F)}}});
  result.push_back({"Clip", 13, {x, constant({}, {0.0F})}});
  result.push_back({"Cast", 13, {x}, {{"to", value(int64_t{1})}}});
  result.push_back({"Reshape", 13, {x, integers({0, -1})}});
  result.push_back({"Squeeze", 13, {x, integers({0})}});
  result.push_back({"Unsqueeze", 13, {x, integers({-1})}});
  result.push_back({"Softmax", 11, {x}, {{"axis", value(int64_t{2})}}});
  result.push_back({"Softmax", 13, {x}, {{"axis", value(int64_t{1})}}});
  result.push_back({"Concat", 13, {x, x}, {{"axis", value(int64_t{2})}}});
  result.push_back({"Concat", 13, {channel, constant({1, 1, 1, 1}, {3.0F})}, axis_1});
  result.push_back({"Split", 11, {x}, {{"axis", value(int64_t{2})}}, 2});
  result.push_back({"Split", 13, {x, integers({1, 2})}, axis_1, 2});
  result.push_back(
      {"Slice", 13, {x, integers({-1}), integers({-9}), integers({3}), integers({-2})}});
  result.push_back({"Gather", 13, {x, integers({2, -3, 2})}, axis_1});
  for (const char* mode : {"constant", "reflect", "edge"}) {
    const NodeInput pads = integers({0, 0, 1, 2, 0, 0, -1, 1});
    result.push_back({"Pad", 13, {x, pads, scalar}, {{"mode", value(std::string(mode))}}});
  }
  result.push_back({"Expand", 13, {channel, integers({1, 3, 2, 2})}});
  for (const char* type : {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"}) {
    result.push_back({type, 11, {x}, {{"axes", value(std::vector<int64_t>{2, 3})}}});
    result.push_back({type, 11, {x}, {{"keepdims", value(int64_t{0})}}});
  }
  result.push_back({"LRN", 13, {x}, {{"size", value(int64_t{3})}}});
  return result;
}

class Lanes : public testing::TestWithParam<OpCase> {};

TEST_P(Lanes, EqualForwardBitForBit) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special{std::numeric_limits<float>::quiet_NaN(),
                                   kInfinity,
                                   -kInfinity,
                                   -0.0F,
                                   0.0F,
                                   1e30F,
                                   -1e30F,
                                   1e-40F};
  const auto [op, sizes] = build(GetParam());
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0.0F, 2.0F);
  for (const int lanes : {1, 3, 8, 16, 33}) {
    const auto n = static_cast<size_t>(lanes);
    std::vector<std::vector<float>> packed;
    for (const int64_t size : sizes) {
      packed.emplace_back(static_cast<size_t>(size) * n);
      for (float& v : packed.back()) {
        v = random() % 8 ? normal(random) : special[random() % special.size()];
      }
    }
    std::vector<const float*> pointers;
    for (const auto& p : packed) pointers.push_back(p.data());
    const auto size = static_cast<size_t>(op->size());
    std::vector<float> out(size * n), scratch(static_cast<size_t>(op->scratch_size(lanes)));
    op->forward_lanes(pointers, out.data(), lanes, scratch.data());
    for (size_t lane = 0; lane < n; ++lane) {
      std::vector<std::vector<float>> sample;
      for (const auto& p : packed) {
        sample.emplace_back();
        for (size_t e = 0; e * n < p.size(); ++e) sample.back().push_back(p[e * n + lane]);
      }
      const auto expected = run(*op, sample);
      std::vector<float> got;
      for (size_t e = 0; e < size; ++e) got.push_back(out[e * n + lane]);
      ASSERT_EQ(std::memcmp(got.data(), expected.data(), size * sizeof(float)), 0)
          << "lane " << lane << " of " << lanes;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, Lanes, testing::ValuesIn(cases()), [](const auto& info) {
  return info.param.type + std::to_string(info.index);
});

TEST(OpTable, EveryRowHasALanesCase) {
  std::set<std::string> tested{"Conv",          "Gemm",
                               "MatMul",        "MaxPool",
                               "AveragePool",   "GlobalAveragePool",
                               "GlobalMaxPool", "BatchNormalization"};
  for (const OpCase& c : cases()) tested.insert(c.type);
  for (const OpRow& row : op_table())
    EXPECT_TRUE(tested.contains(std::string(row.type))) << row.type;
}

}  // namespace
}  // namespace vigor
