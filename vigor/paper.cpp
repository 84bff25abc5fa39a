#include "paper.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/functions.h"

namespace vigor {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One side of one neuron for one input. Deviations are distances from the golden value.
struct Pair {
  int64_t neuron;
  int32_t input;
  int side;
  float a;
  double slope = 0;             // of the loss at delta
  bool critical = false;        // at delta
  bool nan = false;             // of a critical probe
  double safe = 0, unsafe = 0;  // ends of the interval
  double probed = kPaperDelta;  // deviation of the next probe

  float value(double deviation) const {
    return static_cast<float>(static_cast<double>(a) + side * deviation);
  }
  bool inner(PaperInit init) const {
    return init == PaperInit::kClass ? critical : slope * side > 0;
  }
};

class PaperSearch {
 public:
  PaperSearch(Prober& prober, int32_t site, std::span<const int64_t> neurons, PaperInit init,
              SiteTally& tally)
      : prober_(prober),
        golden_(prober.golden()),
        site_(site),
        neurons_(neurons),
        init_(init),
        tally_(tally),
        count_(static_cast<size_t>(golden_.count())),
        result_(neurons.size() * count_ * 2, {std::nanf(""), std::nanf("")}) {}

  std::vector<Threshold> run() {
    start();
    choose_intervals();
    probe_far_ends();
    bisect();
    check();
    return std::move(result_);
  }

 private:
  int64_t& count(const Pair& pair, PaperCount which) {
    return tally_.paper_count(pair.neuron, which);
  }
  Threshold& result(const Pair& pair) {
    const size_t at = static_cast<size_t>(pair.neuron) * count_ + static_cast<size_t>(pair.input);
    return result_[at * 2 + (pair.side > 0 ? 1 : 0)];
  }
  const float* golden_row(int64_t k) const {
    return golden_.values(prober_.site(site_).tensor) +
           neurons_[static_cast<size_t>(k)] * golden_.lanes();
  }

  void no_threshold(const Pair& pair) {
    const auto side = static_cast<float>(pair.side);
    result(pair) = {side * kMostProbed, side * kInfinity};
  }
  // The inner end of (delta, D] is critical itself: nothing is known of what lies inside of it.
  void inner_end(const Pair& pair) {
    const float unsafe = pair.value(kPaperDelta);
    result(pair) = {std::nextafter(unsafe, pair.a), unsafe, pair.nan};
  }

  // Runs the pairs at their next deviation: whether that is critical.
  std::vector<Outcome> probe(const std::vector<Pair>& pairs) {
    std::vector<Fault> faults;
    faults.reserve(pairs.size());
    for (const Pair& pair : pairs) {
      faults.push_back(
          {pair.input, site_, neurons_[static_cast<size_t>(pair.neuron)], pair.value(pair.probed)});
    }
    std::vector<Outcome> outcomes(faults.size());
    prober_.run(faults, outcomes);
    return outcomes;
  }
  void count_passes(const std::vector<Pair>& pairs) {
    for (const Pair& pair : pairs) {
      ++count(pair, kPasses);
      ++tally_.probes[static_cast<size_t>(pair.neuron)];
    }
  }

  // Step 1: every neuron at +-delta, for every input.
  void start() {
    for (int64_t k = 0; k < std::ssize(neurons_); ++k) {
      for (const int side : {-1, 1}) {
        for (int32_t i = 0; i < golden_.count(); ++i) {
          if (golden_.golden_class(i) < 0) continue;
          pairs_.push_back({k, i, side, golden_row(k)[i]});
        }
        if (init_ == PaperInit::kGradient) find_slopes(k, side);
      }
      if (init_ == PaperInit::kGradient) count_zeros(k);
    }
    count_passes(pairs_);
    if (init_ == PaperInit::kGradient) return;
    const std::vector<Outcome> outcomes = probe(pairs_);
    for (size_t p = 0; p < pairs_.size(); ++p) {
      pairs_[p].critical = outcomes[p].critical;
      pairs_[p].nan = outcomes[p].nan;
    }
  }

