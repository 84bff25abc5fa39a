#include "amortised.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "deviation.h"

namespace vigor {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Inputs of each row of ranges that a unit should see, and the limits that its size is kept to.
constexpr int64_t kInputsPerRow = 128, kLeastInputs = 1024, kMostInputs = 8192;

// One golden block of a unit.
class Block {
 public:
  Block(Prober& prober, int32_t site, std::span<const int64_t> block, const UnitOptions& options,
        SiteTally& tally)
      : golden_(prober.golden()),
        site_(prober.site(site)),
        neurons_(elements(site_, block)),
        options_(options),
        tally_(tally),
        search_(prober, options.lattice, site, (*options.facts)[static_cast<size_t>(site)], block,
                options.shortcuts),
        inputs_(static_cast<size_t>(golden_.count())),
        asked_(neurons_.size() * 2 * inputs_),
        points_(inputs_) {}

  void run(std::vector<int64_t>& seen) {
    const std::vector<Lanes> rounds = cut_rounds(seen);
    std::vector<bool> dead(neurons_.size(), true);
    for (const std::vector<size_t>& wave : search_.waves()) {
      search_.hold(wave);
      for (const Lanes& round : rounds) merge_round(wave, round);
      for (const size_t k : wave) dead[k] = false;
    }
    for (size_t k = 0; k < neurons_.size(); ++k) {
      for (const Lanes& round : rounds) {
        add_golden(k, round);
        if (dead[k]) add_thresholds(k, round);
      }
      tally_.contradictions[k] += search_.contradictions()[k];
    }
  }

 private:
  using Lanes = std::vector<size_t>;
  struct Asked {
    int64_t point = 0;   // 0: none
    bool moves = false;  // a bound, so that the threshold is wanted
  };

  // Of a neuron and a side in arrays with a pair for each.
  static size_t place(size_t k, int side) { return k * 2 + (side > 0 ? 1 : 0); }
  Asked& asked(size_t k, int side, size_t lane) { return asked_[place(k, side) * inputs_ + lane]; }
  float golden(size_t k, size_t lane) const {
    return golden_.value(site_.tensor, neurons_[k], static_cast<int64_t>(lane));
  }
  size_t row(size_t lane) const {
    const int32_t golden_class = golden_.golden_class(static_cast<int64_t>(lane));
    return tally_.rows > 1 ? static_cast<size_t>(golden_class) : 0;
  }
  size_t entry(size_t k, int side, size_t row) const {
    return row * 2 * neurons_.size() + place(k, side);
  }
  // The row of an input's class, and that of all inputs.
  template <typename Visit>
  void for_rows(size_t lane, Visit visit) const {
    visit(row(lane));
    if (tally_.rows > 1) visit(static_cast<size_t>(tally_.rows) - 1);
  }

  // Of each row as many inputs as it has seen, at least one.
  std::vector<Lanes> cut_rounds(std::vector<int64_t>& seen) const {
    std::vector<Lanes> waiting(seen.size()), rounds;
    for (size_t i = inputs_; i-- > 0;) {  // the first one last
      if (golden_.golden_class(static_cast<int64_t>(i)) >= 0) waiting[row(i)].push_back(i);
    }
    while (true) {
      Lanes round;
      for (size_t r = 0; r < seen.size(); ++r) {
        for (int64_t left = std::max<int64_t>(seen[r], 1); left > 0 && !waiting[r].empty();
             --left) {
          round.push_back(waiting[r].back());
          waiting[r].pop_back();
          ++seen[r];
        }
      }
      if (round.empty()) return rounds;
      rounds.push_back(std::move(round));
    }
  }

  // Bounds stay as they are until all points of the round are decided and all searches have ended.
  void merge_round(std::span<const size_t> wave, const Lanes& round) {
    if (options_.vulnerable) ask(wave, round, true);
    ask(wave, round, false);
    std::vector<std::pair<size_t, int>> searched;
    for (const size_t k : wave) {
      for (const int side : {-1, 1}) {
        bool any = false;
        for (const size_t i : round) {
          if (!asked(k, side, i).moves) continue;
          search_.release(k, side, i);
          any = true;
        }
        if (any) searched.emplace_back(k, side);
      }
    }
    search_.finish(searched, tally_.probes);
    for (const size_t k : wave) add_thresholds(k, round);
  }

  // Decides which inputs move the outer or the inner bounds.
  void ask(std::span<const size_t> wave, const Lanes& round, bool outer) {
    for (const size_t k : wave) {
      for (const int side : {-1, 1}) {
        std::ranges::fill(points_, 0);
        for (const size_t i : round) points_[i] = choose(k, side, i, outer);
        search_.ask(k, side, points_);
      }
    }
    search_.answer(tally_.probes);
    const Verdict mover = outer ? Verdict::kSafe : Verdict::kCritical;
    for (const size_t k : wave) {
      for (const int side : {-1, 1}) {
        for (const size_t i : round) {
          Asked& a = asked(k, side, i);
          if (a.point > 0) a.moves = search_.verdict(k, side, i, a.point) == mover;
        }
      }
    }
  }

