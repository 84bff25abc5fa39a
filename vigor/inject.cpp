#include "inject.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bit_flip.h"
#include "error.h"
#include "fault_plan.h"
#include "workers.h"

namespace vigor {

namespace {

/// Faults of one item of work, about.
constexpr int64_t kItemFaults = 65536;
/// Of a space, before the first look at the interval; each round doubles them.
constexpr int64_t kFirstRound = 128;

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
  nlohmann::json json{
      {"plan", plan.kind}, {"margin", plan.margin}, {"confidence", plan.confidence}};
  if (list) {
    json["faults_sha256"] = list->sha256;
  } else {
    json.update({{"sites", options.sites},
                 {"neurons", options.neurons},
                 {"inputs", options.inputs},
                 {"until_margin", plan.until_margin}});
  }
  return json.dump();
}

class Injector {
 public:
  Injector(const Graph& graph, const Dataset& data, const InjectOptions& options,
           const FaultList* list, const InjectProgress& progress)
      : graph_(graph),
        data_(data),
        options_(options),
        list_(list),
        progress_(progress),
        plan_(checked_plan(options.plan, list)),
        per_input_(plan_.kind == "input" || plan_.kind == "exhaustive"),
        threads_(options.threads > 0 ? options.threads : available_cores()),
        inputs_(options.inputs > 0 ? std::min(options.inputs, data.size()) : data.size()),
        block_(inputs_per_block(graph)) {
    if (list) {
      sites_ = list->sites;
      inputs_ = 0;
      for (const ListedFault& fault : list->faults) inputs_ = std::max(inputs_, fault.input + 1);
    } else {
      sites_ = select_sites(graph, options.sites);
      if (!options.neurons.empty()) sample_neurons(sites_, options.neurons, options.seed);
    }
    for (int worker = 0; worker < threads_; ++worker) {
      probers_.push_back(make_prober(options.prober, graph, sites_, options.lanes));
    }
  }

