#include "difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "error.h"
#include "example_run.h"

namespace vigor {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The example without the critical flips of conv1's neuron 1: 4 of its 96.
vigor::Run hardened() {
  vigor::Run run = example_run();
  run.model_sha256 = "22dd";
  run.sites[0].tally.critical[kBits + 30] = 0;
  run.sites[0].tally.critical[kBits + 29] = 0;
  return run;
}

SheetPair pair_of(const vigor::Run& before, const vigor::Run& after) {
  return {factor_sheet(before), factor_sheet(after)};
}

Difference differ(const SheetPair& sheets, int top = 20) {
  return difference(sheets.before, sheets.after, top);
}

TEST(FactorSheet, HoldsTheFactorsOfARun) {
  const vigor::Run run = example_run();
  const FactorSheet sheet = factor_sheet(run);
  EXPECT_DOUBLE_EQ(sheet.mvf.value, mvf(run).resolved);
  EXPECT_DOUBLE_EQ(sheet.mvf.low, mvf(run).low);
  EXPECT_NEAR(sheet.mvf.interval->high, mvf(run).interval->high, 1e-12);
  EXPECT_FALSE(sheet.sites[0].lvf.interval);
  EXPECT_NEAR(sheet.sites[1].lvf.upper(), lvf(run.sites[1], 3).interval->high, 1e-12);
  EXPECT_THAT(sheet.sites[0].nvf, ElementsAre(3.0 / 96, 4.0 / 96, 3.0 / 96, 3.0 / 96));
  EXPECT_DOUBLE_EQ(factor_sheet(run, Reading::kHigh).sites[0].lvf.value, 14.0 / 384);
}

Mapping example_mapping(bool per_input) {
  Mapping mapping;
  static_cast<RunHead&>(mapping) = example_run();
  mapping.method = "map";
  mapping.stored = {"int8", "flip"};
  mapping.per_input = per_input;
  mapping.bins = 8;
  MapSite site{example_run().sites[0], MapTally(4, 8)};
  site.tally.low[7] = 1;
  site.tally.critical[7] = 2;
  site.tally.high[7] = 3;  // of neuron 0's 24 faults
  mapping.sites.push_back(site);
  return mapping;
}

TEST(FactorSheet, HoldsTheFactorsOfAMap) {
  const FactorSheet sheet = factor_sheet(example_mapping(true));
  EXPECT_EQ(sheet.bits, 8);
  EXPECT_THAT(sheet.sites[0].nvf, ElementsAre(2.0 / 24, 0, 0, 0));
  EXPECT_DOUBLE_EQ(sheet.mvf.value, 2.0 / 96);
  const FactorSheet ranges = factor_sheet(example_mapping(false));
  EXPECT_EQ(ranges.reading, Reading::kHigh);
  EXPECT_DOUBLE_EQ(ranges.mvf.value, 3.0 / 96);
}

TEST(Difference, OfARunAndItself) {
  const SheetPair sheets = pair_of(example_run(), example_run());
  const Difference none = differ(sheets);
  EXPECT_THAT(none.warnings, IsEmpty());
  EXPECT_EQ(none.mvf.value(), 0);
  EXPECT_FALSE(none.mvf.beyond());
  EXPECT_EQ(none.moved, 0);
  EXPECT_THAT(to_text(sheets, none), HasSubstr("as often as before"));
}

// All neurons of conv1 are known: any change is one. Of fc1 the same sample: no change at all.
TEST(Difference, OfHardening) {
  const SheetPair sheets = pair_of(example_run(), hardened());
  const Difference found = differ(sheets);
  ASSERT_EQ(found.sites.size(), 2);
  const Change& conv = found.sites[0].lvf;
  EXPECT_DOUBLE_EQ(conv.value(), -4.0 / 384);
  EXPECT_FALSE(conv.interval);
  EXPECT_TRUE(conv.beyond());
  EXPECT_FALSE(found.sites[1].lvf.beyond());
  EXPECT_EQ(found.sites[1].compared, 2);
  // Paired: the spread of fc1's neurons, which have not changed, is none of the change's.
  ASSERT_TRUE(found.mvf.interval);
  EXPECT_NEAR(found.mvf.value(), -0.4 * 4 / 384, 1e-15);
  EXPECT_DOUBLE_EQ(found.mvf.interval->low, found.mvf.value());
  EXPECT_DOUBLE_EQ(found.mvf.interval->high, found.mvf.value());
  EXPECT_TRUE(found.mvf.beyond());
  ASSERT_EQ(found.neurons.size(), 1);
  EXPECT_EQ(found.neurons[0].site, "conv1");
  EXPECT_EQ(found.neurons[0].neuron, 1);
  EXPECT_DOUBLE_EQ(found.neurons[0].before, 4.0 / 96);
  EXPECT_EQ(found.neurons[0].after, 0);
}

// Other neurons of the same population: as uncertain as both together.
TEST(Difference, OfIndependentSamples) {
  vigor::Run after = example_run();
  after.sites[1].site.neurons = {1, 5};
  const SheetPair sheets = pair_of(example_run(), after);
  const SiteChange site = differ(sheets).sites[1];
  EXPECT_EQ(site.compared, 1);
  ASSERT_TRUE(site.lvf.interval);
  const double half = sheets.after.sites[1].lvf.interval->high - 0.125;
  const double below = 0.125 - sheets.after.sites[1].lvf.interval->low;
  EXPECT_NEAR(site.lvf.interval->high, std::hypot(half, below), 1e-12);
  EXPECT_NEAR(site.lvf.interval->low, -std::hypot(half, below), 1e-12);
  EXPECT_FALSE(site.lvf.beyond());
}

TEST(Difference, SaysWhatDoesNotMatch) {
  vigor::Run after = hardened();
  after.data_sha256 = "33cc";
  after.method = kPaperMethod;
  after.sites[0].shape = {2, 2};
  after.sites.push_back(after.sites[0]);
  after.sites.back().site.name = "conv9";
  vigor::Run before = example_run();
  before.sites.push_back(before.sites[0]);
  before.sites.back().site.name = "conv0";
  const SheetPair sheets = pair_of(before, after);
  const Difference found = differ(sheets);
  EXPECT_THAT(found.only_before, ElementsAre("conv0"));
  EXPECT_THAT(found.only_after, ElementsAre("conv9"));
  EXPECT_THAT(found.unlike, ElementsAre("conv1 (1x2x2, 2x2)"));
  EXPECT_EQ(found.sites.size(), 1);
  const std::string text = to_text(sheets, found);
  for (const char* part : {"Other inputs (3 before, 3 after)", "lattice before, paper after",
                           "Not all sites are in both", "Only before: conv0", "Only after: conv9",
                           "Other shapes, not compared: conv1 (1x2x2, 2x2)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_EQ(json::parse(to_json(sheets, found))["unlike"].size(), 1);
  vigor::Run other = example_run();
  for (auto& site : other.sites) site.site.name += "x";
  EXPECT_THROW(differ(pair_of(example_run(), other)), Error);
}

TEST(Difference, OfFormats) {
  const SheetPair sheets{factor_sheet(example_run()), factor_sheet(example_mapping(true))};
  const Difference found = differ(sheets);
  EXPECT_THAT(to_text(sheets, found), HasSubstr("32 bits a value before, 8 after"));
  EXPECT_THAT(to_text(sheets, found), Not(HasSubstr("Other methods")));
  const json document = json::parse(to_json(sheets, found));
  EXPECT_EQ(document["after"]["format"], "int8");
  EXPECT_DOUBLE_EQ(document["sites"][0]["lvf"]["change"], 2.0 / 96 - 13.0 / 384);
}

TEST(Difference, TopIsALimit) {
  const SheetPair sheets{factor_sheet(example_run()), factor_sheet(example_mapping(true))};
  const Difference found = differ(sheets, 2);
  EXPECT_EQ(found.moved, 4);
  ASSERT_EQ(found.neurons.size(), 2);
  EXPECT_EQ(found.neurons[0].neuron, 0);  // 3/96 -> 8/96
  EXPECT_EQ(found.neurons[1].neuron, 1);  // 4/96 -> 0
  EXPECT_THAT(to_text(sheets, differ(sheets, 0)), Not(HasSubstr("Neurons that moved")));
}

}  // namespace
}  // namespace vigor
