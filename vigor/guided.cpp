#include "guided.h"

#include <algorithm>
#include <map>

namespace vigor {

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Numbers what is equal in the order of its first appearance; negative ones are all different.
std::vector<size_t> numbered(std::span<const int64_t> values) {
  std::map<int64_t, size_t> known;
  std::vector<size_t> numbers;
  size_t next = 0;
  for (const int64_t value : values) {
    const auto [at, added] = value < 0 ? std::pair{known.end(), true} : known.emplace(value, next);
    numbers.push_back(added ? next++ : at->second);
  }
  return numbers;
}

}  // namespace

GuidedSearch::GuidedSearch(Prober& prober, const Lattice& lattice, int32_t site,
                           const SiteFacts& facts, std::span<const int64_t> block,
                           const Shortcuts& shortcuts)
    : prober_(prober),
      golden_(prober.golden()),
      lattice_(lattice),
      site_(site),
      facts_(facts),
      block_(block),
      shortcuts_(shortcuts),
      neurons_(elements(prober.site(site), block)),
      count_(static_cast<size_t>(golden_.count())),
      pairs_(neurons_.size() * 2 * count_),
      contradictions_(neurons_.size()),
      map_(prober.graph(), facts.chain, neurons_, golden_),
      row_(static_cast<size_t>(golden_.lanes())),
      scratch_(count_) {
  for (const int64_t neuron : neurons_) {
    element_.push_back(facts.chain.element(prober.graph(), neuron));
  }
  group_ = numbered(shortcuts.cut ? std::span<const int64_t>(element_) : neurons_);
  brackets_.resize((group_.empty() ? 0 : std::ranges::max(group_) + 1) * count_);
  for (size_t k = 0; k < neurons_.size(); ++k) {
    if (dead(k)) continue;
    for (size_t i = 0; i < count_; ++i) {
      const float c = golden_.value(facts.chain.tensor, element_[k], static_cast<int64_t>(i));
      const float margin = golden_.answer(static_cast<int64_t>(i)).margin;
      BracketSide side;
      side.safe = c;
      side.safe_margin = margin;
      bracket(k, i) = {c, {side, side}};
    }
  }
}

std::array<std::vector<size_t>, 2> GuidedSearch::waves() const {
  std::array<std::vector<size_t>, 2> waves;
  std::vector<bool> led(brackets_.size() / std::max<size_t>(count_, 1), false);
  for (size_t k = 0; k < neurons_.size(); ++k) {
    if (dead(k)) continue;
    waves[led[group_[k]] ? 1 : 0].push_back(k);
    led[group_[k]] = true;
  }
  return waves;
}

std::vector<Threshold> GuidedSearch::run(std::span<int64_t> probes) {
  for (const std::vector<size_t>& wave : waves()) search(wave, probes);
  std::vector<Threshold> result(neurons_.size() * count_ * 2, {kNaN, kNaN});
  for (size_t k = 0; k < neurons_.size(); ++k) {
    for (size_t i = 0; i < count_; ++i) {
      if (golden_.golden_class(static_cast<int64_t>(i)) < 0) continue;
      for (const int side : {-1, 1}) {
        result[(k * count_ + i) * 2 + (side > 0 ? 1 : 0)] = threshold(k, side, i);
      }
    }
  }
  return result;
}

Threshold GuidedSearch::threshold(size_t k, int side, size_t lane) const {
  const float a = golden_row(k)[lane];
  const float none = static_cast<float>(side) * kInfinity;
  if (dead(k)) return {lattice_.point(a, side, lattice_.count(a, side)), none};
  const Pair& p = pair(k, side, lane);
  const Bracket& b = brackets_[group_[k] * count_ + lane];
  // A NaN on either side of the cut may be this neuron's: such flips are run.
  return {lattice_.point(a, side, p.safe), p.confirmed ? lattice_.point(a, side, p.unsafe) : none,
          p.confirmed && (b.sides[0].nan || b.sides[1].nan)};
}

void GuidedSearch::search(std::span<const size_t> neurons, std::span<int64_t> probes) {
  std::vector<std::pair<size_t, int>> sides;
  for (const size_t k : neurons) {
    for (const int side : {-1, 1}) {
      start(k, side, false);
      sides.emplace_back(k, side);
    }
  }
  run_searches(sides, probes);
}

void GuidedSearch::run_searches(std::span<const std::pair<size_t, int>> sides,
                                std::span<int64_t> probes) {
  do {
    probes_.clear();
    for (const auto& [k, side] : sides) propose(k, side);
    run_probes(probes);
  } while (!probes_.empty());
}

