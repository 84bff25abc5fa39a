#include "analyze.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>

#include "error.h"
#include "far_class.h"
#include "hash.h"
#include "prober.h"
#include "unit.h"
#include "workers.h"

namespace vigor {

namespace {

bool rows_per_class(const AnalyzeOptions& options, const Graph& graph,
                    const std::vector<Site>& sites) {
  if (options.classes == "all") return true;
  if (options.classes == "none") return false;
  if (options.classes != "auto") {
    fail("classes", "got '{}', expected auto, all or none", options.classes);
  }
  int64_t neurons = 0;
  for (const Site& site : sites) neurons += static_cast<int64_t>(site.neurons.size());
  return class_rows_fit(graph, neurons);
}

std::vector<std::string> without(const AnalyzeOptions& options) {
  std::vector<std::string> names;
  for (const auto& [name, member] : kShortcuts) {
    if (options.search == "guided" && !(options.shortcuts.*member)) names.emplace_back(name);
  }
  return names;
}

// What the results depend on, beside model and data.
std::string canonical(const AnalyzeOptions& options, int64_t inputs, bool per_class) {
  const nlohmann::json json{{"sites", options.sites},
                            {"neurons", options.neurons},
                            {"inputs", inputs},
                            {"search", options.search},
                            {"without", without(options)},
                            {"prober", options.prober == "region" ? "region" : "exact"},
                            {"tolerance_bits", options.tolerance_bits},
                            {"per_class", per_class},
                            {"keep_thresholds", options.keep_thresholds},
                            {"audit", options.audit}};
  return json.dump();
}

// Far slopes are kept where all of them fit; they only make searches shorter.
constexpr int64_t kMostSlopeBytes = int64_t{256} << 20;

class Analysis {
 public:
  Analysis(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
           const AnalyzeProgress& progress)
      : graph_(graph),
        data_(data),
        options_(options),
        progress_(progress),
        sites_(choose_sites(graph, options)),
        probed_(with_cut_sites(graph, sites_)),
        unit_options_{Lattice(options.tolerance_bits),
                      rows_per_class(options, graph, sites_),
                      options.audit,
                      options.seed,
                      nullptr,
                      options.shortcuts},
        threads_(options.threads > 0 ? options.threads : available_cores()),
        inputs_(options.inputs > 0 ? std::min(options.inputs, data.size()) : data.size()),
        block_(inputs_per_block(graph)) {
    if (options.search != "guided" && options.search != "bisect") {
      fail("search", "got '{}', expected guided or bisect", options.search);
    }
    if (options.audit < 0 || options.audit > 1) {
      fail("audit", "got {}, expected a share from 0 to 1", options.audit);
    }
    for (int worker = 0; worker < threads_; ++worker) {
      probers_.push_back(make_prober(options.prober, graph, probed_, options.lanes));
    }
    prepare_run();
  }

  Run run() {
    const auto begin = std::chrono::steady_clock::now();
    Sha256 hash;
    find_site_facts();
    for (int64_t first = 0; first < inputs_; first += block_) {
      find_thresholds(golden(first, &hash), first + block_ >= inputs_);
    }
    run_.data_sha256 = hash.hex();
    if (run_.inputs() == 0) {
      fail("data", "got no input whose golden run is finite, of {}", inputs_);
    }
    count_ranges();
    run_.provenance.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(run_);
  }

 private:
  void prepare_run() {
    static_cast<RunHead&>(run_) = describe_run(graph_, data_);
    run_.options = canonical(options_, inputs_, unit_options_.per_class);
    run_.method = "lattice";
    run_.seed = options_.seed;
    run_.provenance.threads = threads_;
    const int64_t rows = unit_options_.per_class ? graph_.classes() + 1 : 1;
    for (const Site& site : sites_) {
      const auto neurons = static_cast<int64_t>(site.neurons.size());
      SiteResult result{describe_site(graph_, site),
                        SiteTally(neurons, rows),
                        std::vector<int32_t>(2 * site.neurons.size(), -1),
                        count_cuts(graph_, site),
                        {}};
      if (options_.keep_thresholds) {
        result.thresholds.resize(static_cast<size_t>(inputs_ * neurons * 4));
      }
      run_.sites.push_back(std::move(result));
      for (const auto& [first, unit_neurons] : unit_spans(graph_, site)) {
        units_.push_back({run_.sites.size() - 1, first, unit_neurons});
      }
    }
    const int64_t blocks = (inputs_ + block_ - 1) / block_;
    steps_ = static_cast<int64_t>(units_.size()) * blocks;
  }

  // Golden run of the block of inputs from `first` on; notes the inputs the first time.
  Golden golden(int64_t first, Sha256* hash) {
    const int64_t count = std::min(block_, inputs_ - first);
    return golden_run(graph_, data_, first, count, hash);
  }

