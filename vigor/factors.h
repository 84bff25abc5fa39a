// Vulnerability factors of bits, neurons, layers and the model (METHOD section 5), as shares from
// 0 to 1, out of the integer counts of a Run. NaN where it has none (Run::has_factors).
#pragma once

#include <array>
#include <optional>
#include <string>

#include "interval.h"
#include "run.h"

namespace vigor {

/// Throws Error for what `asks`, with the remedy, where the run has no factors.
void require_factors(const Run& run, const std::string& asks);

/// Readings of "is critical": in the vulnerable range of the class; by the input's own threshold or
/// a run; in the vulnerable or semi-vulnerable range. kNan: resolved, and the run held a NaN.
enum class Reading { kLow, kResolved, kHigh, kNan };

/// A factor of a layer or of the model.
struct Factor {
  double low = 0, resolved = 0, high = 0;
  double nan = 0;  // part of `resolved` that ends in NaN
  /// Of `resolved`, for all neurons of the site, where only a sample of them was analysed. The NVF
  /// of the neurons is the sample: t interval of its mean with finite population correction; the
  /// model combines the variances of its sites as strata. Says nothing about other inputs, and is
  /// [0, 1] for a site with a sample of one, by whose weight the model's grows. A sample of equal
  /// NVF gives an interval of width 0.
  std::optional<Interval> interval;

  double without_nan() const { return resolved - nan; }
  double non_critical() const { return 1 - resolved; }
};

/// Share of `inputs` (Run::inputs) for which flipping `bit` of the neuron at position `k` of
/// Site::neurons is critical.
double bvf(const SiteResult& site, int64_t inputs, int64_t k, int bit,
           Reading reading = Reading::kResolved);
/// Mean of bvf over the bits.
double nvf(const SiteResult& site, int64_t inputs, int64_t k, Reading reading = Reading::kResolved);
/// Mean of bvf over the neurons, for each bit.
std::array<double, kBits> bit_means(const SiteResult& site, int64_t inputs,
                                    Reading reading = Reading::kResolved);
/// Bit with the greatest bvf of a neuron, the higher one of equals; -1 without factors.
int worst_bit(const SiteResult& site, int64_t inputs, int64_t k);

/// Mean of nvf over the neurons of the site.
Factor lvf(const SiteResult& site, int64_t inputs);
/// Mean of the sites' factors weighted by their populations. Where the sites are not disjoint in
/// the network (a layer before and after its activation) each still counts with its population:
/// the figure is about a random neuron of a site that was analysed.
Factor mvf(const Run& run);
/// The same mean of bit_means.
std::array<double, kBits> model_bit_means(const Run& run, Reading reading = Reading::kResolved);
/// "population: conv1 4704, conv2 1600".
std::string weights_text(const Run& run);

/// How many neurons have a far class below and above.
std::array<int64_t, 2> far_class_neurons(const SiteResult& site);
/// Contradictions of all neurons of the site.
int64_t contradictions(const SiteResult& site);

/// Probes per analysed neuron and input.
double probes_per_pair(const Run& run);
double probes_per_pair(const SiteResult& site, int64_t inputs);
/// Multiply-accumulates executed per analysed neuron and input, in forward passes.
double forward_equivalents(const Run& run);
double forward_equivalents(const SiteResult& site, const Run& run);

}  // namespace vigor
