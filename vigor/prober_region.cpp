// Runs only what a fault changes, many faults at once.
//
// A fault enters at its neuron's segment. Whatever of a batch still differs from the golden run at
// the end of a segment moves on to the next one, where it waits together with what other neurons
// leave there until the batch is full. Lanes may show any inputs. No outcome depends on any of
// this. Faults whose margin is too small to be sure of the class are run again by the suffix
// prober.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "aligned.h"
#include "kernels/kernels.h"
#include "prober.h"
#include "region_plan.h"

namespace vigor {

namespace {

// What a lane with a NaN answers.
constexpr Outcome kNanOutcome{-1,   std::numeric_limits<float>::quiet_NaN(), -1, true, false, true,
                              false};

// Margins below this share of the largest logit are too small to be sure of the class: some ten
// times the error seen on any network of the tests.
constexpr float kTie = 0x1p-18F;

// They are few, and one run of so many lanes costs hardly more than one of half as many.
constexpr int kExactLanes = 2 * kLaneStep;

class RegionProber final : public Prober {
 public:
  RegionProber(const Graph& graph, const std::vector<Site>& sites, int lanes, int64_t cache)
      : Prober(graph, sites),
        lanes_(lanes),
        cache_(cache),
        arena_(RegionPlanner::arena_floats(graph, lanes)),
        planner_(graph, lanes, arena_),
        waiting_(graph.nodes.size() + 1),
        logits_(static_cast<size_t>(graph.classes())),
        golden_logits_(static_cast<size_t>(graph.classes() * lanes)) {
    from_.reserve(static_cast<size_t>(lanes));
    to_.reserve(static_cast<size_t>(lanes));
  }

 protected:
  void rebind() override {
    // Segments stay: they hold no golden values.
    for (const auto& [state, stage] : stages_)
      std::fill(stage->input.begin(), stage->input.end(), 0);
    exact_.reset();
    golden_largest_.assign(static_cast<size_t>(golden_->count()), 0.0F);
    golden_outcomes_.clear();
    for (int32_t i = 0; i < golden_->count(); ++i) {
      float& most = golden_largest_[static_cast<size_t>(i)];
      for (int64_t c = 0; c < graph_.classes(); ++c) {
        most = std::max(most, std::abs(golden_->value(graph_.logits, c, i)));
      }
      const float* logits = golden_->values(graph_.logits) + i;
      for (const bool nan : {false, true}) {
        golden_outcomes_.push_back(judge(logits, golden_->lanes(), i, nan));
      }
    }
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
      exact_ = make_suffix_prober(graph_, sites_, kExactLanes);
      exact_->bind(*golden_);
    }
    again_.clear();
    for (const int64_t i : close_) again_.push_back(faults[static_cast<size_t>(i)]);
    exact_outcomes_.resize(again_.size());
    const int64_t before = exact_->costs().macs;
    exact_->run(again_, exact_outcomes_);
    costs_.macs += exact_->costs().macs - before;
    for (size_t i = 0; i < again_.size(); ++i) {
      outcomes[static_cast<size_t>(close_[i])] = exact_outcomes_[i];
    }
  }

 private:
  // A fault in the order of the work.
  struct Item {
    uint64_t key;
    int64_t fault;
    auto operator<=>(const Item&) const = default;
  };

  // A segment, and the batch that waits for it.
  struct Stage {
    Stage(RegionPlanner& planner, const RegionState& state, int lanes)
        : position(state.position),
          rows(static_cast<size_t>(state.rows() * lanes), 0.0F),
          segment(planner.segment(state, rows.data())),
          live(segment.rest->live.size()),
          fault(static_cast<size_t>(lanes), -1),
          input(static_cast<size_t>(lanes), 0),
          nan(static_cast<size_t>(lanes), 0) {}

    int64_t bytes() const {
      constexpr int64_t kLaneBytes = 13;
      return segment.bytes + static_cast<int64_t>(rows.size() * sizeof(float)) +
             kLaneBytes * static_cast<int64_t>(fault.size());
    }

    size_t position;
    LaneFloats rows;  // what changed before the segment, [rows][lanes]
    RegionSegment segment;
    std::vector<RowPair> live;   // at its end, with golden rows
    std::vector<int64_t> fault;  // of each lane, -1 where it is free
    std::vector<int32_t> input;  // of each lane; of a free one, any
    std::vector<uint8_t> nan;    // of each lane: met one on the way
    int used = 0;                // lanes [0, used) are taken
    Stage* next = nullptr;
    bool waiting = false;  // is in waiting_
  };

