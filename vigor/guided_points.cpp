// The points of the guided search: those known before a probe, and those to probe next.
#include <algorithm>
#include <cmath>

#include "guided.h"

namespace vigor {

// Cut values of a point of each input; point(lane) < 0: of the golden value.
template <typename Point>
const float* GuidedSearch::cut_values(size_t k, int side, Point point) {
  std::copy_n(golden_row(k), row_.size(), row_.data());
  for (size_t i = 0; i < count_; ++i) {
    const int64_t index = point(i);
    if (index > 0) row_[i] = lattice_.point(row_[i], side, index);
  }
  return map_.run(k, row_.data());
}

void GuidedSearch::start(size_t k, int side, bool hold) {
  const float* a = golden_row(k);
  const float* ends = cut_values(k, side, [&](size_t i) { return lattice_.count(a[i], side); });
  bool narrows = false;
  for (size_t i = 0; i < count_; ++i) {
    const int32_t golden_class = golden_.golden_class(static_cast<int64_t>(i));
    if (golden_class < 0) continue;
    Pair& p = pair(k, side, i);
    p.last = p.unsafe = lattice_.count(a[i], side);
    p.held = hold;
    if (p.last == 0) continue;
    const Bracket& b = bracket(k, i);
    const bool hidden = ends[i] == b.golden;
    const Verdict verdict = hidden && !shortcuts_.domain ? Verdict::kUnknown : b.verdict(ends[i]);
    const int32_t far = shortcuts_.far ? facts_.far.classes[far_entry(k, side)] : -1;
    if (verdict == Verdict::kSafe ||
        (verdict == Verdict::kUnknown && !hidden && far == golden_class)) {
      p.safe = p.last;
      continue;
    }
    p.confirmed = verdict == Verdict::kCritical;
    p.state = hidden ? State::kOpen : State::kActive;
    p.above = ends[i] > b.golden;
    if (!hidden) {
      const double span = static_cast<double>(row_[i]) - a[i];
      propose_far(k, side, i, p, std::abs((static_cast<double>(ends[i]) - b.golden) / span));
    }
    if (!p.confirmed && far < 0 && std::isnan(p.distance)) p.state = State::kOpen;
    const BracketSide& s = b.sides[p.above ? 1 : 0];
    narrows = narrows || (!hold && (s.safe != b.golden || p.confirmed));
  }
  if (narrows) narrow(k, side);
}

// Finds by halves, for each input, the last point of [low, high) that `keep` holds of (it holds of
// low, and not of high).
template <typename Keep>
void GuidedSearch::bisect_points(size_t k, int side, std::vector<int64_t>& low,
                                 std::vector<int64_t>& high, Keep keep) {
  const auto middle = [&](size_t i) { return low[i] + (high[i] - low[i]) / 2; };
  const auto open = [&](size_t i) { return high[i] - low[i] > 1; };
  bool any = true;
  while (any) {
    const float* x = cut_values(k, side, middle);
    any = false;
    for (size_t i = 0; i < count_; ++i) {
      if (!open(i)) continue;
      (keep(i, x[i]) ? low[i] : high[i]) = middle(i);
      any = any || open(i);
    }
  }
}

// The points of a side that are settled by what is known of the cut.
void GuidedSearch::narrow(size_t k, int side) {
  const float* a = golden_row(k);
  // Mostly the cut value is the neuron's own beyond the golden one.
  std::vector<int64_t>& guess = scratch_.guess;
  guess.assign(count_, -1);
  for (size_t i = 0; i < count_; ++i) {
    const Pair& p = pair(k, side, i);
    if (p.state == State::kDone || p.held || p.unsafe < 2) continue;
    const BracketSide& s = bracket(k, i).sides[p.above ? 1 : 0];
    guess[i] = std::min(lattice_.index(a[i], side, s.safe), p.unsafe - 1);
  }
  for (const int64_t next : {0, 1}) {
    const float* x =
        cut_values(k, side, [&](size_t i) { return guess[i] < 0 ? 0 : guess[i] + next; });
    for (size_t i = 0; i < count_; ++i) {
      if (guess[i] >= 0) settle(k, side, i, x[i], guess[i] + next);
    }
  }
  std::vector<int64_t>&low = scratch_.low, &high = scratch_.high;
  const auto open = [&](size_t i) {
    const Pair& p = pair(k, side, i);
    return p.state != State::kDone && !p.held && p.unsafe - p.safe > 1;
  };
  for (const Verdict wanted : {Verdict::kSafe, Verdict::kCritical}) {
    bool any = false;
    for (size_t i = 0; i < count_; ++i) {
      const Pair& p = pair(k, side, i);
      const bool looks = open(i) && (wanted == Verdict::kSafe || p.confirmed);
      low[i] = looks ? p.safe : 0;
      high[i] = looks ? p.unsafe : 0;
      any = any || looks;
    }
    if (!any) continue;
    bisect_points(k, side, low, high, [&](size_t i, float x) {
      return (bracket(k, i).verdict(x) == wanted) == (wanted == Verdict::kSafe);
    });
    for (size_t i = 0; i < count_; ++i) {
      Pair& p = pair(k, side, i);
      if (high[i] == 0) continue;
      (wanted == Verdict::kSafe ? p.safe : p.unsafe) = wanted == Verdict::kSafe ? low[i] : high[i];
      if (p.confirmed && p.unsafe - p.safe == 1) p.state = State::kDone;
    }
  }
}

// Takes a point that is known without a probe. False where it is not.
bool GuidedSearch::settle(size_t k, int side, size_t lane, float cut_value, int64_t point) {
  Pair& p = pair(k, side, lane);
  const Verdict verdict = bracket(k, lane).verdict(cut_value);
  if (verdict == Verdict::kUnknown) return false;
  if (verdict == Verdict::kSafe) {
    p.safe = std::max(p.safe, point);
  } else {
    p.unsafe = std::min(p.unsafe, point);
    p.confirmed = true;
    p.state = State::kActive;
  }
  if (p.safe == p.last || (p.confirmed && p.unsafe - p.safe <= 1)) p.state = State::kDone;
  return true;
}

// A fault for each input whose search goes on; points that are settled by now cost none.
void GuidedSearch::propose(size_t k, int side) {
  const float* a = golden_row(k);
  std::vector<int64_t>&point = scratch_.point, &low = scratch_.low, &high = scratch_.high;
  std::vector<double>& target = scratch_.target;
  std::vector<uint8_t>& waits = scratch_.waits;
  waits.assign(count_, 0);
  int settled = 0;  // rounds in which a point was
  for (bool again = true; again;) {
    again = false;
    // On a plateau of the cut the next point would be settled just so, one after the other.
    if (settled > 1) narrow(k, side);
    bool any = false;
    for (size_t i = 0; i < count_; ++i) {
      const Pair& p = pair(k, side, i);
      point[i] = 0;
      target[i] = BracketSide::kNone;
      if (p.state == State::kDone || p.held || waits[i]) continue;
      any = true;
      if (p.state == State::kOpen || p.unsafe - p.safe == 1) {
        point[i] = p.unsafe;
        continue;
      }
      if (shortcuts_.guide) target[i] = crossing(p, bracket(k, i));
      point[i] = std::isnan(target[i])
                     ? p.safe + (p.unsafe - p.safe) / 2
                     : std::clamp(lattice_.index(a[i], side, static_cast<float>(target[i])),
                                  p.safe + 1, p.unsafe - 1);
    }
    if (!any) return;
    const float* x = cut_values(k, side, [&](size_t i) { return point[i]; });
    // Where the cut value is not the neuron's own the target is found by halves.
    bool pull_back = false;
    for (size_t i = 0; i < count_; ++i) {
      const Pair& p = pair(k, side, i);
      const bool looks = point[i] > 0 && !std::isnan(target[i]) && x[i] != row_[i] &&
                         x[i] != bracket(k, i).golden && p.unsafe - p.safe > 2;
      low[i] = looks ? p.safe : 0;
      high[i] = looks ? p.unsafe : 0;
      pull_back = pull_back || looks;
    }
    if (pull_back) {
      bisect_points(k, side, low, high, [&](size_t i, float value) {
        return pair(k, side, i).above ? value <= target[i] : value >= target[i];
      });
      for (size_t i = 0; i < count_; ++i) {
        if (high[i] > 0) point[i] = std::max(low[i], pair(k, side, i).safe + 1);
      }
      x = cut_values(k, side, [&](size_t i) { return point[i]; });
    }
    for (size_t i = 0; i < count_; ++i) {
      if (point[i] == 0) continue;
      const bool hidden = x[i] == bracket(k, i).golden && pair(k, side, i).state == State::kOpen;
      if (!hidden && settle(k, side, i, x[i], point[i])) {
        again = true;
        continue;
      }
      waits[i] = 1;
      probes_.push_back({k, i, side, point[i], x[i]});
      faults_.push_back(fault(k, i, row_[i], x[i], hidden));
    }
    settled += again ? 1 : 0;
  }
}

void GuidedSearch::hold(std::span<const size_t> neurons) {
  for (const size_t k : neurons) {
    for (const int side : {-1, 1}) start(k, side, true);
  }
}

void GuidedSearch::ask(size_t k, int side, std::span<const int64_t> points) {
  const float* x = cut_values(k, side, [&](size_t i) { return points[i]; });
  for (size_t i = 0; i < count_; ++i) {
    if (points[i] == 0 || verdict(k, side, i, points[i]) != Verdict::kUnknown) continue;
    if (settle(k, side, i, x[i], points[i])) continue;
    probes_.push_back({k, i, side, points[i], x[i]});
    faults_.push_back(fault(k, i, row_[i], x[i], false));
  }
}

Verdict GuidedSearch::verdict(size_t k, int side, size_t lane, int64_t point) const {
  const Pair& p = pair(k, side, lane);
  if (point <= p.safe || all_safe(k, side, lane)) return Verdict::kSafe;
  return p.confirmed && point >= p.unsafe ? Verdict::kCritical : Verdict::kUnknown;
}

bool GuidedSearch::all_safe(size_t k, int side, size_t lane) const {
  const Pair& p = pair(k, side, lane);
  return dead(k) || p.safe == p.last;
}

void GuidedSearch::finish(std::span<const std::pair<size_t, int>> sides,
                          std::span<int64_t> probes) {
  for (const auto& [k, side] : sides) narrow(k, side);
  run_searches(sides, probes);
}

}  // namespace vigor
