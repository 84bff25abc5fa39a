// Views, data movement, softmax, reductions, LRN: values a reader can check on paper.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "op_case.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::Pointwise;
using Ints = std::vector<int64_t>;

/// The op of input {shape} filled with 0, 1, 2, ...; its output shape through `shape`.
std::vector<float> counted(const OpCase& c, Shape* shape = nullptr) {
  const auto [op, sizes] = build(c);
  std::vector<std::vector<float>> operands;
  for (const int64_t size : sizes) {
    operands.emplace_back(static_cast<size_t>(size));
    std::iota(operands.back().begin(), operands.back().end(), 0.0F);
  }
  if (shape) *shape = op->shape();
  return run(*op, operands);
}

Shape view(const OpCase& c) {
  const auto built = build(c);
  EXPECT_EQ(built.op->role(), Role::kView);
  return built.op->shape();
}

TEST(Views, ShapeByOpset) {
  const NodeInput x = activation({1, 3, 4, 1});
  EXPECT_EQ(view({"Flatten", 13, {x}}), (Shape{1, 12}));
  EXPECT_EQ(view({"Flatten", 13, {x}, {{"axis", value(int64_t{-2})}}}), (Shape{3, 4}));
  EXPECT_EQ(view({"Flatten", 13, {x}, {{"axis", value(int64_t{4})}}}), (Shape{12, 1}));
  EXPECT_EQ(view({"Reshape", 13, {x, integers({0, -1, 2})}}), (Shape{1, 6, 2}));
  EXPECT_THROW(build({"Reshape", 13, {x, integers({5, -1})}}), Error);
  EXPECT_THROW(build({"Reshape", 14, {x, integers({0, 12})}, {{"allowzero", value(int64_t{1})}}}),
               Error);
  EXPECT_EQ(view({"Squeeze", 11, {x}}), (Shape{3, 4}));
  EXPECT_EQ(view({"Squeeze", 11, {x}, {{"axes", value(Ints{3})}}}), (Shape{1, 3, 4}));
  EXPECT_EQ(view({"Squeeze", 13, {x, integers({0})}}), (Shape{3, 4, 1}));
  EXPECT_THROW(build({"Squeeze", 13, {x, integers({1})}}), Error);
  EXPECT_EQ(view({"Unsqueeze", 11, {x}, {{"axes", value(Ints{0})}}}), (Shape{1, 1, 3, 4, 1}));
  EXPECT_EQ(view({"Unsqueeze", 13, {x, integers({-1, 1})}}), (Shape{1, 1, 3, 4, 1, 1}));
  EXPECT_EQ(view({"Dropout", 11, {x}, {{"ratio", value(0.5F)}}}), (Shape{1, 3, 4, 1}));
  EXPECT_EQ(view({"Cast", 13, {x}, {{"to", value(int64_t{1})}}}), (Shape{1, 3, 4, 1}));
  EXPECT_THROW(build({"Cast", 13, {x}, {{"to", value(int64_t{7})}}}), Error);
}

TEST(Views, TransposeOfUnitExtentsIsOne) {
  EXPECT_EQ(
      view({"Transpose", 13, {activation({1, 3, 4, 1})}, {{"perm", value(Ints{1, 0, 3, 2})}}}),
      (Shape{3, 1, 1, 4}));
}

