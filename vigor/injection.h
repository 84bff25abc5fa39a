// What an injection finds out: the contents of an injection file (docs/injection.md), and the rates
// in it. Integers only, so that parts merge in any order.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "interval.h"
#include "prober.h"
#include "run.h"
#include "stored_faults.h"

namespace vigor {

/// Faults by (lowest) bit; in the last bin those that are none of a bit: given as a value, or of a
/// fault model whose places are not bits.
inline constexpr int kFaultBins = kBits + 1;

/// How faults are drawn (METHOD section 6).
struct FaultPlan {
  /// input: equation (7) for every site and input; layer: for every site over all inputs; model:
  /// for all sites and inputs; exhaustive: everything; list: what a file lists.
  std::string kind = "input";
  double margin = 0.01;
  double confidence = 0.95;
  bool until_margin = false;  // stops once the Wilson interval is as narrow
};

/// Outcomes of one site's faults. Each fault is masked (the logits stay), benign (others change) or
/// critical (the answer changes, or NaN). [C, bins], by golden class.
struct InjectionTally {
  InjectionTally() = default;
  InjectionTally(int64_t classes, int64_t inputs);
  /// `input` counts from 0 among the inputs of the run; `bit` < 0: a value.
  void add(int64_t input, int32_t golden_class, int32_t label, int bit, const Outcome& outcome);
  void merge(const InjectionTally& other);

  std::vector<int64_t> faults, critical, masked, benign;
  std::vector<int64_t> top5;  // a number, but the golden class is none of the first five
  std::vector<int64_t> nan;   // part of critical
  std::vector<int64_t> inf;   // infinite logits
  std::vector<int64_t> input_faults, input_critical, input_nan;  // [N]
  std::vector<int64_t> input_correct;                            // [N] answers that are the label
  std::vector<int64_t> input_encoded;  // [N] of the faults: storing the value is critical already
};

struct InjectionSite : SiteHead {
  InjectionTally tally;
};

struct Injection : RunHead {
  FaultPlan plan;
  StoredKind stored;
  int64_t places = kBits;        // faults of one stored value
  int64_t probes = 0, macs = 0;  // faults that change nothing or are NaN need no run
  std::vector<InjectionSite> sites;
};

enum class FaultCount { kFaults, kCritical, kMasked, kBenign, kTop5, kNan, kInf };

/// Sums over the golden classes.
std::array<int64_t, kFaultBins> by_bin(const InjectionSite& site, FaultCount count);
int64_t total(const InjectionSite& site, FaultCount count);

/// The bins that faults of this injection can be in: bits of the format, or the last one.
std::vector<int> bins_of(const Injection& injection);
/// Share of the faults drawn for which storing the value is critical without any fault.
double encoding_rate(const InjectionSite& site);

/// A share of faults with its Wilson interval at the plan's confidence, with finite-population
/// correction unless the faults were listed. Without faults the rate is NaN, the interval [0, 1].
struct FaultRate {
  double rate, low, high;
};

/// For a site: kCritical or kNan, inputs weighted alike where each has its own plan.
FaultRate site_rate(const Injection& injection, const InjectionSite& site,
                    FaultCount count = FaultCount::kCritical);
/// Sites weighted by their populations (plan model: as drawn, plan list: as listed).
FaultRate model_rate(const Injection& injection, FaultCount count = FaultCount::kCritical);
/// Critical share of one bin, or of one golden class, of a site as drawn.
FaultRate bin_rate(const Injection& injection, const InjectionSite& site, int bin);
FaultRate class_rate(const Injection& injection, const InjectionSite& site, int64_t golden_class);
/// The same over all sites, weighted like model_rate.
FaultRate model_bin_rate(const Injection& injection, int bin);
/// Of the faults on inputs with a label: how many, and how often the answer is right without and
/// with the fault.
struct AccuracyCounts {
  int64_t labelled = 0, golden_correct = 0, faulty_correct = 0;
};
AccuracyCounts accuracy_counts(const Injection& injection, const InjectionSite& site);
/// Accuracy (a share) that a fault in the site costs, inputs weighted as by site_rate; NaN without
/// labels.
double accuracy_loss(const Injection& injection, const InjectionSite& site);

/// Like write_run and read_run.
void write_injection(const std::filesystem::path& file, const Injection& injection);
Injection read_injection(const std::filesystem::path& file);
/// Whether this result file is of an injection; throws where it is none of ours.
bool holds_injection(const std::filesystem::path& file);

}  // namespace vigor
