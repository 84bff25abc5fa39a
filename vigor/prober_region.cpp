// Runs only what a fault changes, for many faults of one neuron at once.
//
// A batch's lanes see either the golden block (lane l: input l modulo the block's inputs) or one
// input in every lane; whichever fills its batches better. Lanes whose changes have died out leave
// the batch. No outcome depends on any of this. Faults whose margin is too small to be sure of the
// class are run again by the suffix prober.
#include <algorithm>
#include <cmath>
#include <deque>
#include <tuple>
#include <unordered_map>

#include "kernels/kernels.h"
#include "prober.h"
#include "region_plan.h"

namespace vigor {

namespace {

// Plans kept for the neurons of one site, by their tables' size.
constexpr int64_t kMostPlanBytes = int64_t{64} << 20;

class RegionProber final : public Prober {
 public:
  RegionProber(const Graph& graph, const std::vector<Site>& sites)
      : Prober(graph, sites), logits_(static_cast<size_t>(graph.classes())) {}

 protected:
  void rebind() override {
    if (!arena_ || lanes_ != golden_->lanes()) {
      lanes_ = golden_->lanes();
      arena_ = std::make_unique<RowArena>(RegionPlanner::arena_floats(graph_, lanes_));
    }
    block_.lanes = lanes_;
    block_.tensors.resize(graph_.tensors.size());
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      block_.tensors[t] = golden_->values(static_cast<int>(t));
    }
    spread_input_ = -1;
    exact_.reset();
    look_at(-1, -1);
  }

  void probe(std::span<const Fault> faults, std::span<const int64_t> which,
             std::span<Outcome> outcomes) override {
    close_.clear();
    run_regions(faults, which, outcomes);
    if (close_.empty()) return;
    // Sums that start from golden ones are off in the last bits: these few decide a class.
    if (!exact_) {
      exact_ = make_suffix_prober(graph_, sites_, std::min(lanes_, 64));
      exact_->bind(*golden_);
    }
    std::vector<Fault> again;
    for (const int64_t i : close_) again.push_back(faults[static_cast<size_t>(i)]);
    std::vector<Outcome> exact(again.size());
    const int64_t before = exact_->costs().macs;
    exact_->run(again, exact);
    costs_.macs += exact_->costs().macs - before;
    for (size_t i = 0; i < exact.size(); ++i) {
      outcomes[static_cast<size_t>(close_[i])] = exact[i];
    }
  }

 private:
  // A fault in the order of the work: by what it shares a batch with.
  struct Item {
    uint64_t group;  // site and neuron
    int32_t input;
    float size;  // of the deviation
    int64_t fault;
  };