  // Far classes of all neurons, and what else the searches know before any data.
  void find_site_facts() {
    auto facts = std::make_shared<std::vector<SiteFacts>>();
    int64_t neurons = 0;
    for (const Site& site : sites_) {
      const auto cut_site = static_cast<int32_t>(sites_.size() + facts->size());
      facts->push_back({find_cut(graph_, site.tensor), cut_site, {}});
      neurons += static_cast<int64_t>(site.neurons.size());
    }
    const bool keeps_slopes = neurons * 2 * graph_.classes() * 4 <= kMostSlopeBytes;
    share_work(threads_, static_cast<int64_t>(units_.size()), [&](int, int64_t item) {
      const SiteUnit& unit = units_[static_cast<size_t>(item)];
      SiteResult& site = run_.sites[unit.site];
      const FarLimits part = far_limits(graph_, site.site, unit.first, unit.count);
      std::copy(part.classes.begin(), part.classes.end(), site.far_class.begin() + 2 * unit.first);
      if (part.slopes.empty() || !keeps_slopes) return;
      const auto classes = static_cast<size_t>(graph_.classes());
      const std::lock_guard lock(mutex_);
      std::vector<float>& slopes = (*facts)[unit.site].far.slopes;
      slopes.resize(site.far_class.size() * classes);
      std::copy(part.slopes.begin(), part.slopes.end(),
                slopes.begin() + 2 * unit.first * static_cast<int64_t>(classes));
    });
    for (size_t s = 0; s < sites_.size(); ++s) (*facts)[s].far.classes = run_.sites[s].far_class;
    if (options_.search == "guided") unit_options_.facts = std::move(facts);
  }

  // Phase 1 for one block of inputs: its units, shared by the threads.
  void find_thresholds(const Golden& golden, bool last) {
    add_inputs(run_, golden, data_);
    for (const auto& prober : probers_) prober->bind(golden);
    std::vector<int64_t> left(run_.sites.size(), 0);
    for (const SiteUnit& unit : units_) ++left[unit.site];
    share_work(threads_, static_cast<int64_t>(units_.size()), [&](int worker, int64_t item) {
      const SiteUnit& unit = units_[static_cast<size_t>(item)];
      std::vector<Threshold> thresholds;
      const SiteTally part =
          run_unit(*probers_[static_cast<size_t>(worker)], static_cast<int32_t>(unit.site),
                   unit.first, unit.count, unit_options_, &thresholds);
      const std::lock_guard lock(mutex_);
      SiteResult& site = run_.sites[unit.site];
      site.tally.merge(part, unit.first);
      if (options_.keep_thresholds) keep(site, golden, unit, thresholds);
      if (progress_.advance) {
        progress_.advance(static_cast<double>(++done_) / static_cast<double>(steps_));
      }
      if (--left[unit.site] == 0 && last && progress_.site_done) progress_.site_done(site);
    });
  }

  struct SiteUnit {
    size_t site;
    int64_t first, count;
  };

  void keep(SiteResult& site, const Golden& golden, const SiteUnit& unit,
            const std::vector<Threshold>& thresholds) const {
    const int64_t neurons = site.tally.neurons;
    for (int64_t k = 0; k < unit.count; ++k) {
      for (int64_t i = 0; i < golden.count(); ++i) {
        const auto to = static_cast<size_t>(((golden.first() + i) * neurons + unit.first + k) * 4);
        for (size_t side = 0; side < 2; ++side) {
          const Threshold& t = thresholds[static_cast<size_t>(k * golden.count() + i) * 2 + side];
          site.thresholds[to + 2 * side] = t.safe;
          site.thresholds[to + 2 * side + 1] = t.unsafe;
        }
      }
    }
  }

  // Phase 2: the golden run again, every flip against the merged ranges.
  void count_ranges() {
    probers_.clear();  // their memory is needed for one golden run per thread
    const int64_t blocks = (inputs_ + block_ - 1) / block_;
    share_work(threads_, blocks, [&](int, int64_t block) {
      const Golden golden = this->golden(block * block_, nullptr);
      for (SiteResult& site : run_.sites) {
        const RangeCounts counts = count_by_ranges(golden, site.site, site.tally);
        const std::lock_guard lock(mutex_);
        for (size_t i = 0; i < counts.low.size(); ++i) {
          site.tally.critical_low[i] += counts.low[i];
          site.tally.critical_high[i] += counts.high[i];
        }
      }
    });
    for (SiteResult& site : run_.sites) {
      for (size_t i = 0; i < site.tally.critical_beyond.size(); ++i) {
        site.tally.critical_low[i] += site.tally.critical_beyond[i];
        site.tally.critical_high[i] += site.tally.critical_beyond[i];
      }
    }
  }

  const Graph& graph_;
  const Dataset& data_;
  const AnalyzeOptions& options_;
  const AnalyzeProgress& progress_;
  std::vector<Site> sites_, probed_;  // the latter with their cuts
  UnitOptions unit_options_;
  int threads_;
  int64_t inputs_, block_;
  std::vector<std::unique_ptr<Prober>> probers_;  // one per thread
  std::vector<SiteUnit> units_;
  int64_t steps_ = 0, done_ = 0;
  std::mutex mutex_;  // of run_ and done_
  Run run_;
};

}  // namespace

std::vector<Site> choose_sites(const Graph& graph, const AnalyzeOptions& options) {
  std::vector<Site> sites = select_sites(graph, options.sites);
  if (!options.neurons.empty()) sample_neurons(sites, options.neurons, options.seed);
  return sites;
}

Run analyze(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
            const AnalyzeProgress& progress) {
  check_data(graph, data);
  return Analysis(graph, data, options, progress).run();
}

}  // namespace vigor
