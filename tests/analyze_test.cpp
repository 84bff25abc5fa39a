// The analysis against brute force, and the same bits however the work is cut.
#include "analyze.h"

#include <gtest/gtest.h>

#include <atomic>

#include <cmath>

#include "bit_flip.h"
#include "error.h"
#include "lattice.h"
#include "networks.h"
#include "onnx_import.h"
#include "prober.h"
#include "samples.h"
#include "workers.h"

namespace vigor {
namespace {

TEST(Analyze, EqualsBruteForceOnMonotoneNetworks) {
  RandomFloats random(3);
  for (const char* function : {"Relu", "Sigmoid", "Tanh", "LeakyRelu"}) {
    const Graph graph = monotone_network(random, function);
    const auto inputs = random.floats(5 * 70, 1);  // two golden blocks
    AnalyzeOptions options;
    options.sites = "all";
    options.audit = 1;
    const vigor::Run run = analyze(graph, samples({5}, inputs), options);
    const auto sites = select_sites(graph, "all");
    ASSERT_EQ(run.sites.size(), sites.size());
    const auto prober = make_prober("reference", graph, sites);
    const Golden golden(graph, inputs, 0);
    prober->bind(golden);
    for (size_t s = 0; s < sites.size(); ++s) {
      EXPECT_EQ(run.sites[s].tally.disagreements, 0) << sites[s].name;
      EXPECT_GT(run.sites[s].tally.audited, 0);
      for (int64_t k = 0; k < sites[s].population; ++k) {
        for (int bit = 0; bit < kBits; ++bit) {
          int64_t critical = 0, nan = 0;
          for (int32_t i = 0; i < golden.count(); ++i) {
            const Fault fault{i, static_cast<int32_t>(s), k,
                              flip_bit(golden.value(sites[s].tensor, k, i), bit)};
            Outcome outcome;
            prober->run({&fault, 1}, {&outcome, 1});
            critical += outcome.critical;
            nan += outcome.nan;
          }
          const auto cell = static_cast<size_t>(k * kBits + bit);
          const SiteTally& tally = run.sites[s].tally;
          ASSERT_EQ(tally.critical[cell], critical)
              << function << ' ' << sites[s].name << ' ' << k << " bit " << bit;
          ASSERT_EQ(tally.critical_nan[cell], nan);
          ASSERT_LE(tally.critical_low[cell], critical);
          ASSERT_GE(tally.critical_high[cell], critical);
        }
      }
    }
  }
}

// Inside the non-vulnerable range nobody of the class is misclassified, at the unsafe point of the
// one who bounds it somebody is; inside the vulnerable range everybody is.
TEST(Analyze, RangesHoldOnBothSidesOfEveryBound) {
  RandomFloats random(4);
  const Graph graph = monotone_network(random, "Relu");
  const auto inputs = random.floats(5 * 40, 1);
  AnalyzeOptions options;
  options.sites = "fc1,fc2";
  const vigor::Run run = analyze(graph, samples({5}, inputs), options);
  const auto sites = select_sites(graph, options.sites);
  const auto prober = make_prober("reference", graph, sites);
  const Golden golden(graph, inputs, 0);
  prober->bind(golden);
  const auto critical = [&](size_t site, int64_t k, int32_t input, double deviation, bool outward) {
    const float a = golden.value(sites[site].tensor, k, input);
    auto v = static_cast<float>(a + deviation);
    // The float nearest to a + d on the wanted side of it.
    const double side = deviation > 0 ? 1 : -1;
    const auto away = static_cast<float>(side * INFINITY);
    while (outward ? side * (static_cast<double>(v) - a) < side * deviation
                   : side * (static_cast<double>(v) - a) > side * deviation) {
      v = std::nextafter(v, outward ? away : -away);
    }
    const Fault fault{input, static_cast<int32_t>(site), k, v};
    Outcome outcome;
    prober->run({&fault, 1}, {&outcome, 1});
    return outcome.critical;
  };
  int64_t bounds = 0;
  for (size_t s = 0; s < sites.size(); ++s) {
    const SiteTally& tally = run.sites[s].tally;
    for (int32_t c = 0; c < 4; ++c) {
      for (int64_t k = 0; k < tally.neurons; ++k) {
        const auto entry = static_cast<size_t>(2 * (c * tally.neurons + k));
        for (size_t side = 0; side < 2; ++side) {
          const double inner = tally.nonvulnerable[entry + side];
          const double outer = tally.vulnerable[entry + side];
          int64_t members = 0, just_beyond = 0;
          for (int32_t i = 0; i < golden.count(); ++i) {
            if (golden.golden_class(i) != c) continue;
            ++members;
            if (std::isfinite(inner)) {
              EXPECT_FALSE(critical(s, k, i, inner, false));
              // A lattice step or two of the value, not of the deviation.
              const double v = golden.value(sites[s].tensor, k, i) + inner;
              const double step = std::abs(v) * 0x1p-9 + 1e-30;
              just_beyond += critical(s, k, i, inner + (side ? step : -step), true);
            }
            if (std::isfinite(outer)) {
              EXPECT_TRUE(critical(s, k, i, outer, true));
            }
          }
          if (members > 0 && std::isfinite(inner)) {
            ++bounds;
            EXPECT_GT(just_beyond, 0) << sites[s].name << ' ' << k << " class " << c;
          }
        }
      }
    }
  }
  EXPECT_GT(bounds, 20);
}

void expect_equal(const Run& a, const Run& b) {
  ASSERT_EQ(a.sites.size(), b.sites.size());
  EXPECT_EQ(a.golden_class, b.golden_class);
  EXPECT_EQ(a.data_sha256, b.data_sha256);
  EXPECT_EQ(a.options, b.options);
  for (size_t s = 0; s < a.sites.size(); ++s) {
    const SiteTally& x = a.sites[s].tally;
    const SiteTally& y = b.sites[s].tally;
    EXPECT_EQ(x.nonvulnerable, y.nonvulnerable);
    EXPECT_EQ(x.vulnerable, y.vulnerable);
    EXPECT_EQ(x.vulnerable_finite, y.vulnerable_finite);
    EXPECT_EQ(x.finite, y.finite);
    EXPECT_EQ(x.golden, y.golden);
    EXPECT_EQ(x.critical, y.critical);
    EXPECT_EQ(x.critical_nan, y.critical_nan);
    EXPECT_EQ(x.critical_low, y.critical_low);
    EXPECT_EQ(x.critical_high, y.critical_high);
    EXPECT_EQ(x.probes, y.probes);
    EXPECT_EQ(x.contradictions, y.contradictions);
    EXPECT_EQ(x.histogram, y.histogram);
    EXPECT_EQ(x.audited, y.audited);
    EXPECT_EQ(x.macs, y.macs);
    EXPECT_EQ(a.sites[s].thresholds, b.sites[s].thresholds);
  }
}

TEST(ParallelAnalyze, SameBitsForAnyThreadsAndBatches) {
  RandomFloats random(5);
  Graph graph = network({1, 2, 8, 8});
  const int c =
      layer(graph, "Conv", {graph.input},
            {constant({3, 2, 3, 3}, random.floats(54, 0.4F)), constant({3}, {0, 0.1F, 0})});
  const int p = layer(graph, "MaxPool", {layer(graph, "Relu", {c})}, {},
                      {{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                       {"strides", value(std::vector<int64_t>{2, 2})}});
  const int f = layer(graph, "Flatten", {p});
  dense(graph, f, random.floats(27 * 5, 0.4F), random.floats(5, 0.4F));
  const Dataset data = samples({2, 8, 8}, random.floats(128 * 70, 1));
  AnalyzeOptions options;
  options.audit = 0.1;
  options.keep_thresholds = true;
  for (const char* prober : {"region", "suffix"}) {
    options.prober = prober;
    options.threads = 1;
    options.lanes = 64;
    const vigor::Run first = analyze(graph, data, options);
    for (const int threads : {2, 4}) {
      for (const int lanes : {16, 48, 128}) {
        options.threads = threads;
        options.lanes = lanes;
        expect_equal(first, analyze(graph, data, options));
      }
    }
  }
  for (const char* init : {"gradient", "class"}) {
    AnalyzeOptions paper = options;
    paper.audit = 0;
    paper.method = kPaperMethod;
    paper.paper_init = init;
    paper.threads = 1;
    const vigor::Run first = analyze(graph, data, paper);
    EXPECT_GT(first.sites[0].tally.paper_sums()[kSearches], 0);
    paper.threads = 4;
    paper.lanes = 16;
    const vigor::Run second = analyze(graph, data, paper);
    expect_equal(first, second);
    EXPECT_EQ(first.sites[0].tally.paper, second.sites[0].tally.paper);
    EXPECT_EQ(first.options, second.options);
    const AnalyzeOptions read = parse_analyze_options(first.options, 0);
    EXPECT_EQ(read.method, kPaperMethod);
    EXPECT_EQ(read.paper_init, init);
  }
  const vigor::Run suffix = analyze(graph, data, options);
  options.prober = "reference";
  expect_equal(suffix, analyze(graph, data, options));
}

TEST(ParallelWork, DoesEveryItemOnce) {
  std::vector<std::atomic<int>> done(1000);
  share_work(4, 1000, [&](int, int64_t item) { ++done[static_cast<size_t>(item)]; });
  for (const auto& count : done) EXPECT_EQ(count, 1);
}

TEST(ParallelWork, HandsExceptionsToTheCaller) {
  EXPECT_THROW(share_work(3, 100,
                          [](int, int64_t item) {
                            if (item == 17) fail("item", "seventeen");
                          }),
               Error);
}

TEST(Analyze, RefusesWhatDoesNotFit) {
  RandomFloats random(6);
  const Graph graph = monotone_network(random, "Relu");
  EXPECT_THROW(analyze(graph, samples({4}, random.floats(8, 1)), {}), Error);
  AnalyzeOptions options;
  options.sites = "conv7";
  EXPECT_THROW(analyze(graph, samples({5}, random.floats(10, 1)), options), Error);
  const std::vector<float> nan(10, std::nanf(""));
  EXPECT_THROW(analyze(graph, samples({5}, nan), {}), Error);
}

TEST(Analyze, LeavesOutInputsThatAreNotFinite) {
  RandomFloats random(7);
  const Graph graph = monotone_network(random, "Relu");
  auto inputs = random.floats(5 * 6, 1);
  const vigor::Run clean = analyze(graph, samples({5}, {inputs.begin(), inputs.end() - 5}), {});
  inputs[27] = INFINITY;
  const vigor::Run run = analyze(graph, samples({5}, inputs), {});
  EXPECT_EQ(run.inputs(), 5);
  EXPECT_EQ(run.golden_class.back(), -1);
  EXPECT_EQ(run.sites[0].tally.critical, clean.sites[0].tally.critical);
  EXPECT_EQ(run.sites[0].tally.nonvulnerable, clean.sites[0].tally.nonvulnerable);
}

// Where a neuron has a far class, it is the class at the end of the domain for every input.
TEST(FarClass, IsTheClassAtTheEndOfTheDomain) {
  if (!have_fashion_mnist()) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const Graph graph = import_onnx(lenet5());
  DataOptions data_options;
  data_options.spec = "fashion-mnist";
  data_options.preprocessing.scale = {1, 255};
  const Dataset data = Dataset::open(data_options);
  const auto sites = select_sites(graph, "post-activation");
  const Golden golden(graph, read_inputs(graph, data, 0, 5), 0);
  AnalyzeOptions options;
  options.inputs = 1;
  const vigor::Run run = analyze(graph, data, options);
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  int64_t compared = 0;
  for (size_t s = 0; s < sites.size(); ++s) {
    std::vector<Fault> faults;
    std::vector<int32_t> expected;
    for (int64_t k = 0; k < sites[s].population; k += 3) {
      for (size_t side = 0; side < 2; ++side) {
        const int32_t far = run.sites[s].far_class[static_cast<size_t>(2 * k) + side];
        if (far < 0) continue;
        for (int32_t i = 0; i < 5; ++i) {
          faults.push_back({i, static_cast<int32_t>(s), k, side ? kMostProbed : -kMostProbed});
          expected.push_back(far);
        }
      }
    }
    std::vector<Outcome> outcomes(faults.size());
    prober->run(faults, outcomes);
    for (size_t f = 0; f < faults.size(); ++f) ASSERT_EQ(outcomes[f].top, expected[f]) << f;
    compared += static_cast<int64_t>(faults.size());
  }
  EXPECT_GT(compared, 10000);
}

}  // namespace
}  // namespace vigor
