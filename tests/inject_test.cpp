// Fault injection against brute force, what it draws, and the same bits however the work is cut.
#include "inject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "bit_flip.h"
#include "error_of.h"
#include "fault_plan.h"
#include "injection_text.h"
#include "onnx_import.h"
#include "small_case.h"
#include "store.h"

namespace vigor {
namespace {

using testing::HasSubstr;

void expect_equal(const InjectionTally& a, const InjectionTally& b) {
  EXPECT_EQ(a.faults, b.faults);
  EXPECT_EQ(a.critical, b.critical);
  EXPECT_EQ(a.masked, b.masked);
  EXPECT_EQ(a.benign, b.benign);
  EXPECT_EQ(a.top5, b.top5);
  EXPECT_EQ(a.nan, b.nan);
  EXPECT_EQ(a.inf, b.inf);
  EXPECT_EQ(a.input_faults, b.input_faults);
  EXPECT_EQ(a.input_critical, b.input_critical);
  EXPECT_EQ(a.input_nan, b.input_nan);
  EXPECT_EQ(a.input_correct, b.input_correct);
}

void expect_equal(const Injection& a, const Injection& b) {
  ASSERT_EQ(a.sites.size(), b.sites.size());
  EXPECT_EQ(a.probes, b.probes);
  for (size_t s = 0; s < a.sites.size(); ++s) expect_equal(a.sites[s].tally, b.sites[s].tally);
}

TEST(Interval, NormalQuantileAndWilson) {
  EXPECT_NEAR(normal_deviate(0.95), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_deviate(0.99), 2.5758293035489004, 1e-12);
  EXPECT_NEAR(normal_deviate(0.999999), 4.891638475698785, 1e-10);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-14);
  EXPECT_NEAR(normal_quantile(0.9), 1.2815515655446004, 1e-12);
  EXPECT_NEAR(normal_quantile(1e-9), -5.997807015007742, 1e-8);
  const Interval half = wilson(0.1, 100, normal_deviate(0.95));
  EXPECT_NEAR(half.low, wilson(10, 100).low, 1e-12);
  EXPECT_NEAR(half.high, wilson(10, 100).high, 1e-12);
  EXPECT_EQ(effective_trials(50, 101), 50.0 * 100 / 51);
  EXPECT_TRUE(std::isinf(effective_trials(100, 100)));
  EXPECT_EQ(wilson(0.25, INFINITY, 2).low, 0.25);
}

TEST(FaultPlan, SampleSizeByHand) {
  EXPECT_EQ(sample_size(int64_t{1} << 50, 0.01, 0.95), 9604);
  EXPECT_EQ(sample_size(int64_t{1} << 50, 0.01, 0.99), 16588);
  // 320 / (1 + 1e-4 * 319 / (1.96^2 / 4)) = 309.7
  EXPECT_EQ(sample_size(320, 0.01, 0.95), 310);
  EXPECT_EQ(sample_size(1, 0.01, 0.95), 1);
  EXPECT_EQ(sample_size(0, 0.01, 0.95), 0);
  EXPECT_THROW(sample_size(10, 0, 0.95), Error);
  EXPECT_THROW(sample_size(10, 0.1, 1), Error);
  EXPECT_THROW(sample_size(10, NAN, 0.9), Error);
}

TEST(FaultPlan, PermutationIsABijection) {
  for (const uint64_t size : {1U, 2U, 3U, 5U, 17U, 64U, 320U, 1000U, 4097U, 65536U}) {
    const Permutation order(size, 7, 3);
    std::vector<bool> met(size, false);
    for (uint64_t i = 0; i < size; ++i) {
      const uint64_t to = order(i);
      ASSERT_LT(to, size);
      ASSERT_FALSE(met[to]) << size;
      met[to] = true;
    }
  }
  const uint64_t large = (uint64_t{1} << 45) + 12345;
  const Permutation order(large, 1, 2);
  std::set<uint64_t> met;
  for (uint64_t i = 0; i < 2000; ++i) {
    ASSERT_LT(order(i), large);
    met.insert(order(i));
  }
  EXPECT_EQ(met.size(), 2000);
}

TEST(FaultPlan, FirstDrawsAreUniformAndIndependentOfStreams) {
  // Fault number 0 to 7 of 4000 streams of 320 places: each place 100 times, within 5.5 deviations.
  std::vector<int> count(320, 0);
  for (uint64_t stream = 0; stream < 4000; ++stream) {
    const Permutation order(320, 11, stream);
    for (uint64_t i = 0; i < 8; ++i) ++count[order(i)];
  }
  double chi = 0;
  for (const int c : count) {
    EXPECT_NEAR(c, 100, 55);
    chi += (c - 100) * (c - 100) / 100.0;
  }
  EXPECT_LT(chi, 319 + 5 * std::sqrt(2 * 319));
  EXPECT_NE(Permutation(320, 11, 0)(0) == Permutation(320, 12, 0)(0) &&
                Permutation(320, 11, 0)(1) == Permutation(320, 12, 0)(1) &&
                Permutation(320, 11, 0)(2) == Permutation(320, 12, 0)(2),
            true);
}

TEST(FaultPlan, SpaceHoldsEveryPlaceOnce) {
  const std::vector<Site> sites{{"a", SiteKind::kOther, 0, 0, 3, {0, 1, 2}},
                                {"b", SiteKind::kOther, 0, 1, 9, {4, 7}}};
  const FaultSpace space(sites, 0, 2, 4, kBits);
  ASSERT_EQ(space.size(), 5 * 32 * 4);
  std::set<std::tuple<int64_t, int32_t, int64_t, int64_t>> places;
  for (int64_t i = 0; i < space.size(); ++i) {
    const FaultPlace p = space.at(i);
    EXPECT_LT(p.input, 4);
    EXPECT_LT(p.place, 32);
    EXPECT_TRUE(p.site == 0 ? p.element < 3 : p.element == 4 || p.element == 7);
    places.insert({p.input, p.site, p.element, p.place});
  }
  EXPECT_EQ(static_cast<int64_t>(places.size()), space.size());
}

TEST(Inject, ExhaustiveEqualsBruteForce) {
  const SmallCase small(1);
  InjectOptions options;
  options.sites = "all";
  options.plan.kind = "exhaustive";
  options.prober = "suffix";  // masked is a statement about bits
  const Injection injection = inject(small.graph, *small.data, options);
  const auto sites = select_sites(small.graph, "all");
  const Golden golden(small.graph, small.values, 0);
  const auto prober = make_prober("reference", small.graph, sites);
  prober->bind(golden);
  ASSERT_EQ(injection.sites.size(), sites.size());
  int64_t top5 = 0;
  for (size_t s = 0; s < sites.size(); ++s) {
    InjectionTally tally(7, golden.count());
    for (int64_t k = 0; k < sites[s].population; ++k) {
      for (int32_t i = 0; i < golden.count(); ++i) {
        for (int bit = 0; bit < kBits; ++bit) {
          const Fault fault{i, static_cast<int32_t>(s), k,
                            flip_bit(golden.value(sites[s].tensor, k, i), bit)};
          Outcome outcome;
          prober->run({&fault, 1}, {&outcome, 1});
          tally.add(i, golden.golden_class(i), -1, bit, outcome);
        }
      }
    }
    expect_equal(injection.sites[s].tally, tally);
    top5 += total(injection.sites[s], FaultCount::kTop5);
    const FaultRate rate = site_rate(injection, injection.sites[s]);
    EXPECT_EQ(rate.low, rate.high);
    EXPECT_NEAR(
        rate.rate,
        static_cast<double>(std::accumulate(tally.critical.begin(), tally.critical.end(), 0)) /
            static_cast<double>(sites[s].population * golden.count() * kBits),
        1e-12);
  }
  EXPECT_GT(top5, 0);
}

TEST(ParallelInject, SameBitsForAnyThreadsBatchesAndProbers) {
  RandomFloats random(5);
  TempDir folder;
  Graph graph = network({1, 2, 8, 8});
  const int c =
      layer(graph, "Conv", {graph.input},
            {constant({3, 2, 3, 3}, random.floats(54, 0.4F)), constant({3}, {0, 0.1F, 0})});
  const int p = layer(graph, "MaxPool", {layer(graph, "Relu", {c})}, {},
                      {{"kernel_shape", value(std::vector<int64_t>{2, 2})},
                       {"strides", value(std::vector<int64_t>{2, 2})}});
  dense(graph, layer(graph, "Flatten", {p}), random.floats(27 * 5, 0.4F), random.floats(5, 0.4F));
  const Dataset data = samples(folder, 128, random.floats(128 * 70, 1));  // two golden blocks
  for (const char* plan : {"input", "layer", "model"}) {
    for (const bool until_margin : {false, true}) {
      InjectOptions options;
      options.plan = {plan, 0.05, 0.95, until_margin};
      options.neurons = "20";
      std::string first_list;
      Injection first;
      int number = 0;
      const auto run = [&](int threads, int lanes, const char* prober) {
        options.threads = threads;
        options.lanes = lanes;
        options.prober = prober;
        const std::string file = folder.path(fmt::format("{}.csv", number++));
        FaultListWriter writer(file);
        InjectProgress progress;
        progress.faults = [&](auto faults, const auto& sites) { writer.write(faults, sites); };
        const Injection injection = inject(graph, data, options, nullptr, progress);
        writer.finish();
        std::ifstream in(file);
        const std::string list{std::istreambuf_iterator<char>(in), {}};
        if (number == 1) {
          first = injection;
          first_list = list;
          EXPECT_GT(list.size(), 2000);
        }
        expect_equal(first, injection);
        EXPECT_EQ(list, first_list) << plan << ' ' << threads << ' ' << lanes;
      };
      run(1, 64, "suffix");
      run(4, 64, "suffix");
      run(3, 16, "suffix");
      run(2, 64, "reference");
    }
  }
}

TEST(Inject, DrawsWithoutReplacementAsMuchAsPlanned) {
  const SmallCase small(2);
  for (const char* plan : {"input", "layer", "model"}) {
    InjectOptions options;
    options.plan = {plan, 0.04, 0.95, false};
    options.seed = 3;
    std::set<std::tuple<int64_t, int32_t, int64_t, int>> places;
    int64_t drawn = 0;
    InjectProgress progress;
    progress.faults = [&](auto faults, const auto&) {
      for (const InjectedFault& f : faults) {
        ++drawn;
        EXPECT_TRUE(places.insert({f.input, f.site, f.element, f.bit}).second);
      }
    };
    const Injection injection = inject(small.graph, *small.data, options, nullptr, progress);
    const int64_t relu = 6 * 32, logits = 7 * 32;
    const auto size = [](int64_t n) { return sample_size(n, 0.04, 0.95); };
    const int64_t expected = options.plan.kind == "input"   ? 6 * (size(relu) + size(logits))
                             : options.plan.kind == "layer" ? size(6 * relu) + size(6 * logits)
                                                            : size(6 * (relu + logits));
    EXPECT_EQ(drawn, expected) << plan;
  }
}

// Over seeds, per layer and for the model, for each plan.
TEST(Inject, IntervalsCoverTheTruth) {
  const SmallCase small(4, 8);
  InjectOptions options;
  options.threads = 1;
  options.plan.kind = "exhaustive";
  const Injection truth = inject(small.graph, *small.data, options);
  for (const char* plan : {"input", "layer", "model"}) {
    std::vector<int> covered(truth.sites.size() + 1, 0);
    double drawn = 0;
    const int seeds = 300;
    for (int seed = 0; seed < seeds; ++seed) {
      const double margin = options.plan.kind == "input" ? 0.1 : 0.05;
      options.plan = {plan, margin, 0.95, false};
      options.seed = static_cast<uint64_t>(seed);
      const Injection sample = inject(small.graph, *small.data, options);
      const auto covers = [](const FaultRate& rate, double exact) {
        return rate.low <= exact && exact <= rate.high;
      };
      for (size_t s = 0; s < truth.sites.size(); ++s) {
        covered[s] +=
            covers(site_rate(sample, sample.sites[s]), site_rate(truth, truth.sites[s]).rate);
        drawn += static_cast<double>(total(sample.sites[s], FaultCount::kFaults));
      }
      covered.back() += covers(model_rate(sample), model_rate(truth).rate);
    }
    for (const int count : covered) {
      EXPECT_GE(count, seeds * 92 / 100) << plan;
      EXPECT_LE(count, seeds) << plan;
    }
    EXPECT_LT(drawn, 0.8 * seeds * 13 * 32 * 8) << plan;
  }
}

TEST(Inject, StopsOnceTheIntervalIsNarrow) {
  const SmallCase small(4, 40);
  for (const char* plan : {"input", "layer", "model"}) {
    InjectOptions options;
    options.plan = {plan, 0.03, 0.95, false};
    const Injection whole = inject(small.graph, *small.data, options);
    options.plan.until_margin = true;
    const Injection early = inject(small.graph, *small.data, options);
    int64_t all = 0, used = 0;
    for (size_t s = 0; s < whole.sites.size(); ++s) {
      all += total(whole.sites[s], FaultCount::kFaults);
      used += total(early.sites[s], FaultCount::kFaults);
      if (options.plan.kind != "layer") continue;
      const FaultRate rate = site_rate(early, early.sites[s]);
      EXPECT_LE(rate.high - rate.low, 2 * 0.03);
    }
    EXPECT_LE(used, all) << plan;
    if (options.plan.kind != "input") {
      EXPECT_LT(used, all) << plan;
    }
  }
}

TEST(Inject, ReplaysASavedList) {
  const SmallCase small(6);
  const std::string file = small.folder.path("faults.csv");
  const std::string again = small.folder.path("again.csv");
  const auto run = [&](const std::string& to, const InjectOptions& options, const FaultList* list) {
    FaultListWriter writer(to);
    InjectProgress progress;
    progress.faults = [&](auto faults, const auto& sites) { writer.write(faults, sites); };
    Injection injection = inject(small.graph, *small.data, options, list, progress);
    writer.finish();
    return injection;
  };
  InjectOptions options;
  options.sites = "all";
  options.plan.kind = "model";
  const Injection first = run(file, options, nullptr);
  const FaultList list = read_fault_list(file, small.graph, small.data->size());
  const Injection second = run(again, options, &list);
  expect_equal(first, second);
  EXPECT_EQ(second.plan.kind, "list");
  std::ifstream a(file), b(again);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(a), {}),
            std::string(std::istreambuf_iterator<char>(b), {}));
}

