#include "inject.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "error.h"
#include "injection_part.h"
#include "injection_units.h"
#include "memory.h"
#include "workers.h"

namespace vigor {

namespace {

FaultPlan checked_plan(const FaultPlan& plan, const FaultList* list) {
  FaultPlan result = plan;
  if (list) result.kind = "list";
  const bool drawn = result.kind == "input" || result.kind == "layer" || result.kind == "model";
  if (!drawn && result.kind != "exhaustive" && !list) {
    fail("plan", "got '{}', expected input, layer, model or exhaustive", plan.kind);
  }
  if (!drawn && plan.until_margin) fail("until-margin", "only stops plans that draw at random");
  sample_size(1, plan.margin, plan.confidence);
  return result;
}

// What the results depend on, beside model and data.
std::string canonical(const InjectOptions& options, const FaultPlan& plan, const FaultList* list) {
  nlohmann::json json{{"plan", plan.kind},
                      {"margin", plan.margin},
                      {"confidence", plan.confidence},
                      {"prober", options.prober == "region" ? "region" : "exact"}};
  if (list) {
    json["faults_sha256"] = list->sha256;
  } else {
    json.update({{"sites", options.sites},
                 {"neurons", options.neurons},
                 {"inputs", options.inputs},
                 {"until_margin", plan.until_margin}});
  }
  if (!options.stored.is_default()) {
    json.update({{"format", options.stored.format}, {"fault", options.stored.fault}});
  }
  return json.dump();
}

class Injector {
 public:
  Injector(const Graph& graph, const Dataset& data, const InjectOptions& options,
           const FaultList* list, const InjectProgress& progress, UnitLog& log)
      : graph_(graph),
        data_(data),
        options_(options),
        progress_(progress),
        log_(log),
        plan_(checked_plan(options.plan, list)),
        sites_(list ? list->sites
               : !options.chosen.empty()
                   ? options.chosen
                   : choose_sites(graph, options.sites, options.neurons, options.seed)),
        threads_(options.threads > 0 ? options.threads : available_cores()),
        cache_(
            prober_cache(graph, options.memory > 0 ? options.memory : default_memory(), threads_)),
        inputs_(options.inputs > 0 ? std::min(options.inputs, data.size()) : data.size()) {
    if (list) {
      inputs_ = 0;
      for (const ListedFault& fault : list->faults) inputs_ = std::max(inputs_, fault.input + 1);
    }
    if (list && !options.stored.is_default()) {
      fail("format", "a list of faults names its values: only float32 and flip go with it");
    }
    if (plan_.until_margin && log.sharded()) {
      fail("shard", "a plan that stops at a margin looks at all faults and cannot be cut");
    }
    static_cast<RunHead&>(result_) = describe_run(graph, data, inputs_, threads_);
    stored_.emplace(options.stored, graph, data, inputs_, sites_, threads_);
    result_.plan = plan_;
    result_.stored = options.stored;
    result_.places = stored_->places();
    result_.options = canonical(options, plan_, list);
    result_.method = "injection";
    result_.seed = options.seed;
    for (const Site& site : sites_) {
      result_.sites.push_back({describe_site(graph, site), new_tally()});
    }
    clear_pending();
    units_ = std::make_unique<InjectionUnits>(sites_, result_, plan_, *stored_, list,
                                              inputs_per_block(graph));
  }
  ~Injector() { log_.release(); }
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;

