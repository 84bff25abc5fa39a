#include "ops/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace vigor {
namespace {

/// Every float is 2^32 steps; the tests take one in kStride, and both neighbours of each.
constexpr uint32_t kStride = 9973;
constexpr uint32_t kInfinityBits = 0x7f800000;

/// The floats in increasing order, by index from -kInfinityBits to kInfinityBits.
float ordered(int64_t index) {
  const auto bits = static_cast<uint32_t>(std::abs(index));
  return std::copysign(std::bit_cast<float>(bits), index < 0 ? -1.0F : 1.0F);
}

template <typename Function, typename Reference>
void check(Function f, Reference reference, bool grows) {
  constexpr auto kLast = int64_t{kInfinityBits};
  for (int64_t index = -kLast; index < kLast; index += kStride) {
    const float x = ordered(index), y = f(x);
    ASSERT_TRUE(!grows || y <= f(ordered(index + 1))) << x;
    const auto exact = reference(static_cast<long double>(x));
    const auto rounded = static_cast<float>(exact);
    const bool near = y == rounded || y == std::nextafter(rounded, -INFINITY) ||
                      y == std::nextafter(rounded, INFINITY);
    ASSERT_TRUE(near) << "x " << x << ": got " << y << ", expected " << rounded;
  }
}

long double sigmoid(long double x) { return 1.0L / (1.0L + std::exp(-x)); }
long double softplus(long double x) {
  return std::max(x, 0.0L) + std::log1p(std::exp(-std::fabs(x)));
}

TEST(Functions, AreWithinOneUlp) {
  check(
      functions::exp, [](long double x) { return std::exp(x); }, true);
  check(functions::sigmoid, sigmoid, true);
  check(
      functions::tanh, [](long double x) { return std::tanh(x); }, true);
  check(functions::softplus, softplus, true);
  const auto negative_expm1 = [](float x) {
    return static_cast<float>(functions::expm1_double(std::min(x, 0.0F)));
  };
  check(
      negative_expm1, [](long double x) { return std::expm1(std::min(x, 0.0L)); }, true);
}

TEST(Functions, KeepNanAndSignsAndLimits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const auto f : {functions::exp, functions::sigmoid, functions::tanh, functions::softplus}) {
    EXPECT_TRUE(std::isnan(f(nan)));
  }
  EXPECT_EQ(functions::exp(inf), inf);
  EXPECT_EQ(functions::exp(-inf), 0.0F);
  EXPECT_EQ(functions::exp(0.0F), 1.0F);
  EXPECT_EQ(functions::sigmoid(inf), 1.0F);
  EXPECT_EQ(functions::sigmoid(-inf), 0.0F);
  EXPECT_EQ(functions::sigmoid(0.0F), 0.5F);
  EXPECT_EQ(functions::tanh(inf), 1.0F);
  EXPECT_EQ(functions::tanh(-inf), -1.0F);
  EXPECT_TRUE(std::signbit(functions::tanh(-0.0F)));
  EXPECT_EQ(functions::softplus(inf), inf);
  EXPECT_EQ(functions::softplus(-inf), 0.0F);
}

}  // namespace
}  // namespace vigor
