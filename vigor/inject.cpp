#include "inject.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "error.h"
#include "hash.h"
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
        group_(log.group()),
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
    describe_group(result_.provenance, group_, threads_);
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
    log_.bind(part_head(result_, log_.source(), kept()), [this](Part& part) { pack(part); });
    for (int64_t round = 0; units_->begin_round(result_.sites); ++round) {
      run_round(round);
      share_counts();
    }
  }

  // What the findings hold or depend on, beside the options.
  std::string kept() const {
    std::string text = progress_.faults ? "outcomes" : "";
    if (options_.chosen.empty()) return text;
    nlohmann::json json;
    for (const Site& site : sites_) json.push_back({site.tensor, site.neurons});
    return text + " of neurons " + sha256(json.dump());
  }

  void run_round(int64_t round) {
    outcomes_.clear();
    waiting_.clear();
    next_ = 0;
    log_.begin(round, units_->count(), [this](const Part& part) { unpack(part); });
    order_.clear();
    for (int64_t unit = 0; unit < units_->count(); ++unit) {
      if (log_.todo(unit) || (!group_.many() && outcomes_.contains(unit))) order_.push_back(unit);
    }
    const int64_t before = planned_before_;
    planned_before_ += units_->faults();
    log_.run_units(order_,
                   {threads_, [this](int64_t unit) { return units_->first_input(unit); },
                    [this](int64_t unit) { open_block(unit); },
                    [this](int worker, int64_t unit) { do_unit(worker, unit); }},
                   [&](double share) {
                     const double done = static_cast<double>(before) +
                                         share * static_cast<double>(units_->faults());
                     if (progress_.advance) {
                       progress_.advance(done / static_cast<double>(units_->planned()));
                     }
                   });
    log_.end();
    if (group_.many() && group_.rank() == 0 && progress_.faults) show_faults();
  }

  // The golden run of a unit's block of inputs.
  void open_block(int64_t unit) {
    golden_.reset();
    golden_.emplace(golden_block(graph_, data_, units_->first_input(unit), inputs_));
    while (std::ssize(probers_) < threads_) {
      probers_.push_back(make_prober(options_.prober, graph_, sites_, options_.lanes, cache_));
    }
    for (const auto& prober : probers_) prober->bind(*golden_);
  }

  void do_unit(int worker, int64_t unit) {
    // Other ranks' outcomes come in meanwhile, of other units.
    if (!group_.many() && outcomes_.contains(unit)) return show_unit(unit);
    std::vector<InjectedFault> faults = units_->draw(unit, *golden_);
    run_unit(*probers_[static_cast<size_t>(worker)], unit, faults);
    if (!group_.many()) hand_over(unit, std::move(faults));
  }

  // Faults whose outcomes are known.
  void show_unit(int64_t unit) {
    std::vector<InjectedFault> faults = units_->draw(unit, *golden_);
    const std::vector<Outcome>& known = outcomes_.at(unit);
    if (known.size() != faults.size()) fail("parts", "unit {} has other faults", unit);
    for (size_t f = 0; f < faults.size(); ++f) faults[f].outcome = known[f];
    hand_over(unit, std::move(faults));
  }

  // At rank 0, once it has the outcomes of all ranks: the round's faults, drawn again.
  void show_faults() {
    order_.clear();
    for (const auto& [unit, outcomes] : outcomes_) order_.push_back(unit);
    for (auto first = order_.begin(); first != order_.end();) {
      const int64_t input = units_->first_input(*first);
      const auto end = std::find_if(
          first, order_.end(), [&](int64_t unit) { return units_->first_input(unit) != input; });
      open_block(*first);
      share_work(threads_, end - first, [&](int, int64_t item) { show_unit(first[item]); });
      first = end;
    }
  }

  // Where the counts so far decide what the next round does: rank 0 has those of all ranks.
  void share_counts() {
    if (!plan_.until_margin) return;
    for (InjectionSite& site : result_.sites) {
      InjectionTally& tally = site.tally;
      for (auto* counts :
           {&tally.faults, &tally.critical, &tally.input_faults, &tally.input_critical}) {
        group_.broadcast(std::as_writable_bytes(std::span(*counts)));
      }
    }
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
      if (!progress_.faults) return;
      if (group_.many() && group_.rank() == 0) outcomes_[unit] = outcomes;
      if (log_.keeps()) pending_outcomes_[unit] = std::move(outcomes);
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
  void hand_over(int64_t unit, std::vector<InjectedFault> faults) {
    if (!progress_.faults) return;
    const std::lock_guard lock(mutex_);
    waiting_[unit] = std::move(faults);
    for (auto at = waiting_.begin(); at != waiting_.end() && at->first == order_[next_]; ++next_) {
      progress_.faults(at->second, sites_);
      at = waiting_.erase(at);
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
    for (size_t s = 0; s < sites_.size(); ++s) result_.sites[s].tally.merge(found[s]);
  }

  const Graph& graph_;
  const Dataset& data_;
  const InjectOptions& options_;
  const InjectProgress& progress_;
  UnitLog& log_;
  Group& group_;
  FaultPlan plan_;
  std::vector<Site> sites_;
  int threads_;
  int64_t cache_;  // of the probers
  int64_t inputs_;
  std::optional<Golden> golden_;                  // of the block at work
  std::vector<std::unique_ptr<Prober>> probers_;  // one per thread
  std::optional<StoredFaults> stored_;
  std::unique_ptr<InjectionUnits> units_;
  std::vector<int64_t> order_;  // the round's units, as their faults go to the caller
  int64_t planned_before_ = 0;  // faults of the rounds before

  // These change with the log's lock held.
  Injection result_;
  // Of this round's units: out of parts and, at rank 0 of many, found here.
  std::map<int64_t, std::vector<Outcome>> outcomes_;
  std::vector<InjectionTally> pending_;  // found since the last part was written
  ProbeCosts pending_costs_;
  std::map<int64_t, std::vector<Outcome>> pending_outcomes_;

  std::mutex mutex_;  // of what follows
  std::map<int64_t, std::vector<InjectedFault>> waiting_;
  size_t next_ = 0;  // in order_
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
