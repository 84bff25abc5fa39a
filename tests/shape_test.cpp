#include "shape.h"

#include <gtest/gtest.h>

#include "error.h"

namespace vigor {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({5, 0, 7}), 0);
}

TEST(Shape, RefusesNegativeAndHuge) {
  EXPECT_THROW(element_count({2, -1}), Error);
  EXPECT_THROW(element_count({int64_t{1} << 40, int64_t{1} << 40}), Error);
}

TEST(Shape, Prints) {
  EXPECT_EQ(to_string({3, 32, 32}), "3x32x32");
  EXPECT_EQ(to_string(Shape{}), "scalar");
}

}  // namespace
}  // namespace vigor
