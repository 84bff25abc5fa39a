// Element-wise operators: values a reader can check on paper.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "op_case.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::Pointwise;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> unary(const std::string& type, const std::vector<float>& x,
                         std::map<std::string, Attribute> attributes = {}, int64_t opset = 14) {
  const Shape shape{static_cast<int64_t>(x.size())};
  return run(OpCase{type, opset, {activation(shape)}, std::move(attributes)}, {x});
}

TEST(Activations, AreExactWhereTheyAreLinear) {
  EXPECT_THAT(unary("Relu", {-2, 0, 3}), ElementsAre(0, 0, 3));
  EXPECT_THAT(unary("LeakyRelu", {-2, 0, 3}, {{"alpha", value(0.25F)}}), ElementsAre(-0.5F, 0, 3));
  EXPECT_THAT(unary("Abs", {-2, 3}), ElementsAre(2, 3));
  EXPECT_THAT(unary("Neg", {-2, 3}), ElementsAre(2, -3));
  EXPECT_THAT(unary("Ceil", {-1.5F, 1.5F}), ElementsAre(-1, 2));
  EXPECT_THAT(unary("Floor", {-1.5F, 1.5F}), ElementsAre(-2, 1));
  EXPECT_THAT(unary("HardSigmoid", {-9, 0, 9}), ElementsAre(0, 0.5F, 1));
  EXPECT_THAT(unary("HardSwish", {-3, 0, 3}), ElementsAre(0, 0, 3));
  EXPECT_THAT(unary("Sqrt", {0, 2.25F}), ElementsAre(0, 1.5F));
  EXPECT_THAT(unary("Reciprocal", {4, -0.5F, kInf}), ElementsAre(0.25F, -2, 0));
  EXPECT_THAT(unary("Softsign", {-1, 0, 3}), ElementsAre(-0.5F, 0, 0.75F));
}

TEST(Activations, AreRightWhereTheyCurve) {
  const float e = std::exp(1.0F);
  EXPECT_THAT(unary("Exp", {0, 1}), Pointwise(FloatEq(), {1.0F, e}));
  EXPECT_THAT(unary("Log", {1, e}), Pointwise(FloatEq(), {0.0F, 1.0F}));
  EXPECT_THAT(unary("Elu", {-1, 2}, {{"alpha", value(2.0F)}}),
              Pointwise(FloatEq(), {2 * (1 / e - 1), 2.0F}));
  EXPECT_THAT(unary("Celu", {-2, 2}, {{"alpha", value(2.0F)}}),
              Pointwise(FloatEq(), {2 * (1 / e - 1), 2.0F}));
  EXPECT_THAT(unary("Selu", {-1, 2}, {{"alpha", value(2.0F)}, {"gamma", value(3.0F)}}),
              Pointwise(FloatEq(), {6 * (1 / e - 1), 6.0F}));
  EXPECT_THAT(unary("Sigmoid", {0, 1}), Pointwise(FloatEq(), {0.5F, e / (e + 1)}));
  EXPECT_THAT(unary("Tanh", {0, 0.5F}), Pointwise(FloatEq(), {0.0F, (e - 1) / (e + 1)}));
  EXPECT_THAT(unary("Softplus", {0, 1}), Pointwise(FloatEq(), {std::log(2.0F), std::log(1 + e)}));
  EXPECT_THAT(unary("Erf", {0, 1}), Pointwise(FloatEq(), {0.0F, 0.84270079F}));
}

TEST(Activations, ClipReadsItsBoundsByOpset) {
  EXPECT_THAT(unary("Clip", {-2, 0, 2}, {{"max", value(1.0F)}}, 6), ElementsAre(-2, 0, 1));
  const auto clip = [](std::vector<NodeInput> bounds, std::vector<float> x) {
    bounds.insert(bounds.begin(), activation({3}));
    return run(OpCase{"Clip", 12, bounds}, {std::move(x)});
  };
  EXPECT_THAT(clip({constant({}, {-1}), constant({}, {1})}, {-2, 0, 2}), ElementsAre(-1, 0, 1));
  EXPECT_THAT(clip({NodeInput{}, constant({}, {1})}, {-2, 0, 2}), ElementsAre(-2, 0, 1));
  EXPECT_THAT(clip({constant({}, {2}), constant({}, {1})}, {0, 3, 5}), ElementsAre(1, 1, 1));
}

