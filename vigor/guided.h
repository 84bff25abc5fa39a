// The default search: asks for few probes and finds the thresholds that bisection finds wherever
// one threshold per side is the truth (METHOD section 4).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bracket.h"
#include "cut.h"
#include "far_class.h"
#include "search.h"

namespace vigor {

/// What the search makes use of; each can be left out.
struct Shortcuts {
  bool guide = true;   // steps by the margin, not by halves
  bool cut = true;     // one bracket for all neurons that feed a cut
  bool domain = true;  // values that a chain takes to the golden cut value are not probed
  bool far = true;     // far classes, and the crossing that their slopes propose
};

/// By the names that the command line gives them.
inline constexpr std::pair<const char*, bool Shortcuts::*> kShortcuts[] = {
    {"guide", &Shortcuts::guide},
    {"cut", &Shortcuts::cut},
    {"domain", &Shortcuts::domain},
    {"far", &Shortcuts::far}};

/// What is known of a site before any data.
struct SiteFacts {
  CutChain chain;
  int32_t cut_site;  // of the prober: see with_cut_sites()
  FarLimits far;     // of all its neurons
};

class GuidedSearch {
 public:
  /// For a block of neurons (their numbers) of the prober's site and the golden block it is bound
  /// to.
  GuidedSearch(Prober& prober, const Lattice& lattice, int32_t site, const SiteFacts& facts,
               std::span<const int64_t> block, const Shortcuts& shortcuts);

  /// As bisect().
  std::vector<Threshold> run(std::span<int64_t> probes);

  /// After run(): the faults that stand for values of neuron k, one per input. `values` holds one
  /// per lane of the golden block.
  void stand_ins(size_t k, const float* values, std::span<Fault> faults);
  /// What the probes say of such a fault whose value is in the search domain.
  Verdict verdict(size_t k, const Fault& fault) const;
  /// Number of the bracket of neuron k: neurons that feed the same cut share it.
  size_t group(size_t k) const { return group_[k]; }

  // Instead of run(), by the amortised merging: single points first, searches where they say so.
  /// The neurons with thresholds: one of each cut, then the others, which profit from it.
  std::array<std::vector<size_t>, 2> waves() const;
  /// Begins the sides of these neurons, but searches none before its release().
  void hold(std::span<const size_t> neurons);
  /// Asks for a point of each input (0: none) of a held side; what is not known waits for answer().
  void ask(size_t k, int side, std::span<const int64_t> points);
  void answer(std::span<int64_t> probes);
  /// Of a point of a side, as far as it is known by now.
  Verdict verdict(size_t k, int side, size_t lane, int64_t point) const;
  /// Whether all points of a side are safe.
  bool all_safe(size_t k, int side, size_t lane) const;
  void release(size_t k, int side, size_t lane) { pair(k, side, lane).held = false; }
  /// Searches what was released of these sides of neurons.
  void finish(std::span<const std::pair<size_t, int>> sides, std::span<int64_t> probes);
  /// Of a side whose search has ended.
  Threshold threshold(size_t k, int side, size_t lane) const;
  /// Probes of each neuron that came out otherwise than those of its cut say.
  std::span<const int64_t> contradictions() const { return contradictions_; }

 private:
  enum class State : uint8_t { kDone, kOpen, kActive };  // kOpen: the last point is probed next
  /// One side of one neuron for one input.
  struct Pair {
    int64_t safe = 0, unsafe = 0, last = 0;  // points
    float distance = BracketSide::kNone;     // of the crossing that the far slopes propose
    float slope = 0;                         // by which the margin falls in the limit
    State state = State::kDone;
    bool above = false;      // which side of the cut it is
    bool confirmed = false;  // point `unsafe` is known to be critical
    bool held = false;       // not searched yet
  };
  struct Probe {
    size_t k, lane;
    int side;
    int64_t point;
    float cut_value;
  };

  Pair& pair(size_t k, int side, size_t lane) {
    return pairs_[(k * 2 + (side > 0 ? 1 : 0)) * count_ + lane];
  }
  const Pair& pair(size_t k, int side, size_t lane) const {
    return pairs_[(k * 2 + (side > 0 ? 1 : 0)) * count_ + lane];
  }
  Bracket& bracket(size_t k, size_t lane) { return brackets_[group_[k] * count_ + lane]; }
  const float* golden_row(size_t k) const {
    return golden_.values(prober_.site(site_).tensor) + neurons_[k] * golden_.lanes();
  }
  bool dead(size_t k) const { return element_[k] < 0; }
  // Of a side in the facts of the site.
  size_t far_entry(size_t k, int side) const {
    return static_cast<size_t>(block_[k]) * 2 + (side > 0 ? 1 : 0);
  }

  template <typename Point>
  const float* cut_values(size_t k, int side, Point point);
  template <typename Keep>
  void bisect_points(size_t k, int side, std::vector<int64_t>& low, std::vector<int64_t>& high,
                     Keep keep);
  void start(size_t k, int side, bool hold);
  void propose_far(size_t k, int side, size_t lane, Pair& pair, double scale) const;
  void narrow(size_t k, int side);
  void propose(size_t k, int side);
  bool settle(size_t k, int side, size_t lane, float cut_value, int64_t point);
  void run_probes(std::span<int64_t> probes);
  void search(std::span<const size_t> neurons, std::span<int64_t> probes);
  void run_searches(std::span<const std::pair<size_t, int>> sides, std::span<int64_t> probes);
  double crossing(const Pair& pair, const Bracket& bracket) const;
  Fault fault(size_t k, size_t lane, float value, float cut_value, bool own) const;
  void learn(const Pair& pair, Bracket& bracket, int64_t input, float cut_value,
             const Outcome& outcome);

  Prober& prober_;
  const Golden& golden_;
  const Lattice& lattice_;
  const int32_t site_;
  const SiteFacts& facts_;
  const std::span<const int64_t> block_;
  const Shortcuts shortcuts_;
  const std::vector<int64_t> neurons_;
  const size_t count_;             // inputs of the block
  std::vector<int64_t> element_;   // cut of each neuron, -1: none
  std::vector<size_t> group_;      // bracket of each neuron
  std::vector<Bracket> brackets_;  // [group][input]
  std::vector<Pair> pairs_;        // [neuron][side][input]
  std::vector<int64_t> contradictions_;
  CutMap map_;
  std::vector<float> row_;
  // Of each input, while points are found.
  struct Scratch {
    explicit Scratch(size_t inputs)
        : point(inputs), low(inputs), high(inputs), guess(inputs), target(inputs), waits(inputs) {}
    std::vector<int64_t> point, low, high, guess;
    std::vector<double> target;
    std::vector<uint8_t> waits;  // 1: for a probe
  } scratch_;
  std::vector<Probe> probes_;
  std::vector<Fault> faults_;
  std::vector<Outcome> outcomes_;
};

}  // namespace vigor