TEST(Inject, RunsListedValues) {
  const SmallCase small(7);
  const std::string site = select_sites(small.graph, "logits")[0].name;
  const std::string text = fmt::format(
      "element,note,value,site,input\r\n0,x,1e30,{0},2\r\n\r\n3,\"a,\"\"b\",-inf,{0},1\n1,,nan,{0},"
      "0",
      site);
  const auto list = read_fault_list(small.folder.write("list.csv", text), small.graph, 6);
  const InjectOptions options;
  ASSERT_EQ(list.faults.size(), 3U);
  EXPECT_EQ(list.faults[1].element, 3);
  EXPECT_EQ(list.faults[1].value, -INFINITY);
  const Injection injection = inject(small.graph, *small.data, options, &list);
  ASSERT_EQ(injection.sites.size(), 1U);
  EXPECT_EQ(by_bin(injection.sites[0], FaultCount::kFaults)[kBits], 3);
  EXPECT_EQ(total(injection.sites[0], FaultCount::kNan), 1);
  EXPECT_EQ(total(injection.sites[0], FaultCount::kInf), 1);
  EXPECT_THAT(to_text(injection), HasSubstr("given values"));
}

TEST(Inject, PassesOverAByteOrderMark) {
  const SmallCase small(7);
  const std::string site = select_sites(small.graph, "logits")[0].name;
  const std::string mark = "\xef\xbb\xbf", head = "input,site,element,bit\n";
  const auto read = [&](const std::string& text) {
    return read_fault_list(small.folder.write("list.csv", text), small.graph, 6);
  };
  EXPECT_EQ(read(mark + head + "2," + site + ",0,31\n").faults.at(0).input, 2);
  EXPECT_THAT(error_of([&] { read(mark + mark + head); }), HasSubstr("expected a line that names"));
  EXPECT_THAT(error_of([&] { read(head + mark + "2," + site + ",0,31\n"); }),
              HasSubstr("input: got"));
}

