#include "analyze.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <mutex>
#include <optional>

#include "amortised.h"
#include "analyze_options.h"
#include "error.h"
#include "far_class.h"
#include "findings.h"
#include "memory.h"
#include "neuron_blocks.h"
#include "prober.h"
#include "unit.h"
#include "workers.h"

namespace vigor {

namespace {

// Far slopes are kept where all of them fit; they only make searches shorter.
constexpr int64_t kMostSlopeBytes = int64_t{256} << 20;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

class Analysis {
 public:
  Analysis(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
           const AnalyzeProgress& progress, UnitLog& log)
      : graph_(graph),
        data_(data),
        options_(options),
        progress_(progress),
        log_(log),
        group_(log.group()),
        sites_(choose_sites(graph, options.sites, options.neurons, options.seed)),
        probed_(with_cut_sites(graph, sites_)),
        unit_options_{Lattice(options.tolerance_bits),
                      rows_per_class(options, graph, sites_),
                      options.audit,
                      options.seed,
                      nullptr,
                      options.shortcuts,
                      paper_init(options),
                      options.ranges != "inner"},
        memory_(options.memory > 0 ? options.memory : default_memory()),
        threads_(options.threads > 0 ? options.threads : available_cores()),
        cache_(prober_cache(graph, memory_, threads_)),
        inputs_(options.inputs > 0 ? std::min(options.inputs, data.size()) : data.size()) {
    check_options(options);
    if (unit_options_.paper == PaperInit::kGradient) {
      for (const Site& site : sites_) tangent_graph(graph, site.tensor);  // throws
    }
    prepare_run();
  }
  ~Analysis() { log_.release(); }
  Analysis(const Analysis&) = delete;
  Analysis& operator=(const Analysis&) = delete;

  Run run() {
    const Stopwatch watch;
    find_site_facts();
    stats_.facts = watch.seconds();
    find_thresholds();
    const double before = watch.seconds();
    stats_.units = before - stats_.facts - stats_.golden;
    if (unit_options_.paper != PaperInit::kNone && group_.rank() == 0) {
      for (SiteResult& site : run_.sites) leave_out_neurons(site, run_);
    }
    if (run_.has_factors) count_ranges();
    if (!run_.has_vulnerable) drop_vulnerable();
    describe_group(run_.provenance, group_, threads_);
    run_.provenance.seconds = watch.seconds();
    stats_.ranges = run_.provenance.seconds - before;
    if (progress_.stats) progress_.stats(run_, stats_);
    return std::move(run_);
  }

  Shard shard() {
    find_site_facts();
    find_thresholds();
    Shard shard{part_head(run_, log_.source()), {}};
    shard.part.units = log_.finished_units();
    findings_->pack_all(shard.part);
    return shard;
  }

 private:
  void prepare_run() {
    static_cast<RunHead&>(run_) = describe_run(graph_, data_, inputs_, threads_);
    run_.options = canonical(options_, inputs_, unit_options_.per_class);
    run_.method = options_.method;
    run_.seed = options_.seed;
    run_.has_factors = !merges_amortised(options_);
    run_.has_vulnerable = unit_options_.vulnerable;
    const int64_t rows = unit_options_.per_class ? graph_.classes() + 1 : 1;
    for (const Site& site : sites_) {
      const auto neurons = static_cast<int64_t>(site.neurons.size());
      SiteResult result{describe_site(graph_, site),
                        SiteTally(neurons, rows, run_.has_factors),
                        std::vector<int32_t>(2 * site.neurons.size(), -1),
                        count_cuts(graph_, site),
                        {}};
      if (options_.keep_thresholds) {
        result.thresholds.resize(static_cast<size_t>(inputs_ * neurons * 4));
      }
      run_.sites.push_back(std::move(result));
    }
    UnitSize size{kUnitNeurons, inputs_per_block(graph_)};
    if (!run_.has_factors) size = {kAmortisedNeurons, amortised_inputs(size.inputs, rows)};
    findings_ = std::make_unique<Findings>(graph_, run_, size, log_.keeps());
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
    const std::vector<UnitNeurons>& blocks = findings_->neurons();
    std::mutex mutex;  // of the slopes
    share_work(threads_, std::ssize(blocks), [&](int, int64_t item) {
      const UnitNeurons& block = blocks[static_cast<size_t>(item)];
      const std::vector<int64_t>& numbers = block.numbers;
      SiteResult& site = run_.sites[block.site];
      const FarLimits part = far_limits(graph_, site.site, numbers);
      // Both sides of neuron k of the block, `width` values each.
      const auto put = [&numbers](size_t k, const auto& from, size_t width, auto& to) {
        std::copy_n(from.data() + 2 * k * width, 2 * width,
                    to.data() + 2 * static_cast<size_t>(numbers[k]) * width);
      };
      for (size_t k = 0; k < numbers.size(); ++k) put(k, part.classes, 1, site.far_class);
      if (part.slopes.empty() || !keeps_slopes) return;
      const auto classes = static_cast<size_t>(graph_.classes());
      const std::lock_guard lock(mutex);
      std::vector<float>& slopes = (*facts)[block.site].far.slopes;
      slopes.resize(site.far_class.size() * classes);
      for (size_t k = 0; k < numbers.size(); ++k) put(k, part.slopes, classes, slopes);
    });
    for (size_t s = 0; s < sites_.size(); ++s) (*facts)[s].far.classes = run_.sites[s].far_class;
    if (options_.search == "guided") unit_options_.facts = std::move(facts);
  }