// The far slopes as a line through the golden logits, each class for itself: exact where only one
// layer follows. `scale`: change of the cut value per change of the neuron's.
void GuidedSearch::propose_far(size_t k, int side, size_t lane, Pair& p, double scale) const {
  const auto classes = static_cast<size_t>(prober_.graph().classes());
  if (!shortcuts_.far || facts_.far.slopes.empty() || !(scale > 0)) return;
  const float* slopes = facts_.far.slopes.data() + far_entry(k, side) * classes;
  const auto input = static_cast<int64_t>(lane);
  const auto t = static_cast<size_t>(golden_.golden_class(input));
  const auto logit = [&](size_t c) {
    return static_cast<double>(
        golden_.value(prober_.graph().logits, static_cast<int64_t>(c), input));
  };
  double nearest = std::numeric_limits<double>::infinity();
  double steepest = 0;
  for (size_t c = 0; c < classes; ++c) {
    const double gain = static_cast<double>(slopes[c]) - slopes[t];
    if (c == t || !(gain > 0)) continue;
    nearest = std::min(nearest, (logit(t) - logit(c)) / gain);
    steepest = std::max(steepest, gain);
  }
  if (steepest == 0) return;
  p.distance = static_cast<float>(nearest * scale);
  p.slope = static_cast<float>(steepest / scale);
}

double GuidedSearch::crossing(const Pair& p, const Bracket& bracket) const {
  const BracketSide& s = bracket.sides[p.above ? 1 : 0];
  if (s.steps == 0 && !std::isnan(p.distance)) {
    return bracket.golden + (p.above ? 1.0 : -1.0) * static_cast<double>(p.distance);
  }
  return s.crossing(bracket.golden, p.slope);
}

Fault GuidedSearch::fault(size_t k, size_t lane, float value, float cut_value, bool own) const {
  const auto input = static_cast<int32_t>(lane);
  if (own || !shortcuts_.cut || dead(k)) return {input, site_, neurons_[k], value};
  return {input, facts_.cut_site, element_[k], cut_value};
}

void GuidedSearch::answer(std::span<int64_t> probes) {
  run_probes(probes);
  probes_.clear();
}

void GuidedSearch::run_probes(std::span<int64_t> probes) {
  outcomes_.resize(faults_.size());
  prober_.run(faults_, outcomes_);
  for (size_t n = 0; n < probes_.size(); ++n) {
    const auto& [k, lane, side, point, cut_value] = probes_[n];
    const Outcome& outcome = outcomes_[n];
    ++probes[k];
    const Verdict known = bracket(k, lane).verdict(cut_value);
    if (known == (outcome.critical ? Verdict::kSafe : Verdict::kCritical)) ++contradictions_[k];
    learn(pair(k, side, lane), bracket(k, lane), static_cast<int64_t>(lane), cut_value, outcome);
    Pair& p = pair(k, side, lane);
    if (outcome.critical) {
      p.unsafe = point;
      p.confirmed = true;
      p.state = State::kActive;
    } else {
      p.safe = point;
    }
    if (p.safe == p.last || (p.confirmed && p.unsafe - p.safe <= 1)) p.state = State::kDone;
  }
  faults_.clear();
}

void GuidedSearch::learn(const Pair& pair, Bracket& bracket, int64_t input, float cut_value,
                         const Outcome& outcome) {
  if (bracket.verdict(cut_value) != Verdict::kUnknown) return;
  BracketSide& s = bracket.sides[pair.above ? 1 : 0];
  s.add(cut_value, outcome.margin, outcome.critical);
  s.nan = s.nan || outcome.nan;
  // The golden margin that matters is that over the class that wins further out.
  if (outcome.critical && !outcome.nan && s.safe == bracket.golden) {
    const int logits = prober_.graph().logits;
    s.safe_margin = golden_.value(logits, golden_.golden_class(input), input) -
                    golden_.value(logits, outcome.top, input);
  }
}

void GuidedSearch::stand_ins(size_t k, const float* values, std::span<Fault> faults) {
  const float* cut = dead(k) ? values : map_.run(k, values);
  for (size_t i = 0; i < count_; ++i) faults[i] = fault(k, i, values[i], cut[i], false);
}

Verdict GuidedSearch::verdict(size_t k, const Fault& fault) const {
  if (dead(k)) return Verdict::kSafe;
  if (!shortcuts_.cut) return Verdict::kUnknown;
  return brackets_[group_[k] * count_ + static_cast<size_t>(fault.input)].verdict(fault.value);
}

}  // namespace vigor