  // Of the pairs added last: those of this neuron and side.
  void find_slopes(int64_t k, int side) {
    const int lanes = golden_.lanes();
    std::vector<float> values(golden_row(k), golden_row(k) + lanes);
    for (float& value : values) value = Pair{k, 0, side, value}.value(kPaperDelta);
    const Slopes& slopes = prober_.slopes(site_, neurons_[static_cast<size_t>(k)], values.data());
    const int64_t classes = prober_.graph().classes();
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend(); ++pair) {
      if (pair->neuron != k || pair->side != side) break;
      const int32_t golden = golden_.golden_class(pair->input);
      const Answer answer = read_logits(slopes.logits + pair->input, classes, lanes, golden);
      pair->nan = slopes.nan[static_cast<size_t>(pair->input)] != 0 || answer.nan;
      pair->critical = pair->nan || answer.top != golden;
      pair->slope = loss_slope(slopes, classes, lanes, pair->input, golden);
    }
  }

  void count_zeros(int64_t k) {
    std::vector<int> zeros(count_);
    for (auto pair = pairs_.rbegin(); pair != pairs_.rend() && pair->neuron == k; ++pair) {
      if (pair->slope != 0) continue;
      ++count(*pair, kZeroGradients);
      if (++zeros[static_cast<size_t>(pair->input)] == 2) ++count(*pair, kZeroInputs);
    }
  }

  // Zero: no threshold. Else the pair goes on in (0, delta] or in (delta, D].
  void choose_intervals() {
    for (Pair pair : pairs_) {
      const bool zero = init_ == PaperInit::kGradient && pair.slope == 0;
      if (zero) {
        no_threshold(pair);
        if (pair.critical) {
          ++count(pair, kFalseZeros);
        } else {
          checks_.push_back(pair);
        }
      } else if (!pair.inner(init_)) {
        if (pair.critical) ++count(pair, kWrongIntervals);
        pair.probed = kPaperLimit;
        far_.push_back(pair);
      } else if (pair.critical) {
        pair.unsafe = kPaperDelta;
        searches_.push_back(pair);
      } else {
        ++count(pair, kEqualSafe);
        no_threshold(pair);
        checks_.push_back(pair);
      }
    }
  }

  // The outer ends of (delta, D]; the inner ones are known.
  void probe_far_ends() {
    const std::vector<Outcome> outcomes = probe(far_);
    count_passes(far_);
    for (size_t p = 0; p < far_.size(); ++p) {
      Pair pair = far_[p];
      if (pair.critical) {
        ++count(pair, outcomes[p].critical ? kEqualCritical : kReversed);
        inner_end(pair);
      } else if (outcomes[p].critical) {
        pair.nan = outcomes[p].nan;
        pair.safe = kPaperDelta;
        pair.unsafe = kPaperLimit;
        searches_.push_back(pair);
      } else {
        ++count(pair, kEqualSafe);
        no_threshold(pair);
      }
    }
  }

  // Step 2.
  void bisect() {
    for (const Pair& pair : searches_) ++count(pair, kSearches);
    while (!searches_.empty()) {
      for (Pair& pair : searches_) {
        pair.probed = (pair.safe + pair.unsafe) / 2;
        ++count(pair, kSteps);
      }
      const std::vector<Outcome> outcomes = probe(searches_);
      count_passes(searches_);
      std::vector<Pair> left;
      for (size_t p = 0; p < searches_.size(); ++p) {
        Pair pair = searches_[p];
        pair.nan = pair.nan || outcomes[p].nan;
        (outcomes[p].critical ? pair.unsafe : pair.safe) = pair.probed;
        if (pair.unsafe - pair.safe > kPaperWidth) {
          left.push_back(pair);
        } else {
          result(pair) = {pair.value(pair.safe), pair.value(pair.unsafe), pair.nan};
        }
      }
      searches_ = std::move(left);
    }
  }

