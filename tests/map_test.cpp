// Faults in stored values: injection against brute force, and what a run says of them against
// injection, for every format and fault model.
#include "map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analyze.h"
#include "error.h"
#include "inject.h"
#include "onnx_import.h"
#include "run_head.h"
#include "sealed_file.h"
#include "small_case.h"

namespace vigor {
namespace {

using testing::HasSubstr;

std::vector<std::string> formats() {
  std::vector<std::string> names = NumberFormat::names();
  names.insert(names.end(), {"q3.4", "q7.8", "q15.16"});
  return names;
}

AnalyzeOptions analysis(bool keep) {
  AnalyzeOptions options;
  options.tolerance_bits = 23;
  options.keep_thresholds = keep;
  options.threads = 1;
  return options;
}

InjectOptions exhaustive(const StoredKind& kind, int threads = 1) {
  InjectOptions options;
  options.plan.kind = "exhaustive";
  options.stored = kind;
  options.threads = threads;
  return options;
}

TEST(StoredFaults, ExhaustiveInjectionEqualsBruteForce) {
  const SmallCase small(5);
  const std::vector<Site> sites = select_sites(small.graph, "post-activation");
  const Golden golden = golden_block(small.graph, *small.data, 0, small.data->size());
  const auto prober = make_reference_prober(small.graph, sites);
  prober->bind(golden);
  const std::pair<const char*, int> kinds[] = {{"stuck-1", 8}, {"zero", 1}, {"two-bits", 28}};
  for (const auto& [fault, places] : kinds) {
    const Injection injection = inject(small.graph, *small.data, exhaustive({"int8", fault}));
    for (size_t s = 0; s < sites.size(); ++s) {
      float largest = 0;
      for (int64_t e = 0; e < sites[s].population; ++e) {
        for (int64_t i = 0; i < golden.count(); ++i) {
          largest = std::max(largest, std::abs(golden.value(sites[s].tensor, e, i)));
        }
      }
      const float scale = largest / 127;
      int64_t critical = 0, encoded = 0;
      for (int64_t e = 0; e < sites[s].population; ++e) {
        for (int32_t i = 0; i < golden.count(); ++i) {
          const float a = golden.value(sites[s].tensor, e, i);
          const auto whole =
              static_cast<int>(std::lrint(static_cast<double>(a) / static_cast<double>(scale)));
          std::vector<int> stored{whole};
          if (fault == std::string("zero")) stored.push_back(0);
          for (int high = 0; high < 8; ++high) {
            if (fault == std::string("stuck-1")) stored.push_back(whole | 1 << high);
            for (int low = 0; low < high && fault == std::string("two-bits"); ++low) {
              stored.push_back(whole ^ (1 << high | 1 << low));
            }
          }
          ASSERT_EQ(std::ssize(stored), 1 + places);
          std::vector<Fault> faults;
          for (const int pattern : stored) {
            const auto value = static_cast<float>(static_cast<int8_t>(pattern & 0xff)) * scale;
            faults.push_back({i, static_cast<int32_t>(s), e, value});
          }
          std::vector<Outcome> outcomes(faults.size());
          prober->run(faults, outcomes);
          for (size_t f = 1; f < outcomes.size(); ++f) critical += outcomes[f].critical;
          encoded += places * outcomes[0].critical;
        }
      }
      const InjectionSite& site = injection.sites[s];
      EXPECT_EQ(total(site, FaultCount::kFaults), sites[s].population * golden.count() * places);
      EXPECT_EQ(total(site, FaultCount::kCritical), critical) << fault;
      EXPECT_EQ(encoding_rate(site), static_cast<double>(encoded) /
                                         static_cast<double>(total(site, FaultCount::kFaults)));
    }
  }
}

// An injected count lies where the run says, and is the one that it says where nothing is open.
TEST(Map, SaysWhatExhaustiveInjectionFinds) {
  const SmallCase small(6);
  const vigor::Run kept = analyze(small.graph, *small.data, analysis(true));
  const vigor::Run merged = analyze(small.graph, *small.data, analysis(false));
  int exact = 0;
  for (const std::string& format : formats()) {
    for (const std::string& fault : FaultModel::names()) {
      const StoredKind kind{format, fault};
      if (fault == "random" && NumberFormat::parse(format).bits() > 8) continue;
      const Injection injection = inject(small.graph, *small.data, exhaustive(kind));
      const Mapping by_input = map_faults(small.graph, *small.data, kept, kind, 1);
      const Mapping by_class = map_faults(small.graph, *small.data, merged, kind, 2);
      ASSERT_TRUE(by_input.per_input && !by_class.per_input && !by_input.sampled);
      for (size_t s = 0; s < injection.sites.size(); ++s) {
        const double rate = site_rate(injection, injection.sites[s]).rate;
        const double encoded = encoding_rate(injection.sites[s]);
        const MapFactor factor = map_factor(by_input, by_input.sites[s]);
        const MapFactor wide = map_factor(by_class, by_class.sites[s]);
        const std::string where = format + ' ' + fault + ' ' + std::to_string(s);
        const double slack = 1e-9;
        EXPECT_LE(factor.low, rate + slack) << where;
        EXPECT_GE(factor.high, rate - slack) << where;
        EXPECT_LE(wide.low, factor.low + slack) << where;
        EXPECT_GE(wide.high, factor.high - slack) << where;
        EXPECT_LE(factor.encoded_low, encoded + slack) << where;
        EXPECT_GE(factor.encoded_high, encoded - slack) << where;
        EXPECT_TRUE(std::isnan(wide.resolved)) << where;
        if (factor.beyond == 0 && factor.gap == 0) {
          EXPECT_NEAR(factor.resolved, rate, slack) << where;
          ++exact;
        }
      }
    }
  }
  EXPECT_GT(exact, 150);
}

TEST(Map, BracketsTheCountsOfTheRunItself) {
  const SmallCase small(7);
  const vigor::Run run = analyze(small.graph, *small.data, analysis(false));
  const Mapping mapping = map_faults(small.graph, *small.data, run, {}, 1);
  ASSERT_EQ(mapping.bins, kBits);
  int64_t critical = 0;
  for (size_t s = 0; s < run.sites.size(); ++s) {
    const SiteTally& tally = run.sites[s].tally;
    for (size_t cell = 0; cell < tally.critical.size(); ++cell) {
      EXPECT_LE(mapping.sites[s].tally.low[cell], tally.critical_low[cell]);
      EXPECT_GE(mapping.sites[s].tally.high[cell], tally.critical_high[cell]);
      critical += tally.critical[cell];
    }
  }
  EXPECT_GT(critical, 0);
}

TEST(ParallelMap, SameCountsForAnyThreadsAndInTheFile) {
  const SmallCase small(8, 70);
  AnalyzeOptions options = analysis(true);
  options.tolerance_bits = 4;
  const vigor::Run run = analyze(small.graph, *small.data, options);
  const StoredKind kind{"float16", "random"};
  const Mapping one = map_faults(small.graph, *small.data, run, kind, 1);
  const Mapping many = map_faults(small.graph, *small.data, run, kind, 3);
  ASSERT_TRUE(one.sampled);
  TempDir folder;
  const std::string file = folder.path("map.h5");
  write_mapping(file, many);
  ASSERT_TRUE(holds_mapping(file));
  EXPECT_FALSE(holds_injection(file));
  const Mapping read = read_mapping(file);
  EXPECT_EQ(read.stored.format, "float16");
  EXPECT_EQ(to_json(read), to_json(one));
  EXPECT_THAT(to_text(read), HasSubstr("random, float16"));
  for (size_t s = 0; s < one.sites.size(); ++s) {
    EXPECT_EQ(one.sites[s].tally.low, read.sites[s].tally.low);
    EXPECT_EQ(one.sites[s].tally.critical, read.sites[s].tally.critical);
    EXPECT_EQ(one.sites[s].tally.high, read.sites[s].tally.high);
    EXPECT_EQ(one.sites[s].tally.nan, read.sites[s].tally.nan);
  }
}

TEST(Map, RefusesOtherModelsAndData) {
  const SmallCase small(9), other(10);
  vigor::Run run = analyze(small.graph, *small.data, analysis(false));
  EXPECT_THROW(map_faults(small.graph, *other.data, run, {}, 1), Error);
  EXPECT_THROW(map_faults(small.graph, *small.data, run, {"int9", "flip"}, 1), Error);
  EXPECT_THROW(map_faults(small.graph, *small.data, run, {"int8", "flop"}, 1), Error);
  --run.classes;
  EXPECT_THROW(map_faults(small.graph, *small.data, run, {}, 1), Error);
  ++run.classes;
  EXPECT_NO_THROW(map_faults(small.graph, *small.data, run, {}, 1));
  run.model_sha256 = "00";
  EXPECT_THROW(map_faults(small.graph, *small.data, run, {}, 1), Error);
}

// Every pair on LeNet-5: injected at random, and mapped from one analysis.
TEST(Map, AgreesWithInjectionOnLenet5) {
  if (!have_fashion_mnist()) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const Graph graph = import_onnx(lenet5());
  DataOptions data_options;
  data_options.spec = "fashion-mnist";
  data_options.preprocessing.scale = {1, 255};
  const Dataset data = Dataset::open(data_options);
  AnalyzeOptions options;
  options.inputs = 3;
  options.neurons = "25";
  options.keep_thresholds = true;
  const vigor::Run run = analyze(graph, data, options);
  // Random plans at a confidence that hundreds of intervals hold together. Second crossings
  // (METHOD section 2), which thresholds do not see, may take a thousandth.
  InjectOptions plan;
  plan.inputs = options.inputs;
  plan.neurons = options.neurons;
  plan.plan = {"layer", 0.06, 0.9999, false};
  constexpr double kSecondCrossings = 0.001;
  for (const std::string& format : formats()) {
    for (const std::string& fault : FaultModel::names()) {
      plan.stored = {format, fault};
      const Injection injection = inject(graph, data, plan);
      const Mapping mapping = map_faults(graph, data, run, plan.stored, 0);
      for (size_t s = 0; s < run.sites.size(); ++s) {
        const FaultRate rate = site_rate(injection, injection.sites[s]);
        const MapFactor factor = map_factor(mapping, mapping.sites[s]);
        const std::string where = format + ' ' + fault + ' ' + run.sites[s].site.name;
        EXPECT_LE(factor.low, rate.high + kSecondCrossings) << where;
        EXPECT_GE(factor.high, rate.low - kSecondCrossings) << where;
      }
    }
  }
}

}  // namespace
}  // namespace vigor