  Injection run() {
    const auto begin = std::chrono::steady_clock::now();
    run_rounds();
    result_.provenance.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

  Shard shard() {
    run_rounds();
    Shard shard{part_head(result_, log_.source()), {}};
    shard.part.units = log_.finished_units();
    shard.part.put(std::vector{result_.probes, result_.macs});
    for (const InjectionSite& site : result_.sites) put_tally(shard.part, site.tally);
    return shard;
  }

 private:
  InjectionTally new_tally() const { return {graph_.classes(), inputs_}; }

  void run_rounds() {
    log_.bind(part_head(result_, log_.source(), progress_.faults ? "outcomes" : ""),
              [this](Part& part) { pack(part); });
    for (int64_t round = 0; units_->begin_round(result_.sites); ++round) run_round(round);
  }

  void run_round(int64_t round) {
    outcomes_.clear();
    log_.begin(round, units_->count(), [this](const Part& part) { unpack(part); });
    std::vector<int64_t> units;
    for (int64_t unit = 0; unit < units_->count(); ++unit) {
      if (log_.todo(unit) || outcomes_.contains(unit)) units.push_back(unit);
    }
    const std::span<const int64_t> all(units);
    for (size_t i = 0; i < all.size();) {
      size_t end = i;
      const int64_t first = units_->first_input(all[i]);
      while (end < all.size() && units_->first_input(all[end]) == first) ++end;
      run_block(all.subspan(i, end - i));
      i = end;
    }
    log_.end();
  }

  // Units of one block of inputs.
  void run_block(std::span<const int64_t> units) {
    const Golden golden = golden_block(graph_, data_, units_->first_input(units.front()), inputs_);
    while (std::ssize(probers_) < threads_) {
      probers_.push_back(make_prober(options_.prober, graph_, sites_, options_.lanes, cache_));
    }
    for (const auto& prober : probers_) prober->bind(golden);
    next_ = 0;
    share_work(threads_, std::ssize(units), [&](int worker, int64_t item) {
      const int64_t unit = units[static_cast<size_t>(item)];
      std::vector<InjectedFault> faults = units_->draw(unit, golden);
      if (const auto known = outcomes_.find(unit); known == outcomes_.end()) {
        run_unit(*probers_[static_cast<size_t>(worker)], unit, faults);
      } else {
        if (known->second.size() != faults.size()) fail("parts", "unit {} has other faults", unit);
        for (size_t f = 0; f < faults.size(); ++f) faults[f].outcome = known->second[f];
      }
      hand_over(item, std::move(faults));
    });
  }

  void run_unit(Prober& prober, int64_t unit, std::vector<InjectedFault>& injected) {
    std::vector<Fault> faults;
    faults.reserve(injected.size());
    for (const InjectedFault& fault : injected) {
      faults.push_back({static_cast<int32_t>(fault.input - prober.golden().first()), fault.site,
                        fault.element, fault.value});
    }
    std::vector<Outcome> outcomes(faults.size());
    const ProbeCosts before = prober.costs();
    prober.run(faults, outcomes);
    const ProbeCosts after = prober.costs();
    for (size_t f = 0; f < faults.size(); ++f) injected[f].outcome = outcomes[f];
    if (options_.stored.format != "float32") run_encoded(prober, injected, faults);
    log_.finish(unit, [&] {
      add(injected, {after.probes - before.probes, after.macs - before.macs});
      if (log_.keeps() && progress_.faults) pending_outcomes_[unit] = std::move(outcomes);
      done_ += std::ssize(injected);
      if (progress_.advance) {
        progress_.advance(static_cast<double>(done_) / static_cast<double>(units_->planned()));
      }
    });
  }

  // What storing the values does without any fault; its cost is not counted.
  void run_encoded(Prober& prober, std::vector<InjectedFault>& injected,
                   std::vector<Fault>& faults) const {
    for (size_t f = 0; f < faults.size(); ++f) faults[f].value = injected[f].encoded;
    std::vector<Outcome> outcomes(faults.size());
    prober.run(faults, outcomes);
    for (size_t f = 0; f < faults.size(); ++f) injected[f].encoded_critical = outcomes[f].critical;
  }

  void add(const std::vector<InjectedFault>& faults, const ProbeCosts& costs) {
    for (const InjectedFault& fault : faults) {
      const auto site = static_cast<size_t>(fault.site), input = static_cast<size_t>(fault.input);
      const auto count = [&](InjectionTally& tally) {
        tally.add(fault.input, result_.golden_class[input], result_.label[input], fault.bit,
                  fault.outcome);
        tally.input_encoded[input] += fault.encoded_critical;
      };
      count(result_.sites[site].tally);
      if (log_.keeps()) count(pending_[site]);
    }
    result_.probes += costs.probes;
    result_.macs += costs.macs;
    pending_costs_.probes += costs.probes;
    pending_costs_.macs += costs.macs;
  }

  // Faults go to the caller in the order of the units.
  void hand_over(int64_t item, std::vector<InjectedFault> faults) {
    if (!progress_.faults) return;
    const std::lock_guard lock(mutex_);
    waiting_[item] = std::move(faults);
    for (auto at = waiting_.find(next_); at != waiting_.end(); at = waiting_.find(++next_)) {
      progress_.faults(at->second, sites_);
      waiting_.erase(at);
    }
  }

  void clear_pending() {
    pending_costs_ = {};
    pending_outcomes_.clear();
    if (log_.keeps()) pending_.assign(sites_.size(), new_tally());
  }

  void pack(Part& part) {
    part.put(std::vector{pending_costs_.probes, pending_costs_.macs});
    for (const InjectionTally& tally : pending_) put_tally(part, tally);
    if (progress_.faults) {
      for (const int64_t unit : part.units) put_outcomes(part, pending_outcomes_.at(unit));
    }
    clear_pending();
  }

  void unpack(const Part& part) {
    PartReader reader(part);
    std::vector<int64_t> costs(2);
    reader.get(costs);
    std::vector<InjectionTally> found;
    for (size_t s = 0; s < sites_.size(); ++s) {
      found.push_back(get_injection_tally(reader, graph_.classes(), inputs_));
    }
    std::map<int64_t, std::vector<Outcome>> outcomes;
    if (progress_.faults) {
      for (const int64_t unit : part.units) outcomes[unit] = get_outcomes(reader);
    }
    reader.finish();
    outcomes_.merge(outcomes);
    result_.probes += costs[0];
    result_.macs += costs[1];
    for (size_t s = 0; s < sites_.size(); ++s) {
      for (const int64_t faults : found[s].faults) done_ += faults;
      result_.sites[s].tally.merge(found[s]);
    }
  }

  const Graph& graph_;
  const Dataset& data_;
  const InjectOptions& options_;
  const InjectProgress& progress_;
  UnitLog& log_;
  FaultPlan plan_;
  std::vector<Site> sites_;
  int threads_;
  int64_t cache_;  // of the probers
  int64_t inputs_;
  std::vector<std::unique_ptr<Prober>> probers_;  // one per thread
  std::optional<StoredFaults> stored_;
  std::unique_ptr<InjectionUnits> units_;
  std::map<int64_t, std::vector<Outcome>> outcomes_;  // of this round's units, out of parts

  // These change with the log's lock held.
  Injection result_;
  std::vector<InjectionTally> pending_;  // found since the last part was written
  ProbeCosts pending_costs_;
  std::map<int64_t, std::vector<Outcome>> pending_outcomes_;
  int64_t done_ = 0;

  std::mutex mutex_;  // of what follows
  std::map<int64_t, std::vector<InjectedFault>> waiting_;
  int64_t next_ = 0;
};

}  // namespace

InjectOptions parse_inject_options(const std::string& text, uint64_t seed) {
  InjectOptions options;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    options.plan = {json.at("plan"), json.at("margin"), json.at("confidence"),
                    json.value("until_margin", false)};
    options.prober = json.at("prober") == "region" ? "region" : "suffix";
    options.stored = {json.value("format", "float32"), json.value("fault", "flip")};
    if (options.plan.kind == "list") {
      options.plan.kind = "input";  // the list replaces it
    } else {
      options.sites = json.at("sites");
      options.neurons = json.at("neurons");
      options.inputs = json.at("inputs");
    }
  } catch (const nlohmann::json::exception& error) {
    fail("options", "cannot be understood: {}", error.what());
  }
  options.seed = seed;
  return options;
}

Injection inject(const Graph& graph, const Dataset& data, const InjectOptions& options,
                 const FaultList* list, const InjectProgress& progress, UnitLog* log) {
  check_data(graph, data);
  UnitLog none;
  return Injector(graph, data, options, list, progress, log ? *log : none).run();
}

Shard inject_shard(const Graph& graph, const Dataset& data, const InjectOptions& options,
                   const FaultList* list, const InjectProgress& progress, UnitLog& log) {
  check_data(graph, data);
  return Injector(graph, data, options, list, progress, log).shard();
}

}  // namespace vigor