  const Fault& fault(int64_t index) const { return faults_[static_cast<size_t>(index)]; }

  void run_regions(std::span<const int64_t> which) {
    items_.clear();
    for (const int64_t i : which) {
      items_.push_back({static_cast<uint64_t>(fault(i).site) << 40 | rank(fault(i)), i});
    }
    if (!std::is_sorted(items_.begin(), items_.end())) std::sort(items_.begin(), items_.end());
    Stage* stage = nullptr;
    uint64_t key = ~uint64_t{0};
    for (const Item& item : items_) {
      const Fault& f = fault(item.fault);
      if (item.key != key) {
        key = item.key;
        if (bytes_ + planner_.shared_bytes() > cache_) forget();
        const int tensor = sites_[static_cast<size_t>(f.site)].tensor;
        planner_.start(tensor, f.element, start_);
        stage = &stage_at(start_);
      }
      const int32_t lane = take_lane(*stage, item.fault);
      stage->rows[static_cast<size_t>(lane)] = f.value;
    }
    flush();
  }

  // Where a neuron stands in its site: neurons at one position come together, as they change the
  // same elements further on.
  uint64_t rank(const Fault& f) const {
    const Tensor& tensor = graph_.tensor(sites_[static_cast<size_t>(f.site)].tensor);
    const int64_t channels = tensor.shape.size() > 2 ? tensor.shape[1] : 1;
    const int64_t positions = tensor.size / channels;
    return static_cast<uint64_t>(f.element % positions * channels + f.element / positions);
  }

  Stage& stage_at(const RegionState& state) {
    std::unique_ptr<Stage>& stage = stages_[state];
    if (!stage) {
      stage = std::make_unique<Stage>(planner_, state, lanes_);
      bytes_ += stage->bytes();
      ++costs_.plans;
      costs_.plan_bytes = std::max(costs_.plan_bytes, bytes_ + planner_.shared_bytes());
    }
    return *stage;
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
    planner_.forget();
    bytes_ = 0;
  }

  bool full(const Stage& stage) const { return stage.used == lanes_; }

  // A lane for the fault. Runs the stage first if it is full.
  int32_t take_lane(Stage& stage, int64_t index) {
    if (full(stage)) run(stage);
    if (!stage.waiting) {
      stage.waiting = true;
      waiting_[stage.position].push_back(&stage);
    }
    stage.fault[static_cast<size_t>(stage.used)] = index;
    stage.input[static_cast<size_t>(stage.used)] = fault(index).input;
    return stage.used++;
  }

  // Runs the batch of a stage and passes on what is still different from the golden run.
  void run(Stage& stage) {
    if (stage.used == 0) return;
    const LaneBatch batch{golden_, stage.input.data(), lanes_for(stage.used), lanes_,
                          stage.nan.data()};
    ++costs_.batches;
    costs_.lanes += stage.used;
    const auto step = [&](const RegionSteps::Step& s) {
      s.work->run(batch);
      costs_.macs += s.work->macs() * stage.used;
      if (s.work->marks_nan()) return;
      kernels().find_nan(s.values, s.rows, lanes_, batch.count, stage.nan.data());
    };
    if (stage.segment.mix) step(*stage.segment.mix);
    for (const RegionSteps::Step& s : stage.segment.rest->steps) step(s);
    stage.segment.rest->last() ? judge_all(stage, batch) : move_on(stage, batch);
    std::fill_n(stage.nan.begin(), batch.count, 0);
    stage.used = 0;
  }

