// The main job: thresholds of every neuron, merged to ranges, and the factors of every bit flip.
#pragma once

#include <functional>
#include <string>

#include "dataset.h"
#include "guided.h"
#include "prober.h"
#include "run.h"
#include "run_head.h"
#include "unit_log.h"

namespace vigor {

struct AnalyzeOptions {
  std::string sites = "post-activation";
  std::string neurons;             // a sample of each site, "200" or "5%"; empty: all
  int64_t inputs = 0;              // the first N of the data; 0: all
  int tolerance_bits = 10;         // explicit mantissa bits of the lattice
  std::string classes = "auto";    // ranges per golden class: all, none, auto (all up to 256 MiB)
  bool keep_thresholds = false;    // of every input
  std::string method = "lattice";  // or paper: METHOD section 3
  std::string paper_init = "gradient";  // of the paper's method; or class
  std::string search = "guided";        // of the lattice; or bisect: plain bisection, the oracle
  std::string ranges = "both";          // or inner: the non-vulnerable ones alone
  std::string factors = "resolved";     // or none: ranges alone, by amortised merging
  Shortcuts shortcuts;                  // of the guided search
  std::string prober = "region";
  double audit = 0;  // share of the flips settled without a run that are run all the same
  uint64_t seed = 0;
  int threads = 0;     // 0: all cores
  int lanes = 64;      // largest batch
  int64_t memory = 0;  // bytes for activations and plans, 0: default_memory()
};

/// Where the time of an analysis went.
struct AnalyzeStats {
  // Seconds of the phases: before any data; golden runs; thresholds and flips; merged ranges.
  double facts = 0, golden = 0, units = 0, ranges = 0;
  std::vector<double> sites;  // of these units, by site, of all threads together
  ProbeCosts costs;           // of all threads
};

/// What a caller may show meanwhile. Called on one thread at a time.
struct AnalyzeProgress {
  std::function<void(double share)> advance;              // of all work done, 0 to 1
  std::function<void(const SiteResult& site)> site_done;  // thresholds of all inputs merged
  std::function<void(const Run& run, const AnalyzeStats& stats)> stats;  // at the end
};

/// Everything a run file holds but the command line. `log` (may be null) keeps finished units, or
/// holds those of parts to merge. Throws Error: data that do not fit the network, labels beyond its
/// classes, no input with a finite golden run, unknown options, gradients wanted of an
/// operator without a derivative.
Run analyze(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
            const AnalyzeProgress& progress = {}, UnitLog* log = nullptr);

/// The shard that `log` names: what its units found, for merging. Throws like analyze.
Shard analyze_shard(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
                    const AnalyzeProgress& progress, UnitLog& log);

/// The options behind RunHead::options and its seed. Throws Error where the text is not of those.
AnalyzeOptions parse_analyze_options(const std::string& json, uint64_t seed);

}  // namespace vigor
