#include "injection_units.h"

#include <algorithm>

#include "bit_flip.h"

namespace vigor {

namespace {

/// Faults of a unit, about.
constexpr int64_t kUnitFaults = 65536;
/// Of a space, before the first look at the interval; each round doubles them.
constexpr int64_t kFirstRound = 128;

}  // namespace

InjectionUnits::InjectionUnits(const std::vector<Site>& sites, const RunHead& head,
                               const FaultPlan& plan, const StoredFaults& stored,
                               const FaultList* list, int64_t inputs_per_block)
    : sites_(sites),
      head_(head),
      plan_(plan),
      stored_(stored),
      list_(list),
      per_input_(plan.kind == "input" || plan.kind == "exhaustive"),
      block_(inputs_per_block) {
  const auto inputs = std::ssize(head.golden_class);
  for (int64_t i = 0; i < inputs; ++i) {
    if (i % block_ == 0) rank_.push_back(counted_.size());
    if (head.golden_class[static_cast<size_t>(i)] >= 0) counted_.push_back(i);
  }
  rank_.push_back(counted_.size());
  if (!list) {
    plan_groups();
    return;
  }
  planned_ = std::ssize(list->faults);
  blocks_.resize(rank_.size() - 1);
  for (size_t f = 0; f < list->faults.size(); ++f) {
    const int64_t input = list->faults[f].input;
    if (head.golden_class[static_cast<size_t>(input)] >= 0) {
      blocks_[static_cast<size_t>(input / block_)].push_back(f);
    }
  }
}

void InjectionUnits::plan_groups() {
  const auto sites = static_cast<int32_t>(sites_.size());
  const int32_t step = plan_.kind == "model" ? sites : 1;
  const auto inputs = std::ssize(counted_);
  for (int32_t s = 0; s < sites; s += step) {
    FaultSpace space(sites_, s, step, per_input_ ? 1 : inputs, stored_.places());
    const int64_t size = space.size();
    const int64_t planned =
        plan_.kind == "exhaustive" ? size : sample_size(size, plan_.margin, plan_.confidence);
    const int64_t spaces = per_input_ ? inputs : 1;
    planned_ += planned * spaces;
    groups_.push_back({std::move(space), s, step, planned, 0, 0,
                       std::vector<bool>(static_cast<size_t>(spaces), false)});
  }
}

bool InjectionUnits::begin_round(const std::vector<InjectionSite>& found) {
  if (list_) return list_units();
  units_.clear();
  faults_ = 0;
  for (Group& group : groups_) {
    if (group.to > 0) note_done(group, found);
    group.from = group.to;
    if (std::find(group.done.begin(), group.done.end(), false) == group.done.end()) continue;
    group.to = plan_.until_margin ? std::min(group.planned, std::max(kFirstRound, 2 * group.from))
                                  : group.planned;
    faults_ += (group.to - group.from) * std::count(group.done.begin(), group.done.end(), false);
  }
  for (size_t block = 0; block + 1 < rank_.size(); ++block) {
    const auto inputs = static_cast<int64_t>(rank_[block + 1] - rank_[block]);
    if (inputs > 0) cut(static_cast<int64_t>(block), inputs);
  }
  return !units_.empty();
}

void InjectionUnits::note_done(Group& group, const std::vector<InjectionSite>& found) {
  for (size_t i = 0; i < group.done.size(); ++i) {
    if (group.done[i]) continue;
    int64_t faults = 0, critical = 0;
    for (int32_t s = group.first_site; s < group.first_site + group.site_count; ++s) {
      const InjectionSite& site = found[static_cast<size_t>(s)];
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

// Cuts of about the same number of faults, from the plan alone.
void InjectionUnits::cut(int64_t block, int64_t inputs) {
  const auto all = std::ssize(counted_);
  const int64_t width =
      std::max<int64_t>(per_input_ ? kUnitFaults / inputs : kUnitFaults * all / inputs, 1);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    for (int64_t from = group.from; from < group.to; from += width) {
      units_.push_back({block, g, from, std::min(group.to, from + width)});
    }
  }
}

bool InjectionUnits::list_units() {
  if (!units_.empty()) return false;
  faults_ = planned_;
  for (size_t block = 0; block < blocks_.size(); ++block) {
    const auto count = std::ssize(blocks_[block]);
    for (int64_t from = 0; from < count; from += kUnitFaults) {
      units_.push_back({static_cast<int64_t>(block), 0, from, std::min(count, from + kUnitFaults)});
    }
  }
  return !units_.empty();
}

std::vector<InjectedFault> InjectionUnits::draw(int64_t number, const Golden& golden) const {
  const Unit& unit = at(number);
  if (list_) return listed(unit, golden);
  const Group& group = groups_[unit.group];
  const size_t first_rank = rank_[static_cast<size_t>(unit.block)];
  const size_t end_rank = rank_[static_cast<size_t>(unit.block) + 1];
  const auto size = static_cast<uint64_t>(group.space.size());
  const auto site =
      group.site_count == 1
          ? static_cast<uint64_t>(sites_[static_cast<size_t>(group.first_site)].tensor) + 1
          : 0;
  std::vector<InjectedFault> faults;
  const auto add = [&](const FaultPlace& place, int64_t input) {
    const float a = golden.value(sites_[static_cast<size_t>(place.site)].tensor, place.element,
                                 input - golden.first());
    faults.push_back({input, place.site, place.element, stored_.fault().bit(place.place),
                      stored_.faulty(place.site, place.element, a, place.place),
                      stored_.encoded(place.site, place.element, a), Outcome(), false});
  };
  if (!per_input_) {
    const Permutation order(size, head_.seed, site);
    for (int64_t i = unit.from; i < unit.to; ++i) {
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
    const Permutation order(size, head_.seed, (static_cast<uint64_t>(input) + 1) << 24 | site);
    for (int64_t i = unit.from; i < unit.to; ++i) {
      const int64_t place =
          plan_.kind == "exhaustive" ? i : static_cast<int64_t>(order(static_cast<uint64_t>(i)));
      add(group.space.at(place), input);
    }
  }
  return faults;
}

std::vector<InjectedFault> InjectionUnits::listed(const Unit& unit, const Golden& golden) const {
  std::vector<InjectedFault> faults;
  for (int64_t i = unit.from; i < unit.to; ++i) {
    const size_t f = blocks_[static_cast<size_t>(unit.block)][static_cast<size_t>(i)];
    const ListedFault& fault = list_->faults[f];
    const float a = golden.value(sites_[static_cast<size_t>(fault.site)].tensor, fault.element,
                                 fault.input - golden.first());
    faults.push_back({fault.input, fault.site, fault.element, fault.bit,
                      fault.bit < 0 ? fault.value : flip_bit(a, fault.bit), a, Outcome(), false});
  }
  return faults;
}

}  // namespace vigor