TEST(Move, Transpose) {
  Shape shape;
  EXPECT_THAT(counted({"Transpose", 13, {activation({2, 3})}}, &shape),
              ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_EQ(shape, (Shape{3, 2}));
  EXPECT_THAT(counted({"Transpose", 13, {activation({2, 1, 2})}, {{"perm", value(Ints{2, 0, 1})}}}),
              ElementsAre(0, 2, 1, 3));
  EXPECT_THROW(build({"Transpose", 13, {activation({2, 3})}, {{"perm", value(Ints{0, 0})}}}),
               Error);
}

TEST(Move, ConcatWithAConstant) {
  const OpCase c{"Concat",
                 13,
                 {activation({2, 1}), constant({2, 2}, {-1, -2, -3, -4}), activation({2, 1})},
                 {{"axis", value(int64_t{-1})}}};
  EXPECT_THAT(counted(c), ElementsAre(0, -1, -2, 0, 1, -3, -4, 1));
  EXPECT_EQ(build(c).op->parameters(), 4);
  EXPECT_THAT(run(*build(c).op->far_limit(), {{5, 6}, {7, 8}}),
              ElementsAre(5, 0, 0, 7, 6, 0, 0, 8));
  EXPECT_THROW(
      build(
          {"Concat", 13, {activation({2, 1}), activation({3, 1})}, {{"axis", value(int64_t{1})}}}),
      Error);
}

TEST(Move, SplitMakesTheOutputAskedFor) {
  const NodeInput x = activation({1, 4});
  const auto attributes = [](int64_t output) {
    return std::map<std::string, Attribute>{{"axis", value(int64_t{1})},
                                            {"vigor_output", value(output)}};
  };
  EXPECT_THAT(counted({"Split", 13, {x}, attributes(1), 2}), ElementsAre(2, 3));
  EXPECT_THAT(counted({"Split", 13, {x, integers({3, 1})}, attributes(0), 2}),
              ElementsAre(0, 1, 2));
  auto old = attributes(1);
  old["split"] = value(Ints{1, 3});
  EXPECT_THAT(counted({"Split", 11, {x}, old, 2}), ElementsAre(1, 2, 3));
  EXPECT_THROW(build({"Split", 13, {x, integers({3, 2})}, attributes(0), 2}), Error);
}

TEST(Move, SliceClampsAndSteps) {
  constexpr int64_t kFarthest = std::numeric_limits<int64_t>::max();
  const NodeInput x = activation({6});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return counted(
        {"Slice", 13, {x, integers({start}), integers({end}), integers({0}), integers({step})}});
  };
  EXPECT_THAT(slice(1, -1, 2), ElementsAre(1, 3));
  EXPECT_THAT(slice(-2, kFarthest, 1), ElementsAre(4, 5));
  EXPECT_THAT(slice(0, kFarthest, kFarthest), ElementsAre(0));
  EXPECT_THAT(slice(kFarthest, -kFarthest, -2), ElementsAre(5, 3, 1));
  EXPECT_THAT(slice(4, 2, 1), ElementsAre());
  EXPECT_THAT(
      counted({"Slice",
               9,
               {activation({2, 3})},
               {{"starts", value(Ints{1})}, {"ends", value(Ints{3})}, {"axes", value(Ints{1})}}}),
      ElementsAre(1, 2, 4, 5));
}

TEST(Move, Gather) {
  Shape shape;
  const NodeInput x = activation({2, 3});
  EXPECT_THAT(
      counted({"Gather", 13, {x, integers({2, -3})}, {{"axis", value(int64_t{1})}}}, &shape),
      ElementsAre(2, 0, 5, 3));
  EXPECT_EQ(shape, (Shape{2, 2}));
  auto scalar = std::make_shared<Constant>(*integers({1}).constant);
  scalar->shape = {};
  EXPECT_THAT(counted({"Gather", 13, {x, {scalar, {}, true}}}, &shape), ElementsAre(3, 4, 5));
  EXPECT_EQ(shape, (Shape{3}));
  EXPECT_THROW(build({"Gather", 13, {x, integers({2})}}), Error);
}

TEST(Move, Pad) {
  const auto pad = [](const std::string& mode, const Ints& pads) {
    const NodeInput x = activation({3}), fill = constant({}, {9});
    return counted({"Pad", 13, {x, integers(pads), fill}, {{"mode", value(mode)}}});
  };
  EXPECT_THAT(pad("constant", {1, 2}), ElementsAre(9, 0, 1, 2, 9, 9));
  EXPECT_THAT(pad("reflect", {2, 1}), ElementsAre(2, 1, 0, 1, 2, 1));
  EXPECT_THAT(pad("edge", {1, 2}), ElementsAre(0, 0, 1, 2, 2, 2));
  EXPECT_THAT(pad("constant", {-1, 1}), ElementsAre(1, 2, 9));
  EXPECT_THROW(pad("reflect", {3, 0}), Error);
  EXPECT_THROW(pad("wrap", {1, 0}), Error);
  for (const int64_t huge : {int64_t{1} << 30, int64_t{1} << 40, INT64_MAX, INT64_MIN}) {
    EXPECT_THROW(pad("constant", {1, huge}), Error);
    EXPECT_THROW(pad("edge", {huge, 0}), Error);
  }
  const OpCase old{
      "Pad", 10, {activation({1})}, {{"pads", value(Ints{1, 0})}, {"value", value(7.0F)}}};
  EXPECT_THAT(counted(old), ElementsAre(7, 0));
  EXPECT_THAT(run(*build(old).op->far_limit(), {{5}}), ElementsAre(0, 5));
}

