#include "tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "error.h"
#include "example_run.h"
#include "export.h"

namespace vigor {
namespace {

using testing::HasSubstr;
using testing::Not;

size_t longest_line(const std::string& text) {
  std::istringstream in(text);
  size_t longest = 0;
  for (std::string line; std::getline(in, line);) longest = std::max(longest, line.size());
  return longest;
}

TEST(Tables, BeginWithPlainWords) {
  const std::string text = to_text(example_run(), 20);
  // MVF 0.4 * 13/384 + 0.6/8, low and high in the test of the factors.
  EXPECT_THAT(text, testing::StartsWith("A random single bit flip in a random neuron of this "
                                        "network changes the network's answer in 8.85 %"));
  EXPECT_THAT(text, HasSubstr("(between 0.83 % and 8.96 %"));
  EXPECT_THAT(text, HasSubstr("bit 30 (exponent 7)"));
  EXPECT_THAT(text, HasSubstr("1 left out: their fault-free run holds NaN or infinity"));
  EXPECT_THAT(text, HasSubstr("1 of 3 without an input"));
  EXPECT_THAT(text, HasSubstr("1 of 50 flips"));
  EXPECT_THAT(text, HasSubstr("2.00 % (95 %\ninterval 0.35 % to 10.50 %)"));
  EXPECT_THAT(text, HasSubstr("3.00 probes per neuron and input, the work of 0.500 forward runs"));
  EXPECT_LT(longest_line(text), 100);
}

TEST(Tables, AlignNumbers) {
  const std::string text = to_text(example_run(), 2);
  EXPECT_THAT(text, HasSubstr("  conv1  post-activation        4  2.08   3.39   3.65      0.52"));
  EXPECT_THAT(text, HasSubstr("  fc1    logits            2 of 6  0.00  12.50  12.50      0.00"));
  EXPECT_THAT(text, HasSubstr("(4)     18.75         -2   2            -inf   inf  31 (100.00 %)"));
}

TEST(Tables, OfOneSite) {
  const std::string text = to_text(only_site(example_run(), "conv1"), 0);
  EXPECT_THAT(text, HasSubstr("of site conv1 changes"));
  EXPECT_THAT(text, Not(HasSubstr("fc1")));
  EXPECT_THAT(text, Not(HasSubstr("Most vulnerable neurons")));
  try {
    only_site(example_run(), "nope");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[site] got 'nope', expected one of: conv1, fc1");
  }
}

TEST(Tables, StayNarrowWithStrangeNames) {
  vigor::Run run = example_run();
  run.sites[0].site.name = "\x1b[31m" + std::string(300, 'x');
  run.sites[1].site.name =
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
      "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
  run.sites[0].site.population = 1'000'000'000;
  run.sites[0].tally.nonvulnerable.back() = -1.2345e-300;
  run.sites[0].shape = {1000, 1000, 1000};
  run.model = std::string(1000, 'm');
  const std::string text = to_text(run, 20);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_LT(longest_line(text), 126);  // bytes; those with two to a letter come to 100 columns
}

TEST(Tables, OfNothing) { EXPECT_THAT(to_text(vigor::Run(), 3), HasSubstr("no results")); }

TEST(Export, Json) {
  vigor::Run run = example_run();
  run.model = "bad \xff name";
  const auto document = nlohmann::json::parse(to_json(run));
  EXPECT_DOUBLE_EQ(document["model"]["mvf"]["resolved"], 0.4 * 13 / 384 + 0.6 / 8);
  EXPECT_EQ(document["model"]["audited"], 50);
  EXPECT_EQ(document["data"]["inputs"], 3);
  EXPECT_EQ(document["data"]["left_out"], 1);
  const auto& conv = document["sites"][0];
  EXPECT_EQ(conv["name"], "conv1");
  EXPECT_EQ(conv["tensor"], "relu1");
  EXPECT_EQ(conv["kind"], "post-activation");
  EXPECT_EQ(conv["shape"], nlohmann::json({1, 2, 2}));
  EXPECT_DOUBLE_EQ(conv["lvf"]["low"], 8.0 / 384);
  EXPECT_TRUE(conv["lvf"]["interval"].is_null());
  EXPECT_EQ(conv["bvf"].size(), 32U);
  EXPECT_EQ(conv["bvf"][30], 1.0);
  EXPECT_EQ(conv["far_class"], nlohmann::json({{"below", 1}, {"above", 3}}));
  EXPECT_EQ(conv["contradictions"], 1);
  EXPECT_EQ(document["sites"][1]["population"], 6);
  EXPECT_EQ(document["sites"][1]["lvf"]["interval"].size(), 2U);
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Export, Csv) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("vigor_csv_{}", getpid());
  vigor::Run run = example_run();
  run.sites[1].site.name = "a \"b\", c";
  write_csv(folder / "new", run);
  const auto sites = lines_of(folder / "new/sites.csv");
  ASSERT_EQ(sites.size(), 3U);
  EXPECT_THAT(sites[1], testing::StartsWith("conv1,relu1,post-activation,4,4,0.0208333333333"));
  EXPECT_THAT(sites[2], testing::StartsWith("\"a \"\"b\"\", c\",logits,logits,2,6,0,0.125,0.125,"));
  const auto bits = lines_of(folder / "new/bits.csv");
  ASSERT_EQ(bits.size(), 65U);
  EXPECT_EQ(bits[31], "conv1,30,0.6666666666666666,1,1,0.16666666666666666");
  const auto neurons = lines_of(folder / "new/neurons.csv");
  ASSERT_EQ(neurons.size(), 7U);
  EXPECT_EQ(neurons[1], "conv1,0,0,0,0,0.03125,-inf,0.5,-inf,0.75,0,0.25,-1,2,0,6,30");
  EXPECT_EQ(neurons[4], "conv1,3,0,1,1,0.03125,-4,0.5,-5,0.75,0,1,1,1,1,6,30");
  EXPECT_EQ(neurons[6], "\"a \"\"b\"\", c\",4,4,,,0.1875,-2,2,-inf,inf,0,2,0,2,0,20,31");
  for (const auto& lines : {sites, bits, neurons}) {
    const auto commas = [](const std::string& line) {
      return std::count(line.begin(), line.end(), ',');
    };
    EXPECT_EQ(commas(lines[0]), commas(lines[1]));
  }
  EXPECT_THROW(write_csv(folder / "new/sites.csv", run), Error);
  fs::remove_all(folder);
}

TEST(Export, NeuronIndex) {
  using Index = std::vector<int64_t>;
  EXPECT_EQ(neuron_index({2, 3, 4}, 23), (Index{1, 2, 3}));
  EXPECT_EQ(neuron_index({6}, 4), Index{4});
  EXPECT_EQ(neuron_index({2, 3}, 4), (Index{1, 1}));
  EXPECT_EQ(neuron_index({2, 3, 4, 5}, 119), (Index{1, 2, 19}));
  EXPECT_EQ(neuron_index({}, 0), Index{});
}

}  // namespace
}  // namespace vigor
