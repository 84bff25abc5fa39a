#include "unit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bit_flip.h"
#include "deviation.h"
#include "random.h"

namespace vigor {

namespace {

// A flip that is run, and what the thresholds said of it.
enum class Expected { kUnknown, kSafe, kCritical };
struct PendingFlip {
  int64_t neuron;
  int bit;
  bool beyond;  // outside of the search domain
  Expected expected;
  bool audited;
};

Expected by_threshold(const Threshold& below, const Threshold& above, float v) {
  if (v >= above.unsafe || v <= below.unsafe) return Expected::kCritical;
  if (v <= above.safe && v >= below.safe) return Expected::kSafe;
  return Expected::kUnknown;
}

int64_t histogram_bin(double deviation) {
  if (!std::isfinite(deviation)) return kHistogramBins - 1;
  return std::clamp<int64_t>(std::ilogb(deviation) + 150, 0, kHistogramBins - 2);
}

// Keeps the draws of the audit apart from those of other samples by the same seed.
constexpr uint64_t kAuditKey = 0xa0d17;

class Unit {
 public:
  Unit(Prober& prober, int32_t site, int64_t first, int64_t count, const UnitOptions& options)
      : prober_(prober),
        golden_(prober.golden()),
        site_(site),
        neurons_(prober.site(site).neurons.data() + first, static_cast<size_t>(count)),
        options_(options),
        random_(options.seed ^ kAuditKey),
        tally_(count, options.per_class ? prober.graph().classes() + 1 : 1) {}

  SiteTally run(std::vector<Threshold>* thresholds) {
    const int64_t macs_before = prober_.costs().macs;
    thresholds_ = bisect(prober_, options_.lattice, site_, neurons_, tally_.probes);
    for (int64_t k = 0; k < tally_.neurons; ++k) {
      for (int64_t i = 0; i < golden_.count(); ++i) {
        if (golden_.golden_class(i) < 0) continue;
        add_ranges(k, i);
        for (int bit = 0; bit < kBits; ++bit) add_flip(k, i, bit);
      }
    }
    run_pending();
    tally_.macs = prober_.costs().macs - macs_before;
    if (thresholds) *thresholds = std::move(thresholds_);
    return std::move(tally_);
  }

 private:
  float value(int64_t k, int64_t i) const {
    return golden_.value(prober_.site(site_).tensor, neurons_[static_cast<size_t>(k)], i);
  }

  const Threshold* thresholds(int64_t k, int64_t i) const {
    return &thresholds_[static_cast<size_t>((k * golden_.count() + i) * 2)];
  }

  void add_ranges(int64_t k, int64_t i) {
    const float a = value(k, i);
    const Threshold* t = thresholds(k, i);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const bool finite[2] = {std::isfinite(t[0].unsafe), std::isfinite(t[1].unsafe)};
    const double inner[2] = {finite[0] ? deviation_inward(t[0].safe, a) : -kInfinity,
                             finite[1] ? deviation_inward(t[1].safe, a) : kInfinity};
    const double outer[2] = {finite[0] ? deviation_outward(t[0].unsafe, a) : -kInfinity,
                             finite[1] ? deviation_outward(t[1].unsafe, a) : kInfinity};
    if (options_.per_class) {
      add_to_row(golden_.golden_class(i) * tally_.neurons + k, a, inner, outer);
    }
    add_to_row((tally_.rows - 1) * tally_.neurons + k, a, inner, outer);
    for (int side = 0; side < 2; ++side) {
      ++tally_.histogram[static_cast<size_t>(side * kHistogramBins + histogram_bin(outer[side]))];
    }
  }

  void add_to_row(int64_t entry, float a, const double* inner, const double* outer) {
    const auto e = static_cast<size_t>(2 * entry);
    tally_.nonvulnerable[e] = std::max(tally_.nonvulnerable[e], inner[0]);
    tally_.nonvulnerable[e + 1] = std::min(tally_.nonvulnerable[e + 1], inner[1]);
    tally_.vulnerable[e] = std::min(tally_.vulnerable[e], outer[0]);
    tally_.vulnerable[e + 1] = std::max(tally_.vulnerable[e + 1], outer[1]);
    tally_.golden[e] = std::min(tally_.golden[e], a);
    tally_.golden[e + 1] = std::max(tally_.golden[e + 1], a);
    if (std::isfinite(outer[0])) {
      tally_.vulnerable_finite[e] = std::min(tally_.vulnerable_finite[e], outer[0]);
      ++tally_.finite[e];
    }
    if (std::isfinite(outer[1])) {
      tally_.vulnerable_finite[e + 1] = std::max(tally_.vulnerable_finite[e + 1], outer[1]);
      ++tally_.finite[e + 1];
    }
  }

