#include "sample_mean.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vigor {
namespace {

constexpr Interval kShares{0, 1};

// Mean 0.4, s^2 = 0.02, 2 of 8 seen: variance of the mean 0.01 * 3/4; t of one degree 12.706.
TEST(SampleMean, IntervalOfASample) {
  const Sample sample{{0.3, 0.5}, 0.4, 8};
  const auto interval = mean_interval(sample, {-10, 10});
  ASSERT_TRUE(interval);
  EXPECT_NEAR(interval->low, 0.4 - 12.706 * std::sqrt(0.0075), 1e-3);
  EXPECT_NEAR(interval->high, 0.4 + 12.706 * std::sqrt(0.0075), 1e-3);
  EXPECT_EQ(mean_interval(sample, kShares)->low, 0);
  EXPECT_EQ(mean_interval(sample, kShares)->high, 1);
}

TEST(SampleMean, WholePopulationHasNone) {
  const Sample whole{{0.3, 0.5}, 0.4, 2};
  EXPECT_FALSE(mean_interval(whole, kShares));
  EXPECT_FALSE(mean_interval(std::vector{whole, whole}, 0.4, kShares));
}

TEST(SampleMean, OfOneNothingIsKnown) {
  const Sample one{{0.25}, 0.25, 4};
  EXPECT_EQ(mean_interval(one, {-1, 1})->low, -1);
  // Half of the population is known as a whole (mean 0.5), the other half may be anything.
  const auto interval = mean_interval(std::vector{one, {{0, 1, 1, 0}, 0.5, 4}}, 0.375, kShares);
  EXPECT_DOUBLE_EQ(interval->low, 0.25);
  EXPECT_DOUBLE_EQ(interval->high, 0.75);
}

TEST(SampleMean, OneStratumIsTheSample) {
  const Sample sample{{0.1, 0.2, 0.4}, 0.7 / 3, 9};
  const auto one = mean_interval(sample, kShares);
  const auto all = mean_interval(std::vector{sample}, sample.mean, kShares);
  EXPECT_DOUBLE_EQ(one->low, all->low);
  EXPECT_DOUBLE_EQ(one->high, all->high);
}

}  // namespace
}  // namespace vigor