  // The point to ask for. Where that is of no use, 0, and whether the bound moves is known.
  int64_t choose(size_t k, int side, size_t lane, bool outer) {
    Asked& a = asked(k, side, lane);
    a.point = 0;
    if (a.moves || search_.all_safe(k, side, lane)) return 0;
    const size_t e = entry(k, side, row(lane));
    const float v = golden(k, lane);
    if (outer) {
      if (tally_.finite[e] > 0) {
        a.point = outer_point(options_.lattice, v, side, tally_.vulnerable_finite[e]);
      }
      a.moves = a.point == 0;
    } else {
      a.point = inner_point(options_.lattice, v, side, tally_.nonvulnerable[e]);
      // The end of the side is the search's to ask for.
      a.moves = a.point == options_.lattice.count(v, side);
      if (a.moves) a.point = 0;
    }
    return a.point;
  }

  void add_thresholds(size_t k, const Lanes& round) {
    for (const int side : {-1, 1}) {
      for (const size_t i : round) {
        if (search_.all_safe(k, side, i)) {
          for_rows(i, [&](size_t r) { tally_.vulnerable[entry(k, side, r)] = side * kInfinity; });
        } else {
          if (asked(k, side, i).moves) move_bounds(k, side, i);
          for_rows(i, [&](size_t r) { ++tally_.finite[entry(k, side, r)]; });
        }
      }
    }
  }

  void move_bounds(size_t k, int side, size_t lane) {
    const float a = golden(k, lane);
    const Threshold t = search_.threshold(k, side, lane);
    const double inner = deviation_inward(t.safe, a), outer = deviation_outward(t.unsafe, a);
    const auto least = [side](double x, double y) {
      return side > 0 ? std::min(x, y) : std::max(x, y);
    };
    const auto most = [side](double x, double y) {
      return side > 0 ? std::max(x, y) : std::min(x, y);
    };
    for_rows(lane, [&](size_t r) {
      const size_t e = entry(k, side, r);
      tally_.nonvulnerable[e] = least(tally_.nonvulnerable[e], inner);
      tally_.vulnerable[e] = most(tally_.vulnerable[e], outer);
      tally_.vulnerable_finite[e] = most(tally_.vulnerable_finite[e], outer);
    });
  }

  void add_golden(size_t k, const Lanes& round) {
    for (const size_t i : round) {
      const float a = golden(k, i);
      for_rows(i, [&](size_t r) {
        float* range = &tally_.golden[entry(k, -1, r)];
        range[0] = std::min(range[0], a);
        range[1] = std::max(range[1], a);
      });
    }
  }

  const Golden& golden_;
  const Site& site_;
  const std::vector<int64_t> neurons_;
  const UnitOptions& options_;
  SiteTally& tally_;
  GuidedSearch search_;
  const size_t inputs_;
  std::vector<Asked> asked_;     // [neuron][side][input]
  std::vector<int64_t> points_;  // of each input
};

}  // namespace

int64_t amortised_inputs(int64_t golden_block, int64_t rows) {
  const int64_t inputs = std::clamp(rows * kInputsPerRow, kLeastInputs, kMostInputs);
  return (inputs + golden_block - 1) / golden_block * golden_block;
}

int64_t inner_point(const Lattice& lattice, float a, int side, double bound) {
  const int64_t last = lattice.count(a, side);
  if (std::isinf(bound)) return last;
  const auto reached = [&](int64_t index) {
    return side * compare_deviation(lattice.point(a, side, index), a, bound) >= 0;
  };
  int64_t index = lattice.index(a, side, static_cast<float>(a + bound));
  while (index > 0 && reached(index - 1)) --index;
  while (index < last && !reached(index)) ++index;
  return index;
}

int64_t outer_point(const Lattice& lattice, float a, int side, double bound) {
  const int64_t last = lattice.count(a, side);
  const auto inside = [&](int64_t index) {
    return side * compare_deviation(lattice.point(a, side, index), a, bound) <= 0;
  };
  int64_t index = lattice.index(a, side, static_cast<float>(a + bound));
  while (index > 0 && !inside(index)) --index;
  while (index < last && inside(index + 1)) ++index;
  return index;
}

AmortisedUnit::AmortisedUnit(int32_t site, std::span<const int64_t> block, int64_t classes,
                             const UnitOptions& options)
    : site_(site),
      block_(block),
      options_(options),
      tally_(std::ssize(block), options.per_class ? classes + 1 : 1, false),
      seen_(static_cast<size_t>(options.per_class ? classes : 1)) {}

void AmortisedUnit::add(Prober& prober) {
  const int64_t macs_before = prober.costs().macs;
  Block(prober, site_, block_, options_, tally_).run(seen_);
  tally_.macs += prober.costs().macs - macs_before;
}

}  // namespace vigor