  // Phase 1: the units that are this run's or shard's and not done yet.
  void find_thresholds() {
    log_.bind(part_head(run_, log_.source()), [this](Part& part) { findings_->pack(part); });
    log_.begin(0, findings_->units(), [this](const Part& part) { findings_->unpack(part); });
    std::vector<int64_t> todo;
    left_.assign(run_.sites.size(), 0);
    stats_.sites.assign(run_.sites.size(), 0);
    for (int64_t unit = 0; unit < findings_->units(); ++unit) {
      if (!log_.todo(unit)) continue;
      todo.push_back(unit);
      ++left_[findings_->neurons(unit).site];
    }
    if (!group_.many()) report_sites();
    if (run_.has_factors) {
      log_.run_units(todo,
                     {threads_, [this](int64_t unit) { return findings_->first_input(unit); },
                      [this](int64_t unit) { open_block(unit); },
                      [this](int worker, int64_t unit) { find_thresholds_of(worker, unit); }},
                     progress_.advance);
    } else {
      log_.run_units(todo,
                     {golden_blocks(graph_, memory_ - threads_ * cache_, threads_),
                      [](int64_t) { return 0; }, [this](int64_t) { make_probers(); },
                      [this](int worker, int64_t unit) { merge_ranges_of(worker, unit); }},
                     progress_.advance);
    }
    log_.end();
    if (group_.many() && group_.rank() == 0) report_sites();  // the others' parts are in
    for (const auto& prober : probers_) stats_.costs += prober->costs();
    probers_.clear();  // their memory is needed for one golden run per thread
    golden_.reset();
  }

  void make_probers() {
    while (std::ssize(probers_) < threads_) {
      probers_.push_back(make_prober(options_.prober, graph_, probed_, options_.lanes, cache_));
    }
  }

  // The golden run of a unit's block of inputs.
  void open_block(int64_t unit) {
    const Stopwatch watch;
    golden_.reset();
    golden_.emplace(golden_block(graph_, data_, findings_->first_input(unit), inputs_));
    stats_.golden += watch.seconds();
    make_probers();
    for (const auto& prober : probers_) prober->bind(*golden_);
  }

  void find_thresholds_of(int worker, int64_t unit) {
    const UnitNeurons& neurons = findings_->neurons(unit);
    const Stopwatch watch;
    std::vector<Threshold> thresholds;
    const SiteTally part =
        run_unit(*probers_[static_cast<size_t>(worker)], static_cast<int32_t>(neurons.site),
                 neurons.numbers, unit_options_, &thresholds);
    finish(unit, part, thresholds, watch);
  }

