// Ranges that hold, ranges that do not, and what a validation says of either.
#include "validate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "analyze.h"
#include "correlation.h"
#include "error_of.h"
#include "fault_plan.h"
#include "run_head.h"
#include "samples.h"
#include "validation_text.h"

namespace vigor {
namespace {

using testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValidateOptions exhaustive() {
  ValidateOptions options;
  options.plan.kind = "exhaustive";
  return options;
}

int64_t sum(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

int64_t sum(const std::array<int64_t, kCauseNames.size()>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

// A monotone network, analysed with thresholds, in two golden blocks.
struct Analysed {
  explicit Analysed(unsigned seed, const char* function = "Relu") {
    RandomFloats random(seed);
    graph = monotone_network(random, function);
    graph.sha256 = "00ff";
    data = std::make_unique<Dataset>(samples({5}, random.floats(5 * 70, 1)));
    unseen = std::make_unique<Dataset>(samples({5}, random.floats(5 * 40, 1)));
    AnalyzeOptions options;
    options.sites = "all";
    options.keep_thresholds = true;
    run = analyze(graph, *data, options);
  }
  Graph graph;
  std::unique_ptr<Dataset> data, unseen;
  vigor::Run run;
};

TEST(Validate, AllHoldsOnMonotoneNetworks) {
  for (const char* function : {"Relu", "Sigmoid", "LeakyRelu"}) {
    const Analysed a(3, function);
    const ValidationSet set = validate(a.graph, *a.data, a.run, exhaustive());
    EXPECT_TRUE(set.seen);
    EXPECT_TRUE(set.own_thresholds);
    EXPECT_EQ(set.inputs, 70);
    const ValidationShares found = shares(set, kShareRules), own = shares(set, kOwnShareRules);
    for (size_t s = 0; s < set.sites.size(); ++s) {
      for (const auto* of : {&found, &own}) {
        for (size_t r = 0; r < 2; ++r) EXPECT_EQ(of->sites[s][r].k, of->sites[s][r].n);
        EXPECT_GT(of->sites[s][0].n, 0);
        // Every fault was run: nothing is left to chance.
        EXPECT_EQ(of->sites[s][0].used.low, 1);
      }
      EXPECT_EQ(sum(set.sites[s].disagreements.nonvulnerable), 0);
      EXPECT_EQ(sum(set.sites[s].disagreements.vulnerable), 0);
    }
    EXPECT_GT(found.sites.back()[1].n, 0);
    EXPECT_GT(own.sites.back()[2].share, found.sites.back()[2].share);
  }
}

// Nothing outside of the band is ever wrong, and the three readings of the run say how many faults
// are where.
TEST(Validate, CountsAreThoseOfTheRun) {
  const Analysed a(5);
  const ValidationSet set = validate(a.graph, *a.data, a.run, exhaustive());
  for (size_t s = 0; s < set.sites.size(); ++s) {
    const SiteTally& tally = a.run.sites[s].tally;
    const ValidationTally found = total(set.sites[s]);
    const int64_t beyond = sum(tally.critical_beyond);
    EXPECT_EQ(found[kDrawn], tally.neurons * kBits * 70);
    EXPECT_EQ(found[kChanged], sum(tally.critical));
    EXPECT_EQ(found[kNan], sum(tally.critical_nan));
    EXPECT_EQ(found[kBeyond], sum(tally.overflow));
    EXPECT_EQ(found[kVulnerable] + beyond, sum(tally.critical_low));
    EXPECT_EQ(found[kDrawn] - found[kNonvulnerable] - found[kBeyond] + beyond,
              sum(tally.critical_high));
    EXPECT_GE(found[kFinite], found[kVulnerable]);
    EXPECT_GE(found[kOpen], found[kVulnerable]);
    EXPECT_LE(found[kOpen], found[kVulnerable] + found[kBeyond]);
    EXPECT_EQ(found[kChangedBeyond], beyond);
    EXPECT_EQ(found[kSettled], found[kVulnerable] + found[kNonvulnerable]);
    EXPECT_NEAR(set.sites[s].critical.rate,
                static_cast<double>(found[kChanged]) / static_cast<double>(found[kDrawn]), 1e-12);
  }
}

TEST(Validate, WrongRangesShow) {
  Analysed a(7);
  for (SiteResult& site : a.run.sites) {
    for (size_t i = 0; i < site.tally.nonvulnerable.size(); i += 2) {
      site.tally.nonvulnerable[i + 1] = kInfinity;
      site.tally.vulnerable[i] = 0;
    }
  }
  Validation validation = describe_validation(a.run);
  validation.sets.push_back(validate(a.graph, *a.data, a.run, exhaustive()));
  int64_t wrong = 0;
  for (const ValidationSite& site : validation.sets[0].sites) {
    const ValidationTally found = total(site);
    const Disagreements& causes = site.disagreements;
    const auto counted = [&](Cause cause) {
      return causes.nonvulnerable[static_cast<size_t>(cause)];
    };
    // A range without end also holds what lies inside a bracket.
    EXPECT_EQ(counted(Cause::kElsewhere) + counted(Cause::kBracket),
              found[kNonvulnerable] - found[kNonvulnerableKept]);
    EXPECT_GT(counted(Cause::kElsewhere), 100 * counted(Cause::kBracket));
    EXPECT_EQ(counted(Cause::kContradiction), 0);
    EXPECT_EQ(sum(causes.vulnerable), found[kVulnerable] - found[kVulnerableChanged]);
    wrong += sum(causes.nonvulnerable) + sum(causes.vulnerable);
  }
  EXPECT_GT(wrong, 100);
  EXPECT_FALSE(shortfalls(validation, 0.9999).empty());
  EXPECT_TRUE(shortfalls(validation, 0).empty());

  ValidateOptions few = exhaustive();
  few.most_examined = 10;
  int64_t examined = 0;
  for (const ValidationSite& site : validate(a.graph, *a.data, a.run, few).sites) {
    for (const auto* causes : {&site.disagreements.nonvulnerable, &site.disagreements.vulnerable}) {
      examined += sum(*causes) - causes->back();
      wrong -= sum(*causes);
    }
  }
  EXPECT_EQ(examined, 10);
  EXPECT_EQ(wrong, 0);
}

// E0 = 0.5, E1 = relu(x - 1) - 2 relu(x - 2): critical between 1.5 and 2.5 alone, so no threshold.
// Of the flips of 1.25, bit 22 gives 1.75 and bit 30 a NaN.
TEST(Validate, SecondCrossingIsAContradiction) {
  Graph graph = network({1, 1});
  graph.sha256 = "00ff";
  const int x = dense(graph, graph.input, {1}, {0});
  const int h = layer(graph, "Relu", {dense(graph, x, {1, 1}, {-1, -2})});
  dense(graph, h, {0, 0, 1, -2}, {0.5F, 0});
  const Dataset data = samples({1}, {1.25F});
  AnalyzeOptions options;
  options.sites = select_sites(graph, "all").front().name;
  const vigor::Run run = analyze(graph, data, options);
  const ValidationSite site = validate(graph, data, run, exhaustive()).sites.front();
  const ValidationTally found = total(site);
  EXPECT_EQ(found[kDrawn], 32);
  EXPECT_EQ(found[kBeyond], 1);
  EXPECT_EQ(found[kNan], 1);
  EXPECT_EQ(found[kNonvulnerable], 31);
  EXPECT_EQ(found[kNonvulnerableKept], 30);
  EXPECT_EQ(found[kVulnerable], 0);
  EXPECT_EQ(found[kOpen], 0);  // the NaN is none, though its range goes on
  EXPECT_EQ(found[kChangedBeyond], 1);
  EXPECT_EQ(site.disagreements.nonvulnerable[static_cast<size_t>(Cause::kContradiction)], 1);
  EXPECT_EQ(sum(site.disagreements.nonvulnerable), 1);
}

TEST(Validate, UnseenInputsAndClasses) {
  const Analysed a(11);
  const ValidationSet set = validate(a.graph, *a.unseen, a.run, exhaustive());
  EXPECT_FALSE(set.seen);
  EXPECT_FALSE(set.own_thresholds);
  EXPECT_EQ(set.inputs, 40);

  // Ranges of one golden class alone.
  const RunHead head = describe_run(a.graph, *a.unseen, a.unseen->size(), 1);
  const int32_t only = head.golden_class[0];
  std::vector<float> values;
  for (int64_t i = 0; i < a.unseen->size(); ++i) {
    if (head.golden_class[static_cast<size_t>(i)] != only) continue;
    const std::vector<float> input = read_inputs(a.graph, *a.unseen, i, 1);
    values.insert(values.end(), input.begin(), input.end());
  }
  const auto kept = std::ssize(values) / 5;
  ASSERT_LT(kept, 40);
  AnalyzeOptions options;
  const vigor::Run run = analyze(a.graph, samples({5}, values), options);
  const ValidationSet others = validate(a.graph, *a.unseen, run, exhaustive());
  EXPECT_EQ(others.inputs_class_not_seen, 40 - kept);
  for (const ValidationSite& site : others.sites) {
    const auto flips = std::ssize(site.site.neurons) * kBits;
    EXPECT_EQ(site.class_not_seen, flips * (40 - kept));
    const ValidationTally found = total(site);
    EXPECT_EQ(found[kDrawn], flips * kept);
    EXPECT_EQ(found[kNonvulnerable], found[kNonvulnerableKept]);
  }
}

TEST(Validate, PlansDrawWhatInjectionDraws) {
  const Analysed a(13);
  for (const char* kind : {"layer", "input"}) {
    ValidateOptions options;
    options.plan = {kind, 0.05, 0.95, false};
    options.seed = 9;
    const ValidationSet set = validate(a.graph, *a.data, a.run, options);
    const ValidationSet all = validate(a.graph, *a.data, a.run, exhaustive());
    for (size_t s = 0; s < set.sites.size(); ++s) {
      const int64_t faults = std::ssize(set.sites[s].site.neurons) * kBits;
      const bool by_input = set.plan.kind == "input";
      EXPECT_EQ(total(set.sites[s])[kDrawn], by_input ? 70 * sample_size(faults, 0.05, 0.95)
                                                      : sample_size(70 * faults, 0.05, 0.95));
      const double truth = shares(all, kShareRules).sites[s][2].share;
      EXPECT_NEAR(shares(set, kShareRules).sites[s][2].share, truth, 0.15);
    }
  }
}

TEST(ParallelValidate, SameForAnyThreads) {
  const Analysed a(17);
  const auto text = [&](int threads) {
    ValidateOptions options;
    options.plan = {"layer", 0.02, 0.95, false};
    options.threads = threads;
    Validation validation = describe_validation(a.run);
    validation.sets.push_back(validate(a.graph, *a.data, a.run, options));
    validation.sets.push_back(validate(a.graph, *a.unseen, a.run, options));
    return to_json(validation);
  };
  const std::string one = text(1);
  EXPECT_EQ(text(3), one);
  EXPECT_EQ(text(8), one);
}

TEST(Validate, RefusesWhatDoesNotFit) {
  Analysed a(19);
  ValidateOptions options;
  options.plan.kind = "model";
  EXPECT_THAT(error_of([&] { validate(a.graph, *a.data, a.run, options); }),
              HasSubstr("[plan] got 'model'"));
  a.run.sites[0].site.name = "elsewhere";
  EXPECT_THAT(error_of([&] { validate(a.graph, *a.data, a.run, {}); }), HasSubstr("elsewhere"));
  a.run.model_sha256 = "11ee";
  EXPECT_THAT(error_of([&] { validate(a.graph, *a.data, a.run, {}); }),
              HasSubstr("[model] got test (00ff), expected"));
}

// Two sites: 10 neurons all analysed, and 2 of 60. Five inputs; drawn with replacement, as good as.
ValidationSet two_sites() {
  ValidationSet set;
  for (const auto& [population, neurons] : {std::pair(10, 10), std::pair(60, 2)}) {
    ValidationSite& site = set.sites.emplace_back();
    site.site.name = std::to_string(population);
    site.site.population = population;
    site.site.neurons.resize(static_cast<size_t>(neurons));
    site.by_input.resize(5);
    site.faults_there_are = 1e15 * neurons;
    for (ValidationTally& tally : site.by_input) {
      tally[kDrawn] = 4;
      tally[kNonvulnerable] = 2;
      tally[kNonvulnerableKept] = 1;
    }
  }
  return set;
}

TEST(ValidationShares, KnownIntervals) {
  ValidationSet set = two_sites();
  ValidationShare share = shares(set, kShareRules).sites[0][0];
  EXPECT_EQ(share.k, 5);
  EXPECT_EQ(share.n, 10);
  EXPECT_NEAR(share.used.low, 0.2366, 1e-4);
  EXPECT_NEAR(share.used.high, 0.7634, 1e-4);
  // Half of 40 faults were drawn, so half of 20 of this kind: 10 x 19 / 10 = 19 count.
  set.sites[0].faults_there_are = 40;
  share = shares(set, kShareRules).sites[0][0];
  EXPECT_NEAR(share.used.low, wilson(0.5, 19, 1.95996).low, 1e-6);
  // All of them.
  set.sites[0].faults_there_are = 20;
  share = shares(set, kShareRules).sites[0][0];
  EXPECT_EQ(share.used.low, 0.5);
  EXPECT_EQ(share.used.high, 0.5);
  // Nothing to divide by.
  share = shares(set, kShareRules).sites[0][1];
  EXPECT_TRUE(std::isnan(share.share));
  EXPECT_EQ(share.used.low, 0);
  EXPECT_EQ(share.unseen.high, 1);
}

TEST(ValidationShares, SitesWeighTheirPopulations) {
  ValidationSet set = two_sites();
  for (ValidationTally& tally : set.sites[1].by_input) tally[kNonvulnerableKept] = 2;
  const auto found = shares(set, kShareRules).sites;
  EXPECT_NEAR(found.back()[0].share, (10 * 0.5 + 60 * 1.0) / 70, 1e-12);
  EXPECT_EQ(found.back()[0].k, 15);
  EXPECT_EQ(found.back()[0].n, 20);
  const double below =
      std::hypot(10 * (0.5 - found[0][0].used.low), 60 * (1 - found[1][0].used.low));
  EXPECT_NEAR(found.back()[0].used.low, found.back()[0].share - below / 70, 1e-12);
}

TEST(ValidationShares, OtherInputs) {
  ValidationSet set = two_sites();
  for (size_t i = 0; i < 5; ++i) {
    // All inputs alike: resampling them changes nothing. All agree: as many trials as inputs.
    set.sites[1].by_input[i][kNonvulnerableKept] = 2;
  }
  auto found = shares(set, kShareRules).sites;
  EXPECT_EQ(found[0][0].unseen.low, 0.5);
  EXPECT_EQ(found[0][0].unseen.high, 0.5);
  EXPECT_NEAR(found[1][0].unseen.low, 5 / (5 + 1.95996 * 1.95996), 1e-5);
  EXPECT_EQ(found[1][0].unseen.high, 1);
  // One input of five differs: B(5, 0.2) / 5 has its 2.5 % and 97.5 % points at 0 and 0.6.
  for (size_t i = 0; i < 5; ++i) set.sites[0].by_input[i][kNonvulnerableKept] = i == 2 ? 2 : 0;
  found = shares(set, kShareRules).sites;
  EXPECT_EQ(found[0][0].unseen.low, 0);
  EXPECT_NEAR(found[0][0].unseen.high, 0.6, 1e-12);
}

TEST(Validation, ShortfallsNameSiteAndSet) {
  Validation validation;
  validation.sets.push_back(two_sites());
  validation.sets[0].name = "set 1";
  const std::vector<std::string> lines = shortfalls(validation, 0.5);
  ASSERT_EQ(lines.size(), 1);  // each site has 0.5, the lower end of all has not
  EXPECT_THAT(lines[0], HasSubstr("set 1, all sites: true non-critical, lower end 0."));
  EXPECT_EQ(shortfalls(validation, 0.51).size(), 3);
}

TEST(Correlation, KnownValues) {
  const std::vector<double> x{1, 2, 3}, y{1, 3, 2}, constant{4, 4, 4};
  EXPECT_DOUBLE_EQ(pearson(x, y), 0.5);
  EXPECT_DOUBLE_EQ(spearman(x, y), 0.5);
  EXPECT_DOUBLE_EQ(pearson(x, std::vector<double>{2, 4, 6}), 1);
  EXPECT_DOUBLE_EQ(spearman(x, std::vector<double>{-1, -10, -1000}), -1);
  EXPECT_NEAR(spearman(std::vector<double>{1, 2, 2, 4}, std::vector<double>{1, 3, 2, 4}),
              4.5 / std::sqrt(22.5), 1e-15);
  EXPECT_TRUE(std::isnan(pearson(x, constant)));
  EXPECT_TRUE(std::isnan(pearson(std::vector<double>{1, 2}, std::vector<double>{1, 2})));
}

}  // namespace
}  // namespace vigor