TEST(Activations, PassNanOn) {
  for (const char* type : {"Relu", "LeakyRelu", "Clip", "Elu", "Celu", "Selu", "HardSigmoid",
                           "HardSwish", "Sigmoid", "Tanh", "Softplus", "Erf", "Exp", "Abs"}) {
    EXPECT_TRUE(std::isnan(unary(type, {kNan})[0])) << type;
  }
  EXPECT_TRUE(std::isnan(unary("HardSwish", {-kInf})[0]));  // -inf * 0
}

std::vector<float> pair(const std::string& type, NodeInput a, NodeInput b,
                        const std::vector<std::vector<float>>& operands) {
  return run(OpCase{type, 13, {std::move(a), std::move(b)}}, operands);
}

TEST(Elementwise, BroadcastsLikeNumpy) {
  const NodeInput matrix = activation({2, 3}), row = activation({3});
  const std::vector<float> x{1, 2, 3, 4, 5, 6}, y{10, 20, 30};
  EXPECT_THAT(pair("Add", matrix, row, {x, y}), ElementsAre(11, 22, 33, 14, 25, 36));
  EXPECT_THAT(pair("Sub", row, matrix, {y, x}), ElementsAre(9, 18, 27, 6, 15, 24));
  EXPECT_THAT(pair("Mul", matrix, constant({2, 1}, {2, -1}), {x}),
              ElementsAre(2, 4, 6, -4, -5, -6));
  EXPECT_THAT(pair("Div", constant({}, {12}), row, {{1, 2, 4}}), ElementsAre(12, 6, 3));
  EXPECT_THAT(pair("Pow", row, constant({}, {2}), {{1, -2, 3}}), ElementsAre(1, 4, 9));
  EXPECT_THAT(pair("Add", activation({2, 1}), activation({2}), {{1, 2}, {10, 20}}),
              ElementsAre(11, 21, 12, 22));
  EXPECT_THAT(pair("PRelu", matrix, constant({3}, {2, 3, 4}), {{-1, -1, -1, 1, 1, 1}}),
              ElementsAre(-2, -3, -4, 1, 1, 1));
  EXPECT_THROW(pair("Add", matrix, activation({2}), {}), Error);
  EXPECT_THROW(pair("PRelu", row, constant({2, 3}, {1, 2, 3, 4, 5, 6}), {}), Error);
}

TEST(Elementwise, TakesAnyNumberOfInputs) {
  const NodeInput x = activation({2}), c = constant({}, {3});
  EXPECT_THAT(run(OpCase{"Sum", 13, {x, c, x}}, {{1, 2}, {10, 20}}), ElementsAre(14, 25));
  EXPECT_THAT(run(OpCase{"Max", 13, {x, c, x}}, {{1, 9}, {2, 5}}), ElementsAre(3, 9));
  EXPECT_THAT(run(OpCase{"Min", 13, {x, c, x}}, {{1, 9}, {2, 5}}), ElementsAre(1, 3));
  EXPECT_THAT(run(OpCase{"Max", 13, {x}}, {{1, 9}}), ElementsAre(1, 9));
}

TEST(Elementwise, MinAndMaxPassNanFromEitherSide) {
  for (const char* type : {"Min", "Max"}) {
    const auto y = pair(type, activation({2}), activation({2}), {{kNan, 1}, {1, kNan}});
    EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1])) << type;
  }
}

TEST(Elementwise, FoldsConstantsAsOperands) {
  const auto built = build({"Add", 13, {constant({}, {3}), constant({2}, {1, 2})}});
  EXPECT_THAT(built.operand_sizes, ElementsAre(1, 2));
  EXPECT_THAT(run(*built.op, {{3}, {1, 2}}), ElementsAre(4, 5));
}

Role role(const std::string& type, NodeInput a, NodeInput b) {
  return build({type, 13, {std::move(a), std::move(b)}}).op->role();
}

