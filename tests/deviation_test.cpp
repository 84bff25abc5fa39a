#include "deviation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace vigor {
namespace {

TEST(Deviation, ExactWhereADoubleHoldsIt) {
  EXPECT_EQ(deviation_inward(3.0F, 1.0F), 2.0);
  EXPECT_EQ(deviation_outward(3.0F, 1.0F), 2.0);
  EXPECT_EQ(deviation_inward(1.0F, 3.0F), -2.0);
  EXPECT_FALSE(std::signbit(deviation_inward(-0.0F, 0.0F)));
  EXPECT_FALSE(std::signbit(deviation_outward(-0.0F, 0.0F)));
}

TEST(Deviation, RoundsToTheCautiousSide) {
  // 2^60 + 2^-60 and 2^60 - 2^-60 lie strictly between doubles.
  EXPECT_EQ(deviation_inward(0x1p60F, -0x1p-60F), 0x1p60);
  EXPECT_EQ(deviation_outward(0x1p60F, -0x1p-60F), std::nextafter(0x1p60, 1e300));
  EXPECT_EQ(deviation_inward(0x1p60F, 0x1p-60F), std::nextafter(0x1p60, 0.0));
  EXPECT_EQ(deviation_outward(0x1p60F, 0x1p-60F), 0x1p60);
  EXPECT_EQ(deviation_inward(-0x1p60F, -0x1p-60F), std::nextafter(-0x1p60, 0.0));
  EXPECT_EQ(deviation_outward(-0x1p60F, 0x1p-60F), std::nextafter(-0x1p60, -1e300));
}

TEST(Deviation, ComparesTheExactDifference) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(compare_deviation(3.0F, 1.0F, 2.0), 0);
  EXPECT_EQ(compare_deviation(3.0F, 1.0F, 2.5), -1);
  EXPECT_EQ(compare_deviation(0x1p60F, -0x1p-60F, 0x1p60), 1);
  EXPECT_EQ(compare_deviation(0x1p60F, 0x1p-60F, 0x1p60), -1);
  EXPECT_EQ(compare_deviation(0x1p100F, 0.0F, kInfinity), -1);
  EXPECT_EQ(compare_deviation(-0x1p100F, 0.0F, -kInfinity), 1);
}

TEST(Deviation, InwardAndOutwardEncloseTheDifference) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> mantissa(-2.0F, 2.0F);
  std::uniform_int_distribution<int> exponent(-120, 99);
  for (int n = 0; n < 100000; ++n) {
    const float v = std::ldexp(mantissa(engine), exponent(engine));
    const float a = std::ldexp(mantissa(engine), exponent(engine));
    const int side = v > a ? 1 : -1;
    ASSERT_GE(side * compare_deviation(v, a, deviation_inward(v, a)), 0);
    ASSERT_LE(side * compare_deviation(v, a, deviation_outward(v, a)), 0);
  }
}

}  // namespace
}  // namespace vigor
