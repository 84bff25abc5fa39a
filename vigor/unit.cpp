#include "unit.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "bit_flip.h"
#include "deviation.h"
#include "random.h"

namespace vigor {

namespace {

// A flip that is run, and what the thresholds said of it.
struct PendingFlip {
  int64_t neuron;
  int bit;
  bool beyond;  // outside of the search domain
  Verdict expected;
  bool audited;
  size_t fault;
};

// The thresholds of one neuron, one entry per input.
struct NeuronThresholds {
  explicit NeuronThresholds(size_t count)
      : below_unsafe(count),
        below_safe(count),
        above_safe(count),
        above_unsafe(count),
        nan(count) {}
  std::vector<float> below_unsafe, below_safe, above_safe, above_unsafe;
  std::vector<uint8_t> nan;

  Verdict verdict(size_t i, float v) const {
    const float four[] = {below_safe[i], below_unsafe[i], above_safe[i], above_unsafe[i]};
    return threshold_verdict(four, v);
  }
};

int64_t histogram_bin(double deviation) {
  if (!std::isfinite(deviation)) return kHistogramBins - 1;
  return std::clamp<int64_t>(std::ilogb(deviation) + 150, 0, kHistogramBins - 2);
}

// Keeps the draws of the audit apart from those of other samples by the same seed.
constexpr uint64_t kAuditKey = 0xa0d17;

class Unit {
 public:
  Unit(Prober& prober, int32_t site, std::span<const int64_t> block, const UnitOptions& options)
      : prober_(prober),
        golden_(prober.golden()),
        site_(site),
        neurons_(elements(prober.site(site), block)),
        options_(options),
        random_(options.seed ^ kAuditKey),
        tally_(std::ssize(block), options.per_class ? prober.graph().classes() + 1 : 1),
        inputs_(static_cast<size_t>(golden_.count())),
        row_(static_cast<size_t>(golden_.lanes())),
        stand_ins_(inputs_) {
    if (!options.facts || options.paper != PaperInit::kNone) return;
    const SiteFacts& facts = (*options.facts)[static_cast<size_t>(site)];
    search_.emplace(prober, options.lattice, site, facts, block, options.shortcuts);
    last_fault_.assign(neurons_.size() * inputs_, -1);
  }

  SiteTally run(std::vector<Threshold>* thresholds) {
    const int64_t macs_before = prober_.costs().macs;
    find_thresholds();
    for (int64_t k = 0; k < tally_.neurons; ++k) {
      for (int64_t i = 0; i < golden_.count(); ++i) {
        if (golden_.golden_class(i) >= 0) add_ranges(k, i);
      }
      add_flips(k);
    }
    run_pending();
    tally_.macs += prober_.costs().macs - macs_before;
    if (thresholds) *thresholds = std::move(thresholds_);
    return std::move(tally_);
  }

 private:
  void find_thresholds() {
    if (options_.paper != PaperInit::kNone) {
      thresholds_ = paper_search(prober_, site_, neurons_, options_.paper, tally_);
    } else if (search_) {
      thresholds_ = search_->run(tally_.probes);
    } else {
      thresholds_ = bisect(prober_, options_.lattice, site_, neurons_, tally_.probes);
    }
  }

  const float* golden_row(int64_t k) const {
    return golden_.values(prober_.site(site_).tensor) +
           neurons_[static_cast<size_t>(k)] * golden_.lanes();
  }
  float value(int64_t k, int64_t i) const { return golden_row(k)[i]; }

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

  void add_flips(int64_t k) {
    NeuronThresholds known(inputs_);
    for (size_t i = 0; i < inputs_; ++i) {
      const Threshold* t = thresholds(k, static_cast<int64_t>(i));
      known.below_unsafe[i] = t[0].unsafe;
      known.below_safe[i] = t[0].safe;
      known.above_safe[i] = t[1].safe;
      known.above_unsafe[i] = t[1].unsafe;
      known.nan[i] = t[0].nan || t[1].nan;
    }
    for (int bit = 0; bit < kBits; ++bit) {
      if (!settle_flips(k, bit, known)) add_runs(k, bit, known);
    }
  }

  // Counts the flips of a bit if the thresholds settle them for every input; a plain loop, as
  // nearly all of them do.
  bool settle_flips(int64_t k, int bit, const NeuronThresholds& known) {
    if (options_.audit > 0) return false;
    const float* a = golden_row(k);
    int32_t critical = 0, runs = 0;
    for (size_t i = 0; i < inputs_; ++i) {
      const float v = flip_bit(a[i], bit);
      const int32_t beyond = !(std::abs(v) <= kMostProbed);
      const int32_t unsafe =
          int32_t{v >= known.above_unsafe[i]} | int32_t{v <= known.below_unsafe[i]};
      const int32_t safe = int32_t{v <= known.above_safe[i]} & int32_t{v >= known.below_safe[i]};
      critical += unsafe;
      runs |= beyond | (1 - (unsafe | safe)) | (unsafe & known.nan[i]);
    }
    if (runs == 0) tally_.critical[static_cast<size_t>(k * kBits + bit)] += critical;
    return runs == 0;
  }