TEST(Inject, RefusesDamagedLists) {
  const SmallCase small(8);
  const std::string site = select_sites(small.graph, "logits")[0].name;
  const auto refusal = [&](const std::string& text) {
    const std::string file = small.folder.write("bad.csv", text);
    return error_of([&] { read_fault_list(file, small.graph, 6); });
  };
  const std::string head = "input,site,element,bit,value\n";
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal(head), HasSubstr("holds no faults"));
  EXPECT_THAT(refusal("input,site,element,bit"), HasSubstr("holds no faults"));
  EXPECT_THAT(refusal("input,site\n"), HasSubstr("bad.csv:1] expected a line that names"));
  EXPECT_THAT(refusal("input,site,element\n"), HasSubstr("'bit' or 'value'"));
  EXPECT_THAT(refusal("input,site,element,bit,element\n"),
              HasSubstr("bad.csv:1] got two columns 'element', expected one"));
  EXPECT_THAT(refusal(head + "0," + site + ",0,31,\n6," + site + ",0,1,\n"),
              HasSubstr("bad.csv:3] input: got 6, expected 0 to 5"));
  EXPECT_THAT(refusal(head + "0,conv9,0,31,\n"), HasSubstr("no site 'conv9'"));
  EXPECT_THAT(refusal(head + "0," + site + ",7,31,\n"), HasSubstr("element: got 7"));
  EXPECT_THAT(refusal(head + "0," + site + ",-1,31,\n"), HasSubstr("element: got -1"));
  EXPECT_THAT(refusal(head + "0," + site + ",0,32,\n"), HasSubstr("bit: got 32"));
  EXPECT_THAT(refusal(head + "0," + site + ",0,,\n"), HasSubstr("value: got ''"));
  EXPECT_THAT(refusal(head + "0," + site + ",0,,1.5x\n"), HasSubstr("value: got '1.5x'"));
  EXPECT_THAT(refusal(head + "99999999999999999999," + site + ",0,1,\n"), HasSubstr("input: got"));
  EXPECT_THAT(refusal(head + "0," + site + ",0\n"), HasSubstr("got 3 fields, expected 5"));
  EXPECT_THAT(refusal(head + "0,\"" + site + ",0,1,\n"), HasSubstr("quote"));
  const std::string fault = "0," + site + ",0,1,";
  EXPECT_EQ(refusal(head + fault + std::string(65536 - fault.size(), ' ') + "\n").find("bytes"),
            std::string::npos);
  EXPECT_THAT(refusal(head + fault + std::string(65537 - fault.size(), ' ') + "\n"),
              HasSubstr("bad.csv:2] got more than 65536 bytes"));
  EXPECT_THAT(error_of([&] { read_fault_list("/nowhere.csv", small.graph, 6); }),
              HasSubstr("cannot be read"));
}

