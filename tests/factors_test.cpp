#include "factors.h"

#include <gtest/gtest.h>

#include <cmath>

#include "example_run.h"

namespace vigor {
namespace {

constexpr int64_t kInputs = 3;

TEST(Factors, OfBitsAndNeurons) {
  const auto run = example_run();
  EXPECT_EQ(run.inputs(), kInputs);
  EXPECT_EQ(bvf(run.sites[0], kInputs, 1, 30), 1.0);
  EXPECT_EQ(bvf(run.sites[0], kInputs, 1, 29), 1.0 / 3);
  EXPECT_EQ(bvf(run.sites[0], kInputs, 1, 29, Reading::kLow), 0.0);
  EXPECT_EQ(bvf(run.sites[0], kInputs, 1, 29, Reading::kHigh), 2.0 / 3);
  EXPECT_EQ(nvf(run.sites[0], kInputs, 0), 3.0 / 96);
  EXPECT_EQ(nvf(run.sites[0], kInputs, 1), 4.0 / 96);
  EXPECT_EQ(nvf(run.sites[0], kInputs, 2, Reading::kNan), 2.0 / 96);
  EXPECT_EQ(bit_means(run.sites[0], kInputs)[30], 1.0);
  EXPECT_EQ(bit_means(run.sites[0], kInputs)[29], 1.0 / 12);
  EXPECT_EQ(worst_bit(run.sites[0], kInputs, 1), 30);
  EXPECT_EQ(worst_bit(run.sites[1], kInputs, 0), 31);
}

TEST(Factors, OfLayers) {
  const auto run = example_run();
  const Factor conv = lvf(run.sites[0], kInputs);
  EXPECT_DOUBLE_EQ(conv.low, 8.0 / 384);
  EXPECT_DOUBLE_EQ(conv.resolved, 13.0 / 384);
  EXPECT_DOUBLE_EQ(conv.high, 14.0 / 384);
  EXPECT_DOUBLE_EQ(conv.nan, 2.0 / 384);
  EXPECT_DOUBLE_EQ(conv.without_nan(), 11.0 / 384);
  EXPECT_DOUBLE_EQ(conv.non_critical(), 371.0 / 384);
  EXPECT_FALSE(conv.interval);
}

// NVF of the two neurons: 1/16 and 3/16. Mean 1/8, s^2 = 2 (1/16)^2, 2 of 6 neurons seen:
// variance of the mean s^2 / 2 * (1 - 2/6) = (1/16)^2 * 2/3; t of one degree of freedom 12.706.
TEST(Factors, OfASampledLayer) {
  const Factor dense = lvf(example_run().sites[1], kInputs);
  EXPECT_DOUBLE_EQ(dense.resolved, 0.125);
  ASSERT_TRUE(dense.interval);
  EXPECT_EQ(dense.interval->low, 0);
  EXPECT_DOUBLE_EQ(dense.interval->high, 0.125 + 12.706 / 16 * std::sqrt(2.0 / 3));
  SiteResult one = example_run().sites[1];
  one.site.neurons = {1};
  one.tally = SiteTally(1, 1);
  EXPECT_EQ(lvf(one, kInputs).interval->high, 1);
}

// Populations 4 and 6; one stratum varies, so its freedom and its width, scaled, are the model's.
TEST(Factors, OfTheModel) {
  const auto run = example_run();
  const Factor model = mvf(run);
  EXPECT_DOUBLE_EQ(model.low, 0.4 * 8 / 384);
  EXPECT_DOUBLE_EQ(model.resolved, 0.4 * 13 / 384 + 0.6 / 8);
  EXPECT_DOUBLE_EQ(model.high, 0.4 * 14 / 384 + 0.6 / 8);
  ASSERT_TRUE(model.interval);
  EXPECT_NEAR(model.interval->high, model.resolved + 0.6 * 12.706 / 16 * std::sqrt(2.0 / 3), 1e-12);
  EXPECT_DOUBLE_EQ(model_bit_means(run)[30], 1.0);
  EXPECT_DOUBLE_EQ(model_bit_means(run)[28], 0.3);
  EXPECT_EQ(weights_text(run), "population: conv1 4, fc1 6");
}

TEST(Factors, OfCost) {
  const auto run = example_run();
  EXPECT_DOUBLE_EQ(probes_per_pair(run.sites[0], kInputs), 2);
  EXPECT_DOUBLE_EQ(probes_per_pair(run), 54.0 / 18);
  EXPECT_DOUBLE_EQ(forward_equivalents(run.sites[0], run), 0.5);
  EXPECT_DOUBLE_EQ(forward_equivalents(run), 0.5);
}

TEST(Factors, OfNothing) {
  EXPECT_EQ(mvf(vigor::Run()).resolved, 0);
  EXPECT_EQ(probes_per_pair(vigor::Run()), 0);
  EXPECT_EQ(lvf(SiteResult(), 0).resolved, 0);
}

TEST(Interval, StudentT) {
  EXPECT_NEAR(student_t(1), 12.706, 0.001);
  EXPECT_NEAR(student_t(3), 3.182, 0.005);
  EXPECT_NEAR(student_t(5), 2.571, 0.002);
  EXPECT_NEAR(student_t(30), 2.042, 0.001);
  EXPECT_NEAR(student_t(1e6), 1.960, 0.001);
}

// Textbook values.
TEST(Interval, Wilson) {
  EXPECT_NEAR(wilson(0, 10).high, 0.2775, 0.0001);
  EXPECT_EQ(wilson(0, 10).low, 0);
  EXPECT_NEAR(wilson(5, 10).low, 0.2366, 0.0001);
  EXPECT_NEAR(wilson(5, 10).high, 0.7634, 0.0001);
  EXPECT_EQ(wilson(0, 0).high, 1);
}

}  // namespace
}  // namespace vigor