  void add_runs(int64_t k, int bit, const NeuronThresholds& known) {
    const float* a = golden_row(k);
    const size_t cell = static_cast<size_t>(k * kBits + bit);
    std::copy_n(a, row_.size(), row_.data());
    bool looked_up = false;
    for (size_t i = 0; i < inputs_; ++i) {
      const float v = flip_bit(a[i], bit);
      const auto input = static_cast<int64_t>(i);
      if (v == a[i] || golden_.golden_class(input) < 0) continue;
      const bool beyond = !(std::abs(v) <= kMostProbed);
      Verdict verdict = beyond ? Verdict::kUnknown : known.verdict(i, v);
      if (beyond) ++tally_.overflow[static_cast<size_t>(k)];
      if (search_ && verdict == Verdict::kUnknown && !looked_up) {
        for (size_t l = 0; l < inputs_; ++l) row_[l] = flip_bit(a[l], bit);
        search_->stand_ins(static_cast<size_t>(k), row_.data(), stand_ins_);
        looked_up = true;
      }
      if (search_ && verdict == Verdict::kUnknown && !beyond) {
        verdict = search_->verdict(static_cast<size_t>(k), stand_ins_[i]);
      }
      const bool nan_side = verdict == Verdict::kCritical && known.nan[i] != 0;
      const bool drawn = verdict != Verdict::kUnknown && audited(k, input, bit);
      if (verdict != Verdict::kUnknown && !nan_side && !drawn) {
        if (verdict == Verdict::kCritical) ++tally_.critical[cell];
        continue;
      }
      const bool shared = search_ && verdict == Verdict::kUnknown;
      const Fault own{static_cast<int32_t>(i), site_, neurons_[static_cast<size_t>(k)], v};
      const size_t fault = shared ? add_shared(k, stand_ins_[i]) : add_fault(k, own);
      pending_.push_back({k, bit, beyond, verdict, drawn, fault});
    }
  }

  size_t add_fault(int64_t k, const Fault& fault) {
    const int tensor = prober_.site(fault.site).tensor;
    const bool runs = !std::isnan(fault.value) &&
                      fault.value != golden_.value(tensor, fault.element, fault.input);
    if (runs) ++tally_.probes[static_cast<size_t>(k)];
    faults_.push_back(fault);
    same_cut_.push_back(-1);
    return faults_.size() - 1;
  }

  // Neurons that feed one cut may ask for the same run.
  size_t add_shared(int64_t k, const Fault& fault) {
    const size_t group = search_->group(static_cast<size_t>(k));
    int64_t& last = last_fault_[group * inputs_ + static_cast<size_t>(fault.input)];
    for (int64_t f = last; f >= 0; f = same_cut_[static_cast<size_t>(f)]) {
      const Fault& other = faults_[static_cast<size_t>(f)];
      if (other.element == fault.element && other.value == fault.value) {
        return static_cast<size_t>(f);
      }
    }
    const size_t added = add_fault(k, fault);
    same_cut_[added] = last;
    last = static_cast<int64_t>(added);
    return added;
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
    for (const PendingFlip& flip : pending_) {
      const Outcome& outcome = outcomes[flip.fault];
      const auto k = static_cast<size_t>(flip.neuron);
      const size_t cell = k * kBits + static_cast<size_t>(flip.bit);
      if (outcome.critical) ++tally_.critical[cell];
      if (outcome.nan) ++tally_.critical_nan[cell];
      if (outcome.critical && flip.beyond) ++tally_.critical_beyond[cell];
      if (flip.audited) ++tally_.audited;
      if (flip.expected == Verdict::kUnknown) continue;
      if (outcome.critical != (flip.expected == Verdict::kCritical)) {
        if (flip.audited) ++tally_.disagreements;
        ++tally_.contradictions[k];
      }
    }
  }

  Prober& prober_;
  const Golden& golden_;
  int32_t site_;
  std::vector<int64_t> neurons_;
  const UnitOptions& options_;
  Philox random_;
  SiteTally tally_;
  std::optional<GuidedSearch> search_;  // none: bisection
  std::vector<Threshold> thresholds_;
  size_t inputs_;
  std::vector<float> row_;  // of the lanes
  std::vector<Fault> stand_ins_;
  std::vector<Fault> faults_;
  std::vector<int64_t> same_cut_;  // per fault: the one before it of the same cut and input, or -1
  std::vector<int64_t> last_fault_;  // [group][input]
  std::vector<PendingFlip> pending_;
};

}  // namespace

SiteTally run_unit(Prober& prober, int32_t site, std::span<const int64_t> block,
                   const UnitOptions& options, std::vector<Threshold>* thresholds) {
  return Unit(prober, site, block, options).run(thresholds);
}

namespace {

// How many of the lowest bits surely stay in a range of deviations when flipped: those of the
// mantissa move a value by half as much from bit to bit.
int small_flips(const double* range, float a) {
  constexpr int kMantissaBits = 23;
  for (int count = kMantissaBits; count > 0; --count) {
    const double most = std::abs(static_cast<double>(flip_bit(a, count - 1)) - a);
    if (range[0] <= -most && most <= range[1]) return count;
  }
  return 0;
}

}  // namespace

RangeCounts count_by_ranges(const Golden& golden, const Site& site, const SiteTally& total) {
  RangeCounts counts{std::vector<int64_t>(site.neurons.size() * kBits),
                     std::vector<int64_t>(site.neurons.size() * kBits)};
  for (size_t k = 0; k < site.neurons.size(); ++k) {
    for (int64_t i = 0; i < golden.count(); ++i) {
      const int32_t golden_class = golden.golden_class(i);
      if (golden_class < 0) continue;
      const size_t entry = range_entry(total, golden_class, static_cast<int64_t>(k));
      const float a = golden.value(site.tensor, site.neurons[k], i);
      for (int bit = small_flips(&total.nonvulnerable[entry], a); bit < kBits; ++bit) {
        const float v = flip_bit(a, bit);
        if (v == a || !(std::abs(v) <= kMostProbed)) continue;
        const size_t cell = k * kBits + static_cast<size_t>(bit);
        const Verdict verdict = range_verdict(total, entry, v, a);
        counts.low[cell] += verdict == Verdict::kCritical;
        counts.high[cell] += verdict != Verdict::kSafe;
      }
    }
  }
  return counts;
}

}  // namespace vigor