TEST(Move, Expand) {
  EXPECT_THAT(counted({"Expand", 13, {activation({2, 1}), integers({2})}}),
              ElementsAre(0, 0, 1, 1));
  EXPECT_THROW(build({"Expand", 13, {activation({2, 1}), integers({1 << 30})}}), Error);
}

TEST(Softmax, NormalisesByOpset) {
  const NodeInput x = activation({1, 2, 2});
  const float third = std::log(2.0F);  // e^third : 1 = 2 : 1
  const std::vector<std::vector<float>> values{{0, third, third, 0}};
  EXPECT_THAT(run(OpCase{"Softmax", 13, {x}}, values),
              Pointwise(FloatEq(), {1 / 3.0F, 2 / 3.0F, 2 / 3.0F, 1 / 3.0F}));
  EXPECT_THAT(run(OpCase{"Softmax", 11, {x}}, values),
              Pointwise(FloatEq(), {1 / 6.0F, 2 / 6.0F, 2 / 6.0F, 1 / 6.0F}));
  EXPECT_THAT(run(OpCase{"LogSoftmax", 13, {x}, {{"axis", value(int64_t{1})}}}, {{0, 0, 0, 0}}),
              Pointwise(FloatEq(), std::vector<float>(4, -third)));
  EXPECT_THAT(run(OpCase{"Softmax", 13, {x}}, {{-1e30F, 1e30F, 500, 500}}),
              ElementsAre(0, 1, 0.5F, 0.5F));
}

TEST(Reduce, OverAxes) {
  const NodeInput x = activation({2, 3});
  Shape shape;
  EXPECT_THAT(counted({"ReduceMean", 13, {x}, {{"axes", value(Ints{1})}}}, &shape),
              ElementsAre(1, 4));
  EXPECT_EQ(shape, (Shape{2, 1}));
  EXPECT_THAT(
      counted({"ReduceSum", 13, {x, integers({0})}, {{"keepdims", value(int64_t{0})}}}, &shape),
      ElementsAre(3, 5, 7));
  EXPECT_EQ(shape, (Shape{3}));
  EXPECT_THAT(counted({"ReduceSum", 11, {x}, {{"axes", value(Ints{-1})}}}), ElementsAre(3, 12));
  EXPECT_THAT(counted({"ReduceSum", 13, {x}, {{"noop_with_empty_axes", value(int64_t{1})}}}),
              ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(counted({"ReduceMax", 13, {x}}), ElementsAre(5));
  EXPECT_THAT(counted({"ReduceMin", 13, {x}, {{"axes", value(Ints{0})}}}), ElementsAre(0, 1, 2));
}

TEST(Lrn, DividesByTheNeighbours) {
  // bias 1, alpha / size = 1, beta 1: x / (1 + sum of squares of the channel and its successor).
  const OpCase c{"LRN",
                 13,
                 {activation({1, 3, 1})},
                 {{"size", value(int64_t{2})}, {"alpha", value(2.0F)}, {"beta", value(1.0F)}}};
  EXPECT_THAT(run(c, {{1, 2, 3}}), ElementsAre(1 / 6.0F, 2 / 14.0F, 3 / 10.0F));
}

TEST(OpTable, RefusesAttributesItDoesNotKnow) {
  EXPECT_THROW(build({"Relu", 13, {activation({1})}, {{"alpha", value(1.0F)}}}), Error);
  EXPECT_EQ(find_op("NoSuchOp"), nullptr);
}

}  // namespace
}  // namespace vigor