  Injection run() {
    const auto begin = std::chrono::steady_clock::now();
    read_all_inputs();
    for (const Site& site : sites_) {
      result_.sites.push_back(
          {describe_site(graph_, site), InjectionTally(graph_.classes(), inputs_)});
    }
    if (list_) {
      planned_ = static_cast<int64_t>(list_->faults.size());
      run_list();
    } else {
      plan_groups();
      while (begin_round()) run_round();
    }
    for (const auto& prober : probers_) {
      result_.probes += prober->costs().probes;
      result_.macs += prober->costs().macs;
    }
    result_.provenance.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  // Sites that share a plan; their faults are one space for all inputs, or one for each input.
  struct Group {
    FaultSpace space;
    int32_t first_site, site_count;
    int64_t planned;           // faults to draw of a space
    int64_t from = 0, to = 0;  // numbers of this round
    std::vector<bool> done;    // by input, or of the one space
  };
  // Faults number [from, to) of a group's spaces, as far as they are in the block bound.
  struct Item {
    size_t group;
    int64_t from, to;
  };

  // The golden run of a block; the last one is kept.
  const Golden& golden(int64_t first, Sha256* hash = nullptr) {
    if (!golden_ || golden_->first() != first) {
      golden_.reset();
      golden_ = std::make_unique<Golden>(
          golden_run(graph_, data_, first, std::min(block_, inputs_ - first), hash));
      for (const auto& prober : probers_) prober->bind(*golden_);
    }
    return *golden_;
  }

  // Which inputs count must be known before faults are drawn over all of them.
  void read_all_inputs() {
    static_cast<RunHead&>(result_) = describe_run(graph_, data_);
    result_.plan = plan_;
    result_.options = canonical(options_, plan_, list_);
    result_.method = "injection";
    result_.seed = options_.seed;
    result_.provenance.threads = threads_;
    Sha256 hash;
    for (int64_t first = 0; first < inputs_; first += block_) {
      add_inputs(result_, golden(first, &hash), data_);
    }
    result_.data_sha256 = hash.hex();
    for (int64_t i = 0; i < inputs_; ++i) {
      if (result_.golden_class[static_cast<size_t>(i)] >= 0) counted_.push_back(i);
    }
    if (counted_.empty()) {
      fail("data", "got no input whose golden run is finite, of {}", inputs_);
    }
  }

  void plan_groups() {
    const auto sites = static_cast<int32_t>(sites_.size());
    const int32_t step = plan_.kind == "model" ? sites : 1;
    const auto inputs = static_cast<int64_t>(counted_.size());
    for (int32_t s = 0; s < sites; s += step) {
      FaultSpace space(sites_, s, step, per_input_ ? 1 : inputs);
      const int64_t size = space.size();
      const int64_t planned =
          plan_.kind == "exhaustive" ? size : sample_size(size, plan_.margin, plan_.confidence);
      const int64_t spaces = per_input_ ? inputs : 1;
      planned_ += planned * spaces;
      groups_.push_back({std::move(space), s, step, planned, 0, 0,
                         std::vector<bool>(static_cast<size_t>(spaces), false)});
    }
  }

  // The numbers of the next round: all that are planned or, where the interval may end it earlier,
  // as many again as were drawn. False when nothing is left.
  bool begin_round() {
    bool any = false;
    for (Group& group : groups_) {
      if (group.to > 0) note_done(group);
      group.from = group.to;
      if (std::find(group.done.begin(), group.done.end(), false) == group.done.end()) continue;
      group.to = plan_.until_margin ? std::min(group.planned, std::max(kFirstRound, 2 * group.from))
                                    : group.planned;
      any |= group.to > group.from;
    }
    return any;
  }

  void note_done(Group& group) {
    for (size_t i = 0; i < group.done.size(); ++i) {
      if (group.done[i]) continue;
      int64_t faults = 0, critical = 0;
      for (int32_t s = group.first_site; s < group.first_site + group.site_count; ++s) {
        const InjectionSite& site = result_.sites[static_cast<size_t>(s)];
        const auto input = static_cast<size_t>(counted_[i]);
        faults += per_input_ ? site.tally.input_faults[input] : total(site, FaultCount::kFaults);
        critical +=
            per_input_ ? site.tally.input_critical[input] : total(site, FaultCount::kCritical);
      }
      const auto trials = static_cast<double>(faults);
      const Interval interval =
          wilson(static_cast<double>(critical) / trials,
                 effective_trials(trials, static_cast<double>(group.space.size())),
                 normal_deviate(plan_.confidence));
      group.done[i] = group.to >= group.planned || interval.high - interval.low <= 2 * plan_.margin;
    }
  }

  void run_round() {
    size_t first_rank = 0;
    for (int64_t first = 0; first < inputs_; first += block_) {
      size_t end_rank = first_rank;
      while (end_rank < counted_.size() && counted_[end_rank] < first + block_) ++end_rank;
      const std::vector<Item> items = items_of(first_rank, end_rank);
      if (!items.empty()) {
        const Golden& golden = this->golden(first);
        run_items(golden, static_cast<int64_t>(items.size()), [&](int64_t item) {
          return draw(items[static_cast<size_t>(item)], golden, first_rank, end_rank);
        });
      }
      first_rank = end_rank;
    }
  }

  // Cuts of about the same number of faults, from the plan alone.
  std::vector<Item> items_of(size_t first_rank, size_t end_rank) const {
    std::vector<Item> items;
    if (first_rank == end_rank) return items;
    const auto here = static_cast<int64_t>(end_rank - first_rank);
    const auto all = static_cast<int64_t>(counted_.size());
    const int64_t width =
        std::max<int64_t>(per_input_ ? kItemFaults / here : kItemFaults * all / here, 1);
    for (size_t g = 0; g < groups_.size(); ++g) {
      const Group& group = groups_[g];
      for (int64_t from = group.from; from < group.to; from += width) {
        items.push_back({g, from, std::min(group.to, from + width)});
      }
    }
    return items;
  }

  std::vector<InjectedFault> draw(const Item& item, const Golden& golden, size_t first_rank,
                                  size_t end_rank) const {
    const Group& group = groups_[item.group];
    const auto size = static_cast<uint64_t>(group.space.size());
    const auto site =
        group.site_count == 1
            ? static_cast<uint64_t>(sites_[static_cast<size_t>(group.first_site)].tensor) + 1
            : 0;
    std::vector<InjectedFault> faults;
    const auto add = [&](const FaultPlace& place, int64_t input) {
      const float a = golden.value(sites_[static_cast<size_t>(place.site)].tensor, place.element,
                                   input - golden.first());
      faults.push_back(
          {input, place.site, place.element, place.bit, flip_bit(a, place.bit), Outcome()});
    };
    if (!per_input_) {
      const Permutation order(size, options_.seed, site);
      for (int64_t i = item.from; i < item.to; ++i) {
        const FaultPlace place =
            group.space.at(static_cast<int64_t>(order(static_cast<uint64_t>(i))));
        const auto rank = static_cast<size_t>(place.input);
        if (rank >= first_rank && rank < end_rank) add(place, counted_[rank]);
      }
      return faults;
    }
    for (size_t rank = first_rank; rank < end_rank; ++rank) {
      if (group.done[rank]) continue;
      const int64_t input = counted_[rank];
      const Permutation order(size, options_.seed, (static_cast<uint64_t>(input) + 1) << 24 | site);
      for (int64_t i = item.from; i < item.to; ++i) {
        const int64_t number =
            plan_.kind == "exhaustive" ? i : static_cast<int64_t>(order(static_cast<uint64_t>(i)));
        add(group.space.at(number), input);
      }
    }
    return faults;
  }

  void run_list() {
    std::vector<std::vector<size_t>> blocks(static_cast<size_t>((inputs_ + block_ - 1) / block_));
    for (size_t f = 0; f < list_->faults.size(); ++f) {
      const int64_t input = list_->faults[f].input;
      if (result_.golden_class[static_cast<size_t>(input)] >= 0) {
        blocks[static_cast<size_t>(input / block_)].push_back(f);
      }
    }
    for (size_t b = 0; b < blocks.size(); ++b) {
      const auto count = static_cast<int64_t>(blocks[b].size());
      if (count == 0) continue;
      const Golden& golden = this->golden(static_cast<int64_t>(b) * block_);
      run_items(golden, (count + kItemFaults - 1) / kItemFaults, [&](int64_t item) {
        std::vector<InjectedFault> faults;
        for (int64_t i = item * kItemFaults; i < std::min(count, (item + 1) * kItemFaults); ++i) {
          const ListedFault& listed = list_->faults[blocks[b][static_cast<size_t>(i)]];
          const float a = golden.value(sites_[static_cast<size_t>(listed.site)].tensor,
                                       listed.element, listed.input - golden.first());
          faults.push_back({listed.input, listed.site, listed.element, listed.bit,
                            listed.bit < 0 ? listed.value : flip_bit(a, listed.bit), Outcome()});
        }
        return faults;
      });
    }
  }

  void run_items(const Golden& golden, int64_t items,
                 const std::function<std::vector<InjectedFault>(int64_t item)>& make) {
    next_ = 0;
    share_work(threads_, items, [&](int worker, int64_t item) {
      std::vector<InjectedFault> injected = make(item);
      std::vector<Fault> faults;
      faults.reserve(injected.size());
      for (const InjectedFault& fault : injected) {
        faults.push_back({static_cast<int32_t>(fault.input - golden.first()), fault.site,
                          fault.element, fault.value});
      }
      std::vector<Outcome> outcomes(faults.size());
      probers_[static_cast<size_t>(worker)]->run(faults, outcomes);
      for (size_t f = 0; f < faults.size(); ++f) injected[f].outcome = outcomes[f];
      finish(item, std::move(injected));
    });
  }

  void finish(int64_t item, std::vector<InjectedFault> faults) {
    const std::lock_guard lock(mutex_);
    for (const InjectedFault& fault : faults) {
      const auto input = static_cast<size_t>(fault.input);
      result_.sites[static_cast<size_t>(fault.site)].tally.add(
          fault.input, result_.golden_class[input], result_.label[input], fault.bit, fault.outcome);
    }
    done_ += static_cast<int64_t>(faults.size());
    if (progress_.advance) {
      progress_.advance(static_cast<double>(done_) / static_cast<double>(planned_));
    }
    if (!progress_.faults) return;
    waiting_[item] = std::move(faults);
    for (auto at = waiting_.find(next_); at != waiting_.end(); at = waiting_.find(++next_)) {
      progress_.faults(at->second, sites_);
      waiting_.erase(at);
    }
  }

  const Graph& graph_;
  const Dataset& data_;
  const InjectOptions& options_;
  const FaultList* list_;
  const InjectProgress& progress_;
  FaultPlan plan_;
  bool per_input_;
  int threads_;
  int64_t inputs_, block_;
  std::vector<Site> sites_;
  std::vector<std::unique_ptr<Prober>> probers_;  // one per thread
  std::unique_ptr<Golden> golden_;
  std::vector<int64_t> counted_;  // inputs whose golden run is finite, ascending
  std::vector<Group> groups_;
  int64_t planned_ = 0, done_ = 0;
  std::mutex mutex_;                                       // of what follows, and done_
  std::map<int64_t, std::vector<InjectedFault>> waiting_;  // items done before those ahead of them
  int64_t next_ = 0;
  Injection result_;
};

}  // namespace

Injection inject(const Graph& graph, const Dataset& data, const InjectOptions& options,
                 const FaultList* list, const InjectProgress& progress) {
  check_data(graph, data);
  return Injector(graph, data, options, list, progress).run();
}

}  // namespace vigor