TEST(Inject, LeavesOutInputsThatAreNotFinite) {
  const SmallCase small(9);
  auto values = small.values;
  values[12] = INFINITY;
  const TempDir folder;
  const Dataset data = samples(folder, 5, values);
  InjectOptions options;
  options.plan.kind = "layer";
  const Injection injection = inject(small.graph, data, options);
  EXPECT_EQ(injection.inputs(), 5);
  for (const InjectionSite& site : injection.sites) {
    EXPECT_EQ(site.tally.input_faults[2], 0);
    EXPECT_GT(site.tally.input_faults[5], 0);
  }
  EXPECT_THROW(inject(small.graph, samples(folder, 5, std::vector<float>(5, NAN)), options), Error);
  options.plan.kind = "neuron";
  EXPECT_THROW(inject(small.graph, data, options), Error);
  options.plan = {"exhaustive", 0.01, 0.95, true};
  EXPECT_THROW(inject(small.graph, data, options), Error);
}

// Two inputs of four faults and two: the inputs weigh alike where each has a plan of its own.
TEST(Inject, RatesByHand) {
  Injection injection;
  injection.classes = 2;
  injection.golden_class = {0, 1, -1};
  injection.label = {0, 0, 1};
  injection.sites.push_back({});
  InjectionSite& site = injection.sites[0];
  site.site.population = 3;
  site.site.neurons = {0, 1, 2};
  site.tally = InjectionTally(2, 3);
  const auto add = [&](int64_t input, int bit, int32_t top) {
    Outcome outcome{top, 0, 0, false, false, top < 0, false};
    outcome.critical = top != injection.golden_class[static_cast<size_t>(input)];
    site.tally.add(input, injection.golden_class[static_cast<size_t>(input)],
                   injection.label[static_cast<size_t>(input)], bit, outcome);
  };
  for (const int32_t top : {1, 0, 0, 0}) add(0, 30, top);
  add(1, 30, 0);  // repairs the answer
  add(1, 5, -1);
  EXPECT_DOUBLE_EQ(site_rate(injection, site).rate, (0.25 + 1) / 2);
  EXPECT_DOUBLE_EQ(site_rate(injection, site, FaultCount::kNan).rate, 0.25);
  EXPECT_DOUBLE_EQ(accuracy_loss(injection, site), (0.25 - 0.5) / 2);
  const AccuracyCounts accuracy = accuracy_counts(injection, site);
  EXPECT_EQ(accuracy.labelled, 6);
  EXPECT_EQ(accuracy.golden_correct, 4);
  EXPECT_EQ(accuracy.faulty_correct, 4);
  EXPECT_DOUBLE_EQ(bin_rate(injection, site, 30).rate, 0.4);
  EXPECT_TRUE(std::isnan(bin_rate(injection, site, 31).rate));
  EXPECT_EQ(bin_rate(injection, site, 31).high, 1);
  EXPECT_DOUBLE_EQ(class_rate(injection, site, 1).rate, 1);
  // 4 and 2 of 96, corrected: 4 * 95 / 92 and 2 * 95 / 94.
  const double trials = 4 / (92.0 / (4 * 95) + 94.0 / (2 * 95));
  const Interval expected = wilson(0.625, trials, normal_deviate(0.95));
  EXPECT_NEAR(site_rate(injection, site).low, expected.low, 1e-12);
  EXPECT_NEAR(site_rate(injection, site).high, expected.high, 1e-12);
  injection.plan.kind = "layer";
  EXPECT_DOUBLE_EQ(site_rate(injection, site).rate, 0.5);
  EXPECT_DOUBLE_EQ(accuracy_loss(injection, site), 0);
}

TEST(Inject, FilesReadBack) {
  const SmallCase small(10);
  InjectOptions options;
  options.plan = {"model", 0.02, 0.9, false};
  Injection injection = inject(small.graph, *small.data, options);
  const std::string file = small.folder.path("fi.h5");
  write_injection(file, injection);
  EXPECT_TRUE(holds_injection(file));
  const Injection back = read_injection(file);
  expect_equal(injection, back);
  EXPECT_EQ(back.plan.kind, "model");
  EXPECT_EQ(back.plan.margin, 0.02);
  EXPECT_EQ(back.plan.confidence, 0.9);
  EXPECT_EQ(to_json(back), to_json(injection));
  EXPECT_EQ(to_text(back), to_text(injection));
  EXPECT_EQ(only_site(back, back.sites[1].site.name).sites.size(), 1U);
  EXPECT_THROW(only_site(back, "conv9"), Error);
  EXPECT_THAT(error_of([&] { read_run(file); }), HasSubstr("kind injection, expected"));
  // Counts that contradict each other.
  ++injection.sites[0].tally.critical[3];
  write_injection(file, injection);
  EXPECT_THAT(error_of([&] { read_injection(file); }), HasSubstr("not the sum"));
}

}  // namespace
}  // namespace vigor
