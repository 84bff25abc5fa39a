#include "lattice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "error.h"

namespace vigor {
namespace {

TEST(Lattice, PointsAroundOne) {
  const Lattice lattice(10);
  EXPECT_EQ(lattice.point(1.0F, 1, 0), 1.0F);
  EXPECT_EQ(lattice.point(1.0F, 1, 1), 1.0F + 0x1p-10F);
  EXPECT_EQ(lattice.point(1.0F, -1, 1), 1.0F - 0x1p-11F);
  // Off the lattice: the next lattice value, not a step.
  EXPECT_EQ(lattice.point(1.0F + 0x1p-20F, 1, 1), 1.0F + 0x1p-10F);
  EXPECT_EQ(lattice.point(1.0F + 0x1p-20F, -1, 1), 1.0F);
}

TEST(Lattice, EndsAtTheDomain) {
  for (const float a : {0.0F, -0.0F, 1.0F, -3.7F, 0x1p-149F, -0x1p-130F, 1e20F}) {
    for (const int bits : {0, 3, 10, 23}) {
      const Lattice lattice(bits);
      EXPECT_EQ(lattice.point(a, 1, lattice.count(a, 1)), kMostProbed) << a << ' ' << bits;
      EXPECT_EQ(lattice.point(a, -1, lattice.count(a, -1)), -kMostProbed) << a << ' ' << bits;
    }
  }
}

TEST(Lattice, IndexIsTheLastPointNotBeyond) {
  const Lattice lattice(10);
  for (const float a : {0.0F, 1.0F, -3.7F, 1.0F + 0x1p-20F, -0x1p-130F}) {
    for (const int side : {-1, 1}) {
      const int64_t last = lattice.count(a, side);
      for (const int64_t i : {int64_t{0}, int64_t{1}, int64_t{2}, last / 2, last - 1, last}) {
        const float point = lattice.point(a, side, i);
        EXPECT_EQ(lattice.index(a, side, point), i) << a << ' ' << side;
        const float beyond = std::nextafter(point, static_cast<float>(side) * INFINITY);
        if (i > 0) {
          EXPECT_EQ(lattice.index(a, side, beyond), i) << a << side;
        }
      }
      EXPECT_EQ(lattice.index(a, side, static_cast<float>(-side) * 1e9F), 0);
      EXPECT_EQ(lattice.index(a, side, static_cast<float>(side) * INFINITY), last);
    }
  }
}

TEST(Lattice, OneZero) {
  const Lattice lattice(10);
  const float step = 0x1p-136F;  // least positive value with 10 mantissa bits
  EXPECT_EQ(lattice.point(0.0F, 1, 1), step);
  EXPECT_EQ(lattice.point(-0.0F, 1, 1), step);
  EXPECT_EQ(lattice.point(0.0F, -1, 1), -step);
  EXPECT_EQ(lattice.point(-step, 1, 1), 0.0F);
  EXPECT_EQ(lattice.point(-step, 1, 2), step);
  EXPECT_EQ(lattice.point(-0x1p-149F, 1, 1), 0.0F);  // subnormal, off the lattice
  EXPECT_EQ(lattice.point(0x1p-149F, 1, 1), step);
}

TEST(Lattice, AscendsWithoutGaps) {
  const Lattice lattice(2);
  for (const float a : {-2.9F, 0.0F, 0x1p-149F, 5.0F}) {
    for (const int side : {-1, 1}) {
      float last = a;
      for (int64_t i = 1; i <= lattice.count(a, side); ++i) {
        const float point = lattice.point(a, side, i);
        ASSERT_GT(static_cast<float>(side) * point, static_cast<float>(side) * last);
        last = point;
      }
    }
  }
}

TEST(Lattice, NothingBeyondTheDomain) {
  const Lattice lattice(10);
  EXPECT_EQ(lattice.count(kMostProbed, 1), 0);
  EXPECT_EQ(lattice.count(1e35F, 1), 0);
  EXPECT_EQ(lattice.count(-1e35F, -1), 0);
  EXPECT_GT(lattice.count(1e35F, -1), 0);
}

TEST(Lattice, RefusesBits) {
  EXPECT_THROW(Lattice(-1), Error);
  EXPECT_THROW(Lattice(24), Error);
}

}  // namespace
}  // namespace vigor
