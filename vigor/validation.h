// What a validation finds out: how faults that were run stand to the ranges of a run (METHOD
// sections 6 and 8), and the shares and intervals that follow.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "factors.h"
#include "injection.h"
#include "interval.h"

namespace vigor {

/// Numbers of faults. Those on inputs of a golden class that the run lacks are in none of them.
/// In a range: by deviation and golden class, for |v| <= 2^100; beyond that a fault is in none.
enum ValidationCount : size_t {
  kDrawn,
  kNonvulnerable,         // in the non-vulnerable range,
  kNonvulnerableKept,     // and the golden class was kept
  kVulnerable,            // in the vulnerable range,
  kVulnerableChanged,     // and it was not
  kFinite,                // in the vulnerable range of the inputs with a finite threshold,
  kFiniteChanged,         // and it was not
  kOpen,                  // in the vulnerable range as if it went on beyond 2^100 (NaN excepted),
  kOpenChanged,           // and it was not
  kSettled,               // in either range
  kBeyond,                // infinite, NaN, or |v| > 2^100
  kChanged,               // critical
  kChangedVulnerable,     // and in the vulnerable range
  kChangedNotInRange,     // and not in the non-vulnerable range
  kChangedBeyond,         // and beyond 2^100
  kNan,                   // and with a NaN
  kOwnNonvulnerable,      // by the input's own thresholds, where the run kept them: safe,
  kOwnNonvulnerableKept,  // and the golden class was kept
  kOwnVulnerable,         // critical,
  kOwnVulnerableChanged,  // and it was not
  kOwnSettled,            // either
  kValidationCounts
};
using ValidationTally = std::array<int64_t, kValidationCounts>;

/// A share: faults of kind `hits` of those of kind `of`.
struct ShareRule {
  std::string_view name;  // in JSON
  ValidationCount hits, of;
};
inline constexpr std::array kShareRules{
    ShareRule{"true_noncritical", kNonvulnerableKept, kNonvulnerable},
    ShareRule{"true_critical", kVulnerableChanged, kVulnerable},
    ShareRule{"coverage", kSettled, kDrawn},
    ShareRule{"recall", kChangedVulnerable, kChanged},
    ShareRule{"recall_not_noncritical", kChangedNotInRange, kChanged},
    ShareRule{"critical_beyond", kChangedBeyond, kChanged},
    ShareRule{"base_rate", kChanged, kDrawn},
    ShareRule{"nan_share", kNan, kDrawn},
    ShareRule{"true_critical_finite", kFiniteChanged, kFinite},
    ShareRule{"true_critical_open", kOpenChanged, kOpen},
};
inline constexpr std::array kOwnShareRules{
    ShareRule{"true_noncritical", kOwnNonvulnerableKept, kOwnNonvulnerable},
    ShareRule{"true_critical", kOwnVulnerableChanged, kOwnVulnerable},
    ShareRule{"coverage", kOwnSettled, kDrawn},
};

/// Why a fault came out otherwise than its range says.
enum class Cause {
  kNonFinite,      // its run held a NaN or infinite logits
  kContradiction,  // the input's own threshold says what the range says: one is not enough
  kBracket,        // it lies between the points of the input's own threshold
  kElsewhere,      // the input's own threshold says what the run says: the range is not its own
  kNotExamined,    // beyond the number that is looked into
};
inline constexpr std::array<std::string_view, 5> kCauseNames{
    "non_finite", "contradiction", "inside_bracket", "threshold_elsewhere", "not_examined"};
struct Disagreements {
  std::array<int64_t, kCauseNames.size()> nonvulnerable{}, vulnerable{};  // by range
};

struct ValidationSite : SiteHead {
  Factor lvf;                             // of the run
  std::vector<ValidationTally> by_input;  // [N]
  int64_t class_not_seen = 0;             // faults on inputs of a class that the run lacks
  double faults_there_are = 0;            // that were drawn from: neurons x bits x inputs
  Disagreements disagreements;
  FaultRate critical{};      // of all faults, as vigor inject gives it
  double accuracy_loss = 0;  // NaN without labels
};

/// The validation on one set of inputs.
struct ValidationSet {
  std::string name, data, data_sha256, isa;
  int64_t inputs = 0, left_out = 0, inputs_class_not_seen = 0;
  bool seen = false;  // the inputs that the ranges were computed from
  bool own_thresholds = false;
  FaultPlan plan;
  uint64_t seed = 0;
  double seconds = 0;
  int64_t probes = 0;
  std::vector<ValidationSite> sites;
};

/// What ranges are validated, and on what.
struct Validation {
  std::string model, model_sha256, run_data, run_data_sha256, run_isa, method;
  int64_t run_inputs = 0;
  bool per_class = false;  // every site has ranges per golden class
  std::vector<ValidationSet> sets;
};

/// `k` of `n` faults drawn. For all sites together the share weighs each fault by how many it
/// stands for. NaN with interval [0, 1] where n is 0.
struct ValidationShare {
  int64_t k = 0, n = 0;
  double share = 0;
  Interval used{0, 1};    // 95 %, for the inputs used: Wilson with finite-population correction
  Interval unseen{0, 1};  // 95 %, for others like them: cluster bootstrap over inputs
};

/// Shares by rule, of every site in order and, last, of all of them.
struct ValidationShares {
  std::vector<std::vector<ValidationShare>> sites;  // [sites + 1][rules]
};
ValidationShares shares(const ValidationSet& set, std::span<const ShareRule> rules);

ValidationTally total(const ValidationSite& site);

/// LVF of the sites against the accuracy that faults in them cost; NaN without labels.
struct Tracking {
  double pearson, spearman;
};
Tracking lvf_against_loss(const ValidationSet& set);

/// Whether every set holds up: of true non-critical and true critical faults, the share in every
/// site, and the lower end of the interval (for the inputs used) over all sites, are at least
/// `least`. Shares without faults pass. Returns what falls short, a line each.
std::vector<std::string> shortfalls(const Validation& validation, double least);

}  // namespace vigor