  // With --factors none: golden block by golden block, each worker by itself.
  void merge_ranges_of(int worker, int64_t unit) {
    const UnitNeurons& neurons = findings_->neurons(unit);
    const Stopwatch watch;
    Prober& prober = *probers_[static_cast<size_t>(worker)];
    AmortisedUnit amortised(static_cast<int32_t>(neurons.site), neurons.numbers, graph_.classes(),
                            unit_options_);
    const int64_t end = findings_->first_input(unit) + findings_->inputs_of(unit);
    const int64_t block = inputs_per_block(graph_);
    for (int64_t input = findings_->first_input(unit); input < end; input += block) {
      const Golden golden = golden_block(graph_, data_, input, inputs_);
      prober.bind(golden);
      amortised.add(prober);
    }
    finish(unit, amortised.tally(), {}, watch);
  }

  void finish(int64_t unit, const SiteTally& part, const std::vector<Threshold>& thresholds,
              const Stopwatch& watch) {
    const size_t site = findings_->neurons(unit).site;
    log_.finish(unit, [&] {
      findings_->add(unit, part, thresholds);
      stats_.sites[site] += watch.seconds();
      if (!group_.many() && --left_[site] == 0) report_site(site);
    });
  }

  // Those of which every unit is done.
  void report_sites() const {
    for (size_t s = 0; s < run_.sites.size(); ++s) {
      if (group_.many() || left_[s] == 0) report_site(s);
    }
  }
  void report_site(size_t site) const {
    if (!log_.sharded() && progress_.site_done) progress_.site_done(run_.sites[site]);
  }

  void drop_vulnerable() {
    for (SiteResult& site : run_.sites) {
      std::ranges::fill(site.tally.vulnerable, std::nan(""));
      std::ranges::fill(site.tally.vulnerable_finite, std::nan(""));
      std::ranges::fill(site.tally.finite, 0);
    }
  }

  // Phase 2: the golden run again, every flip against the merged ranges. Each rank takes its share
  // of the inputs.
  void count_ranges() {
    for (SiteResult& site : run_.sites) {
      group_.broadcast(std::as_writable_bytes(std::span(site.tally.nonvulnerable)));
      group_.broadcast(std::as_writable_bytes(std::span(site.tally.vulnerable)));
    }
    std::mutex mutex;
    const int64_t block = inputs_per_block(graph_);
    const int64_t blocks = (inputs_ + block - 1) / block;
    const int64_t ranks = group_.size(), rank = group_.rank();
    const int threads = golden_blocks(graph_, memory_, threads_);
    share_work(threads, (blocks - rank + ranks - 1) / ranks, [&](int, int64_t item) {
      const int64_t first = (item * ranks + rank) * block;
      const Golden golden = golden_block(graph_, data_, first, inputs_);
      for (SiteResult& site : run_.sites) {
        const RangeCounts counts = count_by_ranges(golden, site.site, site.tally);
        const std::lock_guard lock(mutex);
        for (size_t i = 0; i < counts.low.size(); ++i) {
          site.tally.critical_low[i] += counts.low[i];
          site.tally.critical_high[i] += counts.high[i];
        }
      }
    });
    for (SiteResult& site : run_.sites) {
      group_.add_up(site.tally.critical_low);
      group_.add_up(site.tally.critical_high);
    }
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
  UnitLog& log_;
  Group& group_;
  std::vector<Site> sites_, probed_;  // the latter with their cuts
  UnitOptions unit_options_;
  int64_t memory_;
  int threads_;
  int64_t cache_;  // of the probers
  int64_t inputs_;
  std::optional<Golden> golden_;                  // of the block at work
  std::vector<std::unique_ptr<Prober>> probers_;  // one per thread
  Run run_;
  // What follows, and the sites' findings, change with the log's lock held.
  std::unique_ptr<Findings> findings_;
  std::vector<int64_t> left_;  // by site: units to do
  AnalyzeStats stats_;
};

}  // namespace

Run analyze(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
            const AnalyzeProgress& progress, UnitLog* log) {
  check_data(graph, data);
  UnitLog none;
  return Analysis(graph, data, options, progress, log ? *log : none).run();
}

Shard analyze_shard(const Graph& graph, const Dataset& data, const AnalyzeOptions& options,
                    const AnalyzeProgress& progress, UnitLog& log) {
  check_data(graph, data);
  return Analysis(graph, data, options, progress, log).shard();
}

}  // namespace vigor