  // Safe at delta and said to have no threshold, though D may be critical. No part of the method.
  void check() {
    for (Pair& pair : checks_) pair.probed = kPaperLimit;
    const int64_t before = prober_.costs().macs;
    const std::vector<Outcome> outcomes = probe(checks_);
    tally_.macs -= prober_.costs().macs - before;
    for (size_t p = 0; p < checks_.size(); ++p) {
      ++count(checks_[p], kChecks);
      if (!outcomes[p].critical) continue;
      ++count(checks_[p], checks_[p].slope == 0 ? kFalseZeros : kWrongIntervals);
    }
  }

  Prober& prober_;
  const Golden& golden_;
  int32_t site_;
  std::span<const int64_t> neurons_;
  PaperInit init_;
  SiteTally& tally_;
  size_t count_;  // inputs
  std::vector<Threshold> result_;
  std::vector<Pair> pairs_, far_, searches_, checks_;
};

}  // namespace

double loss_slope(const Slopes& slopes, int64_t classes, int64_t lanes, int64_t lane,
                  int32_t golden) {
  const auto at = [&](const float* rows, int64_t c) { return rows[c * lanes + lane]; };
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) {
    if (c == golden) continue;
    const float y = functions::sigmoid(at(slopes.logits, golden) - at(slopes.logits, c));
    sum += (1.0F - y) * y * (at(slopes.slopes, golden) - at(slopes.slopes, c));
  }
  return std::isnan(sum) ? 0 : sum;
}

std::vector<Threshold> paper_search(Prober& prober, int32_t site, std::span<const int64_t> neurons,
                                    PaperInit init, SiteTally& tally) {
  return PaperSearch(prober, site, neurons, init, tally).run();
}

void leave_out_neurons(SiteResult& site, const RunHead& head) {
  SiteTally& tally = site.tally;
  const int64_t inputs = head.inputs();
  const SiteTally blank(1, 1);
  for (int64_t k = 0; k < tally.neurons; ++k) {
    if (tally.paper_count(k, kZeroInputs) * 100 <= kPaperZeroPercent * inputs) continue;
    tally.paper_count(k, kLeftOut) = 1;
    tally.paper_count(k, kPasses) = 2 * inputs;
    for (const PaperCount none :
         {kSearches, kSteps, kWrongIntervals, kEqualSafe, kEqualCritical, kReversed}) {
      tally.paper_count(k, none) = 0;
    }
    for (int64_t row = 0; row < tally.rows; ++row) {
      for (const int side : {0, 1}) {
        const auto at = static_cast<size_t>(2 * (row * tally.neurons + k) + side);
        const auto from = static_cast<size_t>(side);
        const double infinity = blank.nonvulnerable[from];
        tally.nonvulnerable[at] = tally.vulnerable[at] = infinity;
        tally.vulnerable_finite[at] = blank.vulnerable_finite[from];
        tally.finite[at] = 0;
      }
    }
    for (int64_t cell = k * kBits; cell < (k + 1) * kBits; ++cell) {
      const auto at = static_cast<size_t>(cell);
      tally.critical[at] = tally.critical_beyond[at];
      tally.critical_nan[at] = std::min(tally.critical_nan[at], tally.critical_beyond[at]);
    }
    for (size_t i = 0; i < head.golden_class.size() && !site.thresholds.empty(); ++i) {
      if (head.golden_class[i] < 0) continue;
      float* four =
          &site.thresholds[(i * static_cast<size_t>(tally.neurons) + static_cast<size_t>(k)) * 4];
      four[0] = -kMostProbed;
      four[1] = -kInfinity;
      four[2] = kMostProbed;
      four[3] = kInfinity;
    }
  }
}

}  // namespace vigor