  void add_flip(int64_t k, int64_t i, int bit) {
    const float a = value(k, i);
    const float v = flip_bit(a, bit);
    if (v == a) return;
    const bool beyond = !(std::abs(v) <= kMostProbed);
    const Threshold* t = thresholds(k, i);
    const Expected expected = beyond ? Expected::kUnknown : by_threshold(t[0], t[1], v);
    if (beyond) ++tally_.overflow[static_cast<size_t>(k)];
    const bool nan_side = expected == Expected::kCritical && t[v > a ? 1 : 0].nan;
    const bool drawn = expected != Expected::kUnknown && audited(k, i, bit);
    if (expected == Expected::kUnknown || nan_side || drawn) {
      faults_.push_back({static_cast<int32_t>(i), site_, neurons_[static_cast<size_t>(k)], v});
      pending_.push_back({k, bit, beyond, expected, drawn});
    } else if (expected == Expected::kCritical) {
      ++tally_.critical[static_cast<size_t>(k * kBits + bit)];
    }
  }

  // Drawn by (site, neuron, input, bit) alone, so that any cut of the work audits the same flips.
  bool audited(int64_t k, int64_t i, int bit) const {
    if (options_.audit <= 0) return false;
    const auto input = static_cast<uint64_t>(golden_.first() + i);
    const auto neuron = static_cast<uint64_t>(neurons_[static_cast<size_t>(k)]);
    const auto site = static_cast<uint64_t>(prober_.site(site_).tensor);
    return random_.uniform(neuron * kBits + static_cast<uint64_t>(bit), input << 20 | site) <
           options_.audit;
  }

  void run_pending() {
    std::vector<Outcome> outcomes(faults_.size());
    prober_.run(faults_, outcomes);
    for (size_t f = 0; f < pending_.size(); ++f) {
      const PendingFlip& flip = pending_[f];
      const Outcome& outcome = outcomes[f];
      const auto k = static_cast<size_t>(flip.neuron);
      const size_t cell = k * kBits + static_cast<size_t>(flip.bit);
      if (!outcome.nan || !std::isnan(faults_[f].value)) ++tally_.probes[k];
      if (outcome.critical) ++tally_.critical[cell];
      if (outcome.nan) ++tally_.critical_nan[cell];
      if (outcome.critical && flip.beyond) ++tally_.critical_beyond[cell];
      if (flip.audited) ++tally_.audited;
      if (flip.expected == Expected::kUnknown) continue;
      if (outcome.critical != (flip.expected == Expected::kCritical)) {
        if (flip.audited) ++tally_.disagreements;
        ++tally_.contradictions[k];
      }
    }
  }

  Prober& prober_;
  const Golden& golden_;
  int32_t site_;
  std::span<const int64_t> neurons_;
  const UnitOptions& options_;
  Philox random_;
  SiteTally tally_;
  std::vector<Threshold> thresholds_;
  std::vector<Fault> faults_;
  std::vector<PendingFlip> pending_;
};

}  // namespace

SiteTally run_unit(Prober& prober, int32_t site, int64_t first, int64_t count,
                   const UnitOptions& options, std::vector<Threshold>* thresholds) {
  return Unit(prober, site, first, count, options).run(thresholds);
}

RangeCounts count_by_ranges(const Golden& golden, const Site& site, const SiteTally& total) {
  RangeCounts counts{std::vector<int64_t>(site.neurons.size() * kBits),
                     std::vector<int64_t>(site.neurons.size() * kBits)};
  for (size_t k = 0; k < site.neurons.size(); ++k) {
    for (int64_t i = 0; i < golden.count(); ++i) {
      const int32_t golden_class = golden.golden_class(i);
      if (golden_class < 0) continue;
      const int64_t row = total.rows > 1 ? golden_class : 0;
      const size_t entry = 2 * (static_cast<size_t>(row * total.neurons) + k);
      const float a = golden.value(site.tensor, site.neurons[k], i);
      for (int bit = 0; bit < kBits; ++bit) {
        const float v = flip_bit(a, bit);
        if (v == a || !(std::abs(v) <= kMostProbed)) continue;
        const size_t cell = k * kBits + static_cast<size_t>(bit);
        counts.low[cell] += compare_deviation(v, a, total.vulnerable[entry + 1]) >= 0 ||
                            compare_deviation(v, a, total.vulnerable[entry]) <= 0;
        counts.high[cell] += compare_deviation(v, a, total.nonvulnerable[entry + 1]) > 0 ||
                             compare_deviation(v, a, total.nonvulnerable[entry]) < 0;
      }
    }
  }
  return counts;
}

}  // namespace vigor
