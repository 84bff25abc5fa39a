#include "gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "error.h"
#include "example_run.h"

namespace vigor {
namespace {

using testing::HasSubstr;

TEST(Gate, Shares) {
  EXPECT_EQ(parse_share("0.25", "x"), 0.25);
  EXPECT_EQ(parse_share("25%", "x"), 0.25);
  EXPECT_EQ(parse_share("0", "x"), 0);
  EXPECT_EQ(parse_share("1", "x"), 1);
  for (const char* wrong : {"", "%", "x", "2", "-0.1", "101%", "0.1x", "nan", "0.1%%", "1e999"}) {
    EXPECT_THROW(parse_share(wrong, "x"), Error) << wrong;
  }
}

TEST(Gate, LimitsOfLayers) {
  Limits limits;
  EXPECT_TRUE(limits.empty());
  add_lvf_limit(limits, "conv1=1%");
  add_lvf_limit(limits, "a=b=0.5");
  add_lvf_limit(limits, "0.1");
  EXPECT_EQ(limits.lvf, 0.1);
  EXPECT_EQ(limits.site_lvf.at("conv1"), 0.01);
  EXPECT_EQ(limits.site_lvf.at("a=b"), 0.5);
  EXPECT_THROW(add_lvf_limit(limits, "0.2"), Error);
  EXPECT_THROW(add_lvf_limit(limits, "conv1=2%"), Error);
  EXPECT_THROW(add_lvf_limit(limits, "conv1="), Error);
}

// conv1, whole: 13/384 = 0.0339. fc1, 2 of 6: 0.125, its interval ends far above.
TEST(Gate, JudgesSamplesByTheUpperEnd) {
  const FactorSheet sheet = factor_sheet(example_run());
  Limits limits;
  limits.site_lvf = {{"conv1", 13.0 / 384}, {"fc1", 0.13}};
  const std::vector<Check> checks = check_limits(sheet, limits);
  ASSERT_EQ(checks.size(), 2);
  EXPECT_FALSE(checks[0].over);
  EXPECT_EQ(checks[0].judged, checks[0].value);
  EXPECT_TRUE(checks[1].over);
  EXPECT_LT(checks[1].value, checks[1].limit);
  EXPECT_EQ(checks[1].judged, sheet.sites[1].lvf.interval->high);
  EXPECT_FALSE(passes(checks));
  const std::string text = to_text(sheet, checks);
  for (const char* part : {"Failed: 1 of 2", "upper end", "LVF fc1", "OVER"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(Gate, NamedSitesHaveTheirOwnLimit) {
  Limits limits;
  limits.mvf = 1;
  limits.lvf = 0;
  limits.site_lvf = {{"fc1", 1}};
  const FactorSheet sheet = factor_sheet(example_run());
  const std::vector<Check> checks = check_limits(sheet, limits);
  ASSERT_EQ(checks.size(), 3);
  EXPECT_EQ(checks[0].figure, "MVF");
  EXPECT_FALSE(checks[0].over);
  EXPECT_TRUE(checks[1].over);
  EXPECT_FALSE(checks[2].over);
  const auto document = nlohmann::json::parse(to_json(sheet, checks));
  EXPECT_FALSE(document["passed"]);
  EXPECT_TRUE(document["checks"][0]["site"].is_null());
  EXPECT_EQ(document["checks"][1]["site"], "conv1");
  limits.site_lvf = {{"conv9", 1}};
  EXPECT_THROW(check_limits(sheet, limits), Error);
}

TEST(Gate, WhatIsNotKnownDoesNotPass) {
  FactorSheet sheet = factor_sheet(example_run());
  sheet.mvf = {std::numeric_limits<double>::quiet_NaN(), 0, 1, std::nullopt};
  Limits limits;
  limits.mvf = 1;
  EXPECT_FALSE(passes(check_limits(sheet, limits)));
}

}  // namespace
}  // namespace vigor