  // As Prober::judge() does, all lanes at once.
  void judge_all(const Stage& stage, const LaneBatch& batch) {
    std::array<int32_t, kMostLanes> golden_class, top, rank, masked;
    std::array<float, kMostLanes> margin, largest;
    const auto stride = static_cast<size_t>(lanes_);
    for (size_t c = 0; c < logits_.size(); ++c) {
      const RowSource& row = stage.segment.rest->logits[c];
      float* golden = golden_logits_.data() + c * stride;
      batch.gather(graph_.tensor(graph_.logits).storage, static_cast<int64_t>(c), golden);
      logits_[c] = {row.changed ? row.changed : golden, golden};
    }
    for (size_t lane = 0; lane < static_cast<size_t>(batch.count); ++lane) {
      golden_class[lane] = std::max(golden_->golden_class(stage.input[lane]), 0);
    }
    kernels().read_answers(logits_.data(), graph_.classes(), golden_class.data(), batch.count,
                           {top.data(), rank.data(), masked.data(), margin.data(), largest.data()});
    for (size_t lane = 0; lane < static_cast<size_t>(stage.used); ++lane) {
      const int64_t index = stage.fault[lane];
      Outcome& outcome = outcomes_[static_cast<size_t>(index)];
      if (stage.nan[lane]) {
        outcome = kNanOutcome;
        outcome.inf = any_infinite(lane);
        continue;
      }
      outcome = {top[lane],
                 margin[lane],
                 rank[lane],
                 top[lane] != golden_class[lane],
                 masked[lane] != 0,
                 false,
                 std::isinf(largest[lane])};
      const float most =
          std::max(largest[lane], golden_largest_[static_cast<size_t>(stage.input[lane])]);
      if (!(std::abs(outcome.margin) > kTie * most)) close_.push_back(index);
    }
  }

  bool any_infinite(size_t lane) const {
    return std::ranges::any_of(
        logits_, [&](const RowPair& logit) { return std::isinf(logit.changed[lane]); });
  }

  void move_on(Stage& stage, const LaneBatch& batch) {
    std::vector<RowPair>& live = stage.live;
    for (size_t r = 0; r < live.size(); ++r) {
      const RegionSteps::Live& row = stage.segment.rest->live[r];
      live[r] = {row.row, batch.golden_row(row.storage, row.element)};
    }
    std::array<uint8_t, kMostLanes> different;
    kernels().find_different(live.data(), live.size(), batch.inputs, golden_->lanes(), batch.count,
                             different.data());
    if (!stage.next) stage.next = &stage_at(stage.segment.rest->next);
    Stage& next = *stage.next;
    const auto move = [&] {
      kernels().move_lanes(live.data(), live.size(), from_.data(), to_.data(),
                           static_cast<int>(from_.size()), next.rows.data(), lanes_);
      from_.clear();
      to_.clear();
    };
    for (size_t lane = 0; lane < static_cast<size_t>(stage.used); ++lane) {
      const int64_t index = stage.fault[lane];
      if (!different[lane]) {
        const auto input = static_cast<size_t>(stage.input[lane]);
        outcomes_[static_cast<size_t>(index)] = golden_outcomes_[2 * input + stage.nan[lane]];
        continue;
      }
      if (full(next)) move();
      const int32_t to = take_lane(next, index);
      next.nan[static_cast<size_t>(to)] = stage.nan[lane];
      from_.push_back(static_cast<int32_t>(lane));
      to_.push_back(to);
    }
    move();
  }

  int lanes_;
  int64_t cache_;  // most bytes kept
  RowArena arena_;
  RegionPlanner planner_;
  std::map<RegionState, std::unique_ptr<Stage>> stages_;
  int64_t bytes_ = 0;                         // of stages_
  std::vector<std::vector<Stage*>> waiting_;  // with faults, by position

  std::vector<float> golden_largest_;     // per input: the largest |logit|
  std::vector<Outcome> golden_outcomes_;  // per input: of what dies out, without and with a NaN

  std::span<const Fault> faults_;  // being run
  std::span<Outcome> outcomes_;
  std::vector<Item> items_;
  RegionState start_;
  std::vector<int32_t> from_, to_;  // lanes on the move to the next stage
  std::vector<RowPair> logits_;     // of the batch being judged
  LaneFloats golden_logits_;        // [class][lane]
  std::vector<int64_t> close_;      // faults whose margin is within tau (METHOD section 7)
  std::unique_ptr<Prober> exact_;   // runs those
  std::vector<Fault> again_;
  std::vector<Outcome> exact_outcomes_;
};

}  // namespace

std::unique_ptr<Prober> make_region_prober(const Graph& graph, const std::vector<Site>& sites,
                                           int lanes, int64_t cache) {
  return std::make_unique<RegionProber>(graph, sites, lanes, cache);
}

}  // namespace vigor
