// What an analysis finds out: the contents of a run file (docs/results.md has the schema).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "site.h"

namespace vigor {

/// Bits of the number format analysed: float32.
inline constexpr int kBits = 32;

/// Thresholds fall into bins of the power of two of |d|: bin b holds 2^(b-150) <= |d| < 2^(b-149),
/// the last one those without a threshold.
inline constexpr int kHistogramBins = 256;

/// RunHead::method of the paper's.
inline constexpr const char* kPaperMethod = "paper";

/// What the paper's method did with a neuron, over inputs and sides (docs/results.md).
enum PaperCount {
  kPasses,          // forward passes at +-delta, at the far ends, and of the searches
  kSearches,        // bisections
  kSteps,           // their steps
  kZeroGradients,   // pairs (input, side) with zero gradient
  kFalseZeros,      // those of them that misclassify at +-delta or the far end
  kZeroInputs,      // inputs with zero gradient on both sides
  kWrongIntervals,  // pairs whose gradient chose the interval without the crossing
  kEqualSafe,       // pairs with both ends of the interval safe: no threshold
  kEqualCritical,   // both critical: the inner end
  kReversed,        // the inner end alone critical: the inner end
  kChecks,          // runs for kFalseZeros and kWrongIntervals alone, in no other figure
  kLeftOut,         // 1: more than 98 % of the inputs have zero gradient on both sides
  kPaperCounts
};
inline constexpr const char* kPaperCountNames[kPaperCounts] = {
    "passes",         "searches",    "steps",           "zero_gradients",
    "false_zeros",    "zero_inputs", "wrong_intervals", "equal_safe",
    "equal_critical", "reversed",    "checks",          "left_out"};

/// Results of one site, integers and extremes only, so that merging parts in any order gives the
/// same bits. K neurons (`Site::neurons`), R rows: a row per golden class and one for all inputs
/// together, or that last one alone. Arrays are row-major.
struct SiteTally {
  SiteTally() = default;
  /// `flips`: false leaves the arrays of flips and thresholds empty.
  SiteTally(int64_t neurons, int64_t rows, bool flips = true);
  /// Adds a part that holds the neurons of these numbers.
  void merge(const SiteTally& part, std::span<const int64_t> numbers);

  int64_t neurons = 0, rows = 0;
  std::vector<double> nonvulnerable;  // [R, K, 2] deviations (lower, upper) of RNV, closed
  std::vector<double> vulnerable;     // [R, K, 2] RVV: up to lower, and from upper; +-inf: empty
  std::vector<double> vulnerable_finite;  // [R, K, 2] the same over finite thresholds alone
  std::vector<int64_t> finite;            // [R, K, 2] inputs with a finite threshold
  std::vector<float> golden;              // [R, K, 2] least and greatest golden value
  std::vector<int64_t> critical;          // [K, bits] flips that are critical, resolved reading
  std::vector<int64_t> critical_nan;      // [K, bits] those of them with a NaN
  std::vector<int64_t> critical_beyond;   // [K, bits] critical flips outside of the search domain
  std::vector<int64_t> critical_low, critical_high;  // [K, bits] by the merged ranges (phase 2)
  std::vector<int64_t> contradictions, probes, overflow;  // [K]
  std::vector<int64_t> histogram;                         // [2, bins]: below, above
  std::vector<int64_t> paper;                             // [K, kPaperCounts], 0 with other methods
  int64_t audited = 0, disagreements = 0;
  int64_t& paper_count(int64_t k, PaperCount count) {
    return paper[static_cast<size_t>(k * kPaperCounts + count)];
  }
  /// Of all neurons.
  std::array<int64_t, kPaperCounts> paper_sums() const;
  int64_t macs = 0;
};

/// Bytes that one row of ranges of one neuron takes.
inline constexpr int64_t kRangeBytes = 4 * 16 + 8;

/// Whether ranges of this many neurons per golden class take at most 256 MiB.
bool class_rows_fit(const Graph& graph, int64_t neurons);

/// What a file says of a site, whatever was found out about it.
struct SiteHead {
  Site site;
  std::string node_name, tensor_name;
  Shape shape;  // of the tensor, without the batch
};

struct SiteResult : SiteHead {
  SiteTally tally;
  std::vector<int32_t> far_class;  // [K, 2]: class as v -> -inf, +inf; -1 where there is none
  int64_t cuts = 0;                // that the neurons feed, see cut.h
  std::vector<float> thresholds;   // [N, K, 2, 2], side x (safe, unsafe) values, if kept
};

/// Facts that may differ between equal runs.
struct Provenance {
  double seconds = 0;
  std::string machine, isa, time, command;
  int threads = 0, ranks = 1;  // threads of all ranks together
  std::string source;          // where model and data were found: JSON of the caller, may be empty
};

/// What every result file says of model, data and machine.
struct RunHead {
  std::string version, model, model_sha256;
  std::string data, data_sha256, preprocessing, split;
  std::string options;  // canonical JSON
  std::string method, graph_json;
  uint64_t seed = 0;
  std::vector<std::string> class_names;
  int64_t classes = 0;
  int64_t forward_macs = 0;  // of one forward pass
  std::vector<int64_t> input_index;
  std::vector<int32_t> golden_class;  // -1: golden run not finite, left out
  std::vector<int32_t> label;         // -1: unknown
  Provenance provenance;

  /// Inputs that count: those whose golden run is finite.
  int64_t inputs() const;
  /// Of these, how many have each golden class; classes + 1 entries, the last the sum.
  std::vector<int64_t> class_inputs() const;
};

struct Run : RunHead {
  bool has_factors = true;     // else no flip was looked at: no counts, no factors
  bool has_vulnerable = true;  // else those ranges are NaN
  std::vector<SiteResult> sites;
};

}  // namespace vigor
