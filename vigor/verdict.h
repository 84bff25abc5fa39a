// What is known of a faulty value without running it: by thresholds, or by merged ranges.
#pragma once

#include <cstdint>

#include "run.h"

namespace vigor {

enum class Verdict : uint8_t { kUnknown, kSafe, kCritical };

/// By the values (safe, unsafe) below and above, as SiteResult::thresholds holds them for one input
/// and neuron. kUnknown: between the two.
inline Verdict threshold_verdict(const float* four, float v) {
  if (v >= four[3] || v <= four[1]) return Verdict::kCritical;
  if (v <= four[2] && v >= four[0]) return Verdict::kSafe;
  return Verdict::kUnknown;
}

/// Of neuron k for a golden class: its place in the tally's arrays of (lower, upper) pairs.
inline size_t range_entry(const SiteTally& tally, int32_t golden_class, int64_t k) {
  const int64_t row = tally.rows > 1 ? golden_class : 0;
  return static_cast<size_t>(2 * (row * tally.neurons + k));
}

/// Whether v, fault-free a, lies on one of two bounds (deviations) or further out. Where a bound is
/// none (infinite, or NaN in a file) nothing does.
bool outside(const double* bounds, float v, float a);

/// By the ranges at `entry`: kUnknown in the semi-vulnerable one. |v| is at most kMostProbed.
Verdict range_verdict(const SiteTally& tally, size_t entry, float v, float a);

}  // namespace vigor