TEST(Elementwise, KnowsItsRole) {
  const NodeInput x = activation({1, 2, 3}), row = activation({3});
  const NodeInput bias = constant({2, 1}, {1, 2}), one = constant({}, {1});
  EXPECT_EQ(role("Add", x, bias), Role::kAffine);
  EXPECT_EQ(role("Sub", one, x), Role::kAffine);
  EXPECT_EQ(role("Div", x, one), Role::kAffine);
  EXPECT_EQ(role("Div", one, x), Role::kActivation);
  EXPECT_EQ(role("Max", x, one), Role::kActivation);
  EXPECT_EQ(role("PRelu", x, bias), Role::kActivation);
  EXPECT_EQ(role("Add", row, bias), Role::kOther);  // grows the activation
  EXPECT_EQ(role("Mul", x, x), Role::kOther);
  EXPECT_EQ(build({"Add", 13, {x, bias}}).op->parameters(), 2);
  EXPECT_EQ(build({"Max", 13, {x, bias}}).op->parameters(), 0);
}

/// op(s x) / s for a large s, by the limit.
std::vector<float> limit(const OpCase& c, const std::vector<std::vector<float>>& operands) {
  const auto far = build(c).op->far_limit();
  return far ? run(*far, operands) : std::vector<float>{};
}

TEST(FarLimit, OfActivations) {
  const NodeInput x = activation({2});
  const NodeInput none, low = constant({}, {-1}), high = constant({}, {6});
  const std::vector<std::vector<float>> values{{-2.5F, 2.5F}};
  for (const char* type : {"Relu", "Elu", "Celu", "Softplus", "HardSwish"}) {
    EXPECT_THAT(limit({type, 14, {x}}, values), ElementsAre(0, 2.5F)) << type;
  }
  EXPECT_THAT(limit({"Selu", 14, {x}, {{"gamma", value(2.0F)}}}, values), ElementsAre(0, 5));
  EXPECT_THAT(limit({"Abs", 14, {x}}, values), ElementsAre(2.5F, 2.5F));
  EXPECT_THAT(limit({"Ceil", 14, {x}}, values), ElementsAre(-2.5F, 2.5F));
  EXPECT_THAT(limit({"Clip", 14, {x, low}}, values), ElementsAre(0, 2.5F));
  EXPECT_THAT(limit({"Clip", 14, {x, none, high}}, values), ElementsAre(-2.5F, 0));
  EXPECT_THAT(limit({"Clip", 14, {x}}, values), ElementsAre(-2.5F, 2.5F));
  EXPECT_THAT(limit({"Clip", 14, {x, low, high}}, values), ElementsAre());
  for (const char* type :
       {"Sigmoid", "Tanh", "HardSigmoid", "Softmax", "Exp", "Sqrt", "Softsign"}) {
    EXPECT_EQ(build({type, 14, {x}}).op->far_limit(), nullptr) << type;
  }
}

TEST(FarLimit, OfElementwise) {
  const NodeInput x = activation({2}), c = constant({}, {3});
  const std::vector<float> a{-1, 2}, b{5, 7};
  EXPECT_THAT(limit({"Add", 13, {x, c}}, {a}), ElementsAre(-1, 2));
  EXPECT_THAT(limit({"Sub", 13, {c, x}}, {a}), ElementsAre(1, -2));
  EXPECT_THAT(limit({"Max", 13, {x, c}}, {a}), ElementsAre(0, 2));
  EXPECT_THAT(limit({"Min", 13, {x, constant({}, {kInf})}}, {a}), ElementsAre(-1, 2));
  EXPECT_THAT(limit({"Add", 13, {x, x}}, {a, b}), ElementsAre(4, 9));
  EXPECT_THAT(limit({"Mul", 13, {x, c}}, {a}), ElementsAre(-3, 6));
  EXPECT_THAT(limit({"Mul", 13, {x, x}}, {a, b}), ElementsAre());
  EXPECT_THAT(limit({"Div", 13, {x, c}}, {{-3, 6}}), ElementsAre(-1, 2));
  EXPECT_THAT(limit({"Div", 13, {c, x}}, {a}), ElementsAre());
  EXPECT_THAT(limit({"PRelu", 13, {x, c}}, {a}), ElementsAre(-3, 2));
  EXPECT_THAT(limit({"PRelu", 13, {x, x}}, {a, b}), ElementsAre());
  EXPECT_THAT(limit({"Pow", 13, {x, c}}, {a}), ElementsAre());
}

}  // namespace
}  // namespace vigor
