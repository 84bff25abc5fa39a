// Runs only what a fault changes, many faults at once.
//
// A fault enters at its neuron's segment. Whatever of a batch still differs from the golden run at
// the end of a segment moves on to the next one, where it waits together with what other neurons
// leave there until the batch is full. Lanes see either the golden block (lane l: input l modulo
// the block's inputs) or one input in every lane; whichever fills batches better. No outcome
// depends on any of this. Faults whose margin is too small to be sure of the class are run again by
// the suffix prober.
#include <algorithm>
#include <cmath>
#include <map>

#include "aligned.h"
#include "kernels/kernels.h"
#include "prober.h"
#include "region_plan.h"

namespace vigor {

namespace {

// Segments and their batches kept at a time.
constexpr int64_t kMostBytes = int64_t{64} << 20;

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
    block_.lanes = spread_.lanes = lanes_;
    block_.tensors.resize(graph_.tensors.size());
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      block_.tensors[t] = golden_->values(static_cast<int>(t));
    }
    golden_largest_.assign(static_cast<size_t>(golden_->count()), 0.0F);
    golden_outcomes_.clear();
    for (int32_t i = 0; i < golden_->count(); ++i) {
      float& most = golden_largest_[static_cast<size_t>(i)];
      for (int64_t c = 0; c < graph_.classes(); ++c) {
        most = std::max(most, std::abs(golden_->value(graph_.logits, c, i)));
      }
      const float* logits = golden_->values(graph_.logits) + i;
      for (const bool nan : {false, true})
        golden_outcomes_.push_back(judge(logits, lanes_, i, nan));
    }
    spread_input_ = -1;
    exact_.reset();
    look_at(-1, false);
  }

  void probe(std::span<const Fault> faults, std::span<const int64_t> which,
             std::span<Outcome> outcomes) override {
    faults_ = faults;
    outcomes_ = outcomes;
    close_.clear();
    run_regions(which);
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
  // A fault in the order of the work.
  struct Item {
    uint64_t key;
    int64_t fault;
  };

  // A segment, and the batch that waits for it.
  struct Stage {
    RegionState begin;
    RegionSegment segment;
    LaneFloats rows;                 // [rows of begin][lanes]
    std::vector<int64_t> fault;      // of each lane, -1 where it is free
    std::vector<uint8_t> nan;        // of each lane: met one on the way
    std::vector<int32_t> next_lane;  // per input that lanes show
    std::vector<int32_t> from, to;   // lanes on the move to the next stage
    std::vector<uint8_t> alive;      // of each lane: differs from the golden run
    Stage* next = nullptr;
    bool waiting = false;  // has faults, and is in waiting_
  };

  const Fault& fault(int64_t index) const { return faults_[static_cast<size_t>(index)]; }

  void run_regions(std::span<const int64_t> which) {
    const bool one_input = golden_->count() > 1 && fewer_by_input(which);
    items_.clear();
    for (const int64_t i : which) {
      const Fault& f = fault(i);
      const auto site = static_cast<uint64_t>(f.site);
      const auto input = static_cast<uint64_t>(one_input ? f.input : 0);
      items_.push_back({site << 48 | input << 36 | rank(f), i});
    }
    const auto by_key = [](const Item& a, const Item& b) { return a.key < b.key; };
    if (!std::is_sorted(items_.begin(), items_.end(), by_key)) {
      std::stable_sort(items_.begin(), items_.end(), by_key);
    }
    Stage* stage = nullptr;
    uint64_t key = ~uint64_t{0};
    for (const Item& item : items_) {
      const Fault& f = fault(item.fault);
      if (item.key != key) {
        key = item.key;
        look_at(f.site, one_input);
        if (one_input) spread(f.input);
        if (bytes_ > kMostBytes) forget();
        stage = &stage_at(planner_->start(f.element));
      }
      const int32_t lane = take_lane(*stage, f.input, item.fault);
      stage->rows[static_cast<size_t>(lane)] = f.value;
    }
    flush();
  }

  // Where a neuron stands in its site: neurons at one position come together, as they change the
  // same elements further on.
  uint64_t rank(const Fault& f) const {
    const Shape& shape = graph_.tensor(sites_[static_cast<size_t>(f.site)].tensor).shape;
    int64_t positions = 1;
    for (size_t d = 2; d < shape.size(); ++d) positions *= shape[d];
    const int64_t channels =
        graph_.tensor(sites_[static_cast<size_t>(f.site)].tensor).size / positions;
    return static_cast<uint64_t>(f.element % positions * channels + f.element / positions);
  }

  // Whether batches that see one input each are fewer than those that see the whole block, the
  // spreading of an input's golden run counted as some.
  bool fewer_by_input(std::span<const int64_t> which) const {
    constexpr int64_t kSpread = 64;
    const auto inputs = static_cast<size_t>(golden_->count());
    std::vector<int64_t> faults(sites_.size() * inputs, 0);
    for (const int64_t i : which) {
      ++faults[static_cast<size_t>(fault(i).site) * inputs + static_cast<size_t>(fault(i).input)];
    }
    const auto batches = [](int64_t count, int64_t lanes) { return (count + lanes - 1) / lanes; };
    int64_t by_input = 0;
    int64_t by_block = 0;
    for (size_t site = 0; site < sites_.size(); ++site) {
      const auto of_site = std::span(faults).subspan(site * inputs, inputs);
      by_block +=
          batches(*std::max_element(of_site.begin(), of_site.end()), lanes_ / golden_->count());
      for (const int64_t count : of_site)
        by_input += batches(count, lanes_) + (count > 0) * kSpread;
    }
    return by_input < by_block;
  }

  // Makes the planner for a site whose lanes show the golden block or one input.
  void look_at(int32_t site, bool one_input) {
    if (planner_ && site == site_ && one_input == one_input_) return;
    forget();
    planner_.reset();
    site_ = site;
    one_input_ = one_input;
    if (site < 0) return;
    if (one_input) allocate_spread();
    inputs_ = one_input ? 1 : static_cast<int>(golden_->count());
    planner_ = std::make_unique<RegionPlanner>(graph_, sites_[static_cast<size_t>(site)].tensor,
                                               one_input ? spread_ : block_, *arena_);
    waiting_.resize(planner_->positions());
  }

  void allocate_spread() {
    spread_.tensors.assign(graph_.tensors.size(), nullptr);
    spread_rows_.resize(graph_.tensors.size());
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (graph_.tensors[t].storage != static_cast<int>(t)) continue;
      spread_rows_[t].resize(static_cast<size_t>(graph_.tensors[t].size * lanes_));
      spread_.tensors[t] = spread_rows_[t].data();
    }
  }

  // Shows one input in every lane. Plans stay valid: they hold places, not values.
  void spread(int32_t input) {
    if (input == spread_input_) return;
    flush();
    spread_input_ = input;
    for (size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (graph_.tensors[t].storage != static_cast<int>(t)) continue;
      for (int64_t e = 0; e < graph_.tensors[t].size; ++e) {
        std::fill_n(spread_rows_[t].data() + e * lanes_, lanes_,
                    block_.tensors[t][e * lanes_ + input]);
      }
    }
  }

  Stage& stage_at(const RegionState& state) {
    std::unique_ptr<Stage>& slot = stages_[state];
    if (slot) return *slot;
    slot = std::make_unique<Stage>();
    Stage& stage = *slot;
    const auto lanes = static_cast<size_t>(lanes_);
    stage.begin = state;
    stage.rows.assign(static_cast<size_t>(state.rows()) * lanes, 0.0F);
    stage.segment = planner_->segment(state, stage.rows.data());
    stage.fault.assign(lanes, -1);
    stage.nan.assign(lanes, 0);
    stage.alive.assign(lanes, 0);
    stage.from.reserve(lanes);
    stage.to.reserve(lanes);
    stage.next_lane.resize(static_cast<size_t>(inputs_));
    free_lanes(stage);
    bytes_ += stage.segment.bytes + static_cast<int64_t>(stage.rows.size() * sizeof(float));
    return stage;
  }

  // Runs all that waits; what moves on waits further down.
  void flush() {
    for (auto& stages : waiting_) {
      for (Stage* stage : stages) {
        stage->waiting = false;
        run(*stage);
      }
      stages.clear();
    }
  }

  void forget() {
    flush();
    stages_.clear();
    bytes_ = 0;
  }

  void free_lanes(Stage& stage) const {
    for (int i = 0; i < inputs_; ++i) stage.next_lane[static_cast<size_t>(i)] = i;
    std::fill(stage.fault.begin(), stage.fault.end(), -1);
    std::fill(stage.nan.begin(), stage.nan.end(), 0);
  }

  // A free lane for the fault, or -1 where none shows its input.
  int32_t find_lane(Stage& stage, int32_t input, int64_t index) {
    int32_t& next = stage.next_lane[static_cast<size_t>(inputs_ > 1 ? input : 0)];
    if (next >= lanes_) return -1;
    const int32_t lane = next;
    next += inputs_;
    stage.fault[static_cast<size_t>(lane)] = index;
    if (!stage.waiting) {
      stage.waiting = true;
      waiting_[stage.begin.position].push_back(&stage);
    }
    return lane;
  }

  // The same; runs the stage if need be.
  int32_t take_lane(Stage& stage, int32_t input, int64_t index) {
    const int32_t lane = find_lane(stage, input, index);
    if (lane >= 0) return lane;
    run(stage);
    return find_lane(stage, input, index);
  }

  // Runs the batch of a stage and passes on what is still different from the golden run.
  void run(Stage& stage) {
    const Kernels& set = kernels();
    const LaneRange range = hull(stage);
    if (range.count == 0) return;
    const auto count = static_cast<int64_t>(std::count_if(
        stage.fault.begin(), stage.fault.end(), [](int64_t fault) { return fault >= 0; }));
    for (const RegionSegment::Step& step : stage.segment.steps) {
      step.work->run(range);
      costs_.macs += step.work->macs() * count;
      set.find_nan(step.values + range.first, step.rows, lanes_, range.count,
                   stage.nan.data() + range.first);
    }
    stage.segment.last() ? judge_all(stage, range) : move_on(stage, range);
    free_lanes(stage);
  }

  void judge_all(const Stage& stage, const LaneRange& range) {
    for (int l = range.first; l < range.first + range.count; ++l) {
      const auto lane = static_cast<size_t>(l);
      if (stage.fault[lane] < 0) continue;
      for (size_t c = 0; c < logits_.size(); ++c) logits_[c] = stage.segment.logits[c][lane];
      const int32_t input = fault(stage.fault[lane]).input;
      const Outcome outcome = judge(logits_.data(), 1, input, stage.nan[lane] != 0);
      outcomes_[static_cast<size_t>(stage.fault[lane])] = outcome;
      if (outcome.nan) continue;
      float largest = golden_largest_[static_cast<size_t>(input)];
      for (const float logit : logits_) largest = std::max(largest, std::abs(logit));
      if (!(std::abs(outcome.margin) > 0x1p-14F * largest)) close_.push_back(stage.fault[lane]);
    }
  }

  void move_on(Stage& stage, const LaneRange& range) {
    kernels().find_different(stage.segment.live.data(), stage.segment.live.size(), range.first,
                             range.count, stage.alive.data());
    if (!stage.next) stage.next = &stage_at(stage.segment.next);
    Stage& next = *stage.next;
    const auto move = [&] {
      kernels().move_lanes(stage.segment.live.data(), stage.segment.live.size(), stage.from.data(),
                           stage.to.data(), static_cast<int>(stage.from.size()), next.rows.data(),
                           lanes_);
      stage.from.clear();
      stage.to.clear();
    };
    for (int32_t l = range.first; l < range.first + range.count; ++l) {
      const auto lane = static_cast<size_t>(l);
      const int64_t index = stage.fault[lane];
      if (index < 0) continue;
      const int32_t input = fault(index).input;
      if (!stage.alive[lane]) {
        outcomes_[static_cast<size_t>(index)] =
            golden_outcomes_[static_cast<size_t>(2 * input + stage.nan[lane])];
        continue;
      }
      int32_t to = find_lane(next, input, index);
      if (to < 0) {
        move();
        run(next);
        to = find_lane(next, input, index);
      }
      stage.from.push_back(l);
      stage.to.push_back(to);
      next.nan[static_cast<size_t>(to)] = stage.nan[lane];
    }
    move();
  }

  // The least range of whole vectors that holds every lane in use.
  LaneRange hull(const Stage& stage) const {
    const auto used = [&](int first) {
      return std::any_of(stage.fault.begin() + first, stage.fault.begin() + first + kLaneStep,
                         [](int64_t fault) { return fault >= 0; });
    };
    int first = 0;
    int last = lanes_;
    while (first < last && !used(first)) first += kLaneStep;
    while (first < last && !used(last - kLaneStep)) last -= kLaneStep;
    return {first, last - first, lanes_};
  }

  int lanes_ = 0;
  GoldenRows block_, spread_;
  std::vector<LaneFloats> spread_rows_;
  int32_t spread_input_ = -1;
  std::vector<float> golden_largest_;     // per input: the largest |logit|
  std::vector<Outcome> golden_outcomes_;  // per input: of what dies out, without and with a NaN
  std::unique_ptr<RowArena> arena_;

  int32_t site_ = -1;
  bool one_input_ = false;  // shown in every lane
  int inputs_ = 1;          // that lanes show
  std::unique_ptr<RegionPlanner> planner_;
  std::map<RegionState, std::unique_ptr<Stage>> stages_;
  std::vector<std::vector<Stage*>> waiting_;  // by position
  int64_t bytes_ = 0;                         // of stages_

  std::span<const Fault> faults_;  // being run
  std::span<Outcome> outcomes_;
  std::vector<Item> items_;
  std::vector<float> logits_;
  std::vector<int64_t> close_;     // faults whose margin is within tau (METHOD section 7)
  std::unique_ptr<Prober> exact_;  // runs those
};

}  // namespace

std::unique_ptr<Prober> make_region_prober(const Graph& graph, const std::vector<Site>& sites) {
  return std::make_unique<RegionProber>(graph, sites);
}

}  // namespace vigor