  void run_regions(std::span<const Fault> faults, std::span<const int64_t> which,
                   std::span<Outcome> outcomes) {
    items_.clear();
    for (const int64_t i : which) {
      const Fault& f = faults[static_cast<size_t>(i)];
      const int tensor = sites_[static_cast<size_t>(f.site)].tensor;
      const float a = golden_->value(tensor, f.element, f.input);
      items_.push_back({static_cast<uint64_t>(f.site) << 40 | static_cast<uint64_t>(f.element),
                        f.input, std::abs(f.value - a), i});
    }
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
      return std::tie(a.group, a.input, a.fault) < std::tie(b.group, b.input, b.fault);
    });
    const bool by_input = batches_by_input() < batches_by_block();
    if (by_input) {
      // Small deviations die out together: they share vectors.
      std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
        return std::tie(a.input, a.group, a.size, a.fault) <
               std::tie(b.input, b.group, b.size, b.fault);
      });
    }
    for_groups(
        [&](const Item& a, const Item& b) {
          return a.group == b.group && (!by_input || a.input == b.input);
        },
        [&](std::span<const Item> group) {
          look_at(faults[static_cast<size_t>(group[0].fault)].site, by_input ? group[0].input : -1);
          run_group(faults, group, outcomes);
        });
  }

  template <typename Same, typename Work>
  void for_groups(Same same, Work work) const {
    for (size_t first = 0; first < items_.size();) {
      size_t last = first + 1;
      while (last < items_.size() && same(items_[first], items_[last])) ++last;
      work(std::span(items_).subspan(first, last - first));
      first = last;
    }
  }

  // Batches if lanes are bound to the block's inputs: a neuron's batches are those of its busiest
  // input. Items are by neuron, then input.
  int64_t batches_by_block() const {
    int64_t batches = 0;
    const int64_t lanes_per_input = lanes_ / golden_->count();
    for_groups([](const Item& a, const Item& b) { return a.group == b.group; },
               [&](std::span<const Item> group) {
                 int64_t most = 0;
                 int64_t run = 0;
                 int32_t input = -1;
                 for (const Item& item : group) {
                   run = item.input == input ? run + 1 : 1;
                   input = item.input;
                   most = std::max(most, run);
                 }
                 batches += (most + lanes_per_input - 1) / lanes_per_input;
               });
    return batches;
  }

  // Batches if every lane sees the same input, the spreading of its golden run counted as some.
  int64_t batches_by_input() const {
    if (golden_->count() == 1) return 0;  // nothing to spread, and sorted by size
    constexpr int64_t kSpread = 64;
    int64_t batches = 0;
    std::vector<bool> seen(static_cast<size_t>(golden_->count()), false);
    for_groups(
        [](const Item& a, const Item& b) { return a.group == b.group && a.input == b.input; },
        [&](std::span<const Item> group) {
          const auto input = static_cast<size_t>(group[0].input);
          batches += (static_cast<int64_t>(group.size()) + lanes_ - 1) / lanes_;
          if (!seen[input]) batches += kSpread;
          seen[input] = true;
        });
    return batches;
  }

  // Makes the planner for a site, its lanes showing one input or, for -1, the golden block.
  void look_at(int32_t site, int32_t input) {
    if (golden_->count() == 1) input = -1;  // the block shows it in every lane
    if (planner_ && site == site_ && input == input_) return;
    plans_.clear();
    oldest_.clear();
    plan_bytes_ = 0;
    planner_.reset();
    site_ = site;
    input_ = input;
    if (site < 0) return;
    if (input >= 0 && input != spread_input_) spread(input);
    planner_ = std::make_unique<RegionPlanner>(graph_, sites_[static_cast<size_t>(site)].tensor,
                                               input < 0 ? block_ : spread_, *arena_);
  }

  void spread(int32_t input) {
    spread_.lanes = lanes_;
    spread_.tensors.assign(graph_.tensors.size(), nullptr);
    spread_rows_.resize(graph_.tensors.size());
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (graph_.tensors[t].storage != static_cast<int>(t)) continue;
      auto& rows = spread_rows_[t];
      rows.resize(static_cast<size_t>(graph_.tensors[t].size * lanes_));
      for (int64_t e = 0; e < graph_.tensors[t].size; ++e) {
        std::fill_n(rows.data() + e * lanes_, lanes_, block_.tensors[t][e * lanes_ + input]);
      }
      spread_.tensors[t] = rows.data();
    }
    spread_input_ = input;
  }

  const RegionPlan& plan_of(int64_t element) {
    auto& slot = plans_[element];
    if (slot) return *slot;
    slot = planner_->plan(element);
    const RegionPlan& plan = *slot;
    plan_bytes_ += plan.bytes();
    oldest_.push_back(element);
    while (plan_bytes_ > kMostPlanBytes && oldest_.size() > 1) {
      const auto old = plans_.find(oldest_.front());
      plan_bytes_ -= old->second->bytes();
      plans_.erase(old);
      oldest_.pop_front();
    }
    return plan;
  }

  // All faults of one neuron, in as many batches as it takes.
  void run_group(std::span<const Fault> faults, std::span<const Item> group,
                 std::span<Outcome> outcomes) {
    const RegionPlan& plan = plan_of(faults[static_cast<size_t>(group[0].fault)].element);
    running_.resize(static_cast<size_t>(lanes_));
    if (input_ >= 0 || golden_->count() == 1) {
      for (size_t next = 0; next < group.size();) {
        for (int64_t& fault : running_) fault = next < group.size() ? group[next++].fault : -1;
        run_batch(plan, faults, outcomes);
      }
      return;
    }
    // Lane l takes the next fault of input l modulo the inputs. `group` is by input.
    const auto inputs = static_cast<size_t>(golden_->count());
    next_.assign(inputs, 0);
    end_.assign(inputs, 0);
    for (size_t i = 0; i < group.size(); ++i) {
      const auto input = static_cast<size_t>(group[i].input);
      if (end_[input] == 0) next_[input] = i;
      end_[input] = i + 1;
    }
    for (size_t left = group.size(); left > 0;) {
      for (size_t lane = 0; lane < running_.size(); ++lane) {
        size_t& next = next_[lane % inputs];
        const bool any = next < end_[lane % inputs];
        running_[lane] = any ? group[next].fault : -1;
        if (any) {
          ++next;
          --left;
        }
      }
      run_batch(plan, faults, outcomes);
    }
  }

  void run_batch(const RegionPlan& plan, std::span<const Fault> faults,
                 std::span<Outcome> outcomes) {
    const Kernels& set = kernels();
    const auto lanes = static_cast<size_t>(lanes_);
    nan_.assign(lanes, 0);
    alive_.resize(lanes);
    for (size_t l = 0; l < lanes; ++l) {
      alive_[l] = running_[l] >= 0;
      plan.neuron()[l] =
          alive_[l] ? faults[static_cast<size_t>(running_[l])].value : plan.golden_neuron()[l];
    }
    LaneRange range = hull(0, lanes_);
    int64_t count = std::count(alive_.begin(), alive_.end(), 1);
    for (const RegionPlan::Step& step : plan.steps()) {
      if (!step.compared.empty()) {
        different_.assign(lanes, 0);
        for (const auto& [changed, golden] : step.compared) {
          set.find_different(changed + range.first, golden + range.first, range.count,
                             different_.data() + range.first);
        }
        for (size_t l = 0; l < lanes; ++l) alive_[l] &= different_[l];
        range = hull(range.first, range.first + range.count);
        count = std::count(alive_.begin(), alive_.end(), 1);
        if (count == 0) break;
      }
      step.work->run(range);
      costs_.macs += step.work->macs() * count;
      set.find_nan(step.values + range.first, step.rows, lanes_, range.count,
                   nan_.data() + range.first);
    }
    for (size_t l = 0; l < lanes; ++l) {
      if (running_[l] < 0) continue;
      const Fault& fault = faults[static_cast<size_t>(running_[l])];
      const bool died_out = alive_[l] == 0;
      for (size_t c = 0; c < logits_.size(); ++c) {
        logits_[c] = died_out ? golden_->value(graph_.logits, static_cast<int64_t>(c), fault.input)
                              : plan.logits()[c][l];
      }
      Outcome& outcome = outcomes[static_cast<size_t>(running_[l])];
      outcome = judge(logits_.data(), 1, fault.input, nan_[l] != 0);
      if (died_out || outcome.nan) continue;
      const float tau = 0x1p-14F * std::max(largest(logits_), golden_largest(fault.input));
      if (!(std::abs(outcome.margin) > tau)) close_.push_back(running_[l]);
    }
  }

  static float largest(const std::vector<float>& logits) {
    float most = 0;
    for (const float logit : logits) most = std::max(most, std::abs(logit));
    return most;
  }

  float golden_largest(int32_t input) const {
    float most = 0;
    for (int64_t c = 0; c < graph_.classes(); ++c) {
      most = std::max(most, std::abs(golden_->value(graph_.logits, c, input)));
    }
    return most;
  }

  // The least range of whole vectors in [first, last) that holds every living lane.
  LaneRange hull(int first, int last) const {
    while (first < last && !any_alive(first)) first += kLaneStep;
    while (first < last && !any_alive(last - kLaneStep)) last -= kLaneStep;
    return {first, last - first, lanes_};
  }
  bool any_alive(int first) const {
    return std::any_of(alive_.begin() + first, alive_.begin() + first + kLaneStep,
                       [](uint8_t alive) { return alive != 0; });
  }

  int lanes_ = 0;
  GoldenRows block_, spread_;
  std::vector<std::vector<float>> spread_rows_;
  int32_t spread_input_ = -1;
  std::unique_ptr<RowArena> arena_;
  int32_t site_ = -1, input_ = -1;  // of planner_ and plans_
  std::unique_ptr<RegionPlanner> planner_;
  std::unordered_map<int64_t, std::unique_ptr<RegionPlan>> plans_;  // by neuron
  std::deque<int64_t> oldest_;                                      // neurons, oldest plan first
  int64_t plan_bytes_ = 0;
  std::vector<Item> items_;
  std::vector<int64_t> running_;  // fault of each lane, or -1
  std::vector<size_t> next_, end_;
  std::vector<uint8_t> nan_, alive_, different_;
  std::vector<float> logits_;
  std::vector<int64_t> close_;     // faults whose margin is within tau (METHOD section 7)
  std::unique_ptr<Prober> exact_;  // runs those
};

}  // namespace

std::unique_ptr<Prober> make_region_prober(const Graph& graph, const std::vector<Site>& sites) {
  return std::make_unique<RegionProber>(graph, sites);
}

}  // namespace vigor
