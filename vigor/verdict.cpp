#include "verdict.h"

#include <cmath>

#include "deviation.h"

namespace vigor {

bool outside(const double* bounds, float v, float a) {
  return (std::isfinite(bounds[1]) && compare_deviation(v, a, bounds[1]) >= 0) ||
         (std::isfinite(bounds[0]) && compare_deviation(v, a, bounds[0]) <= 0);
}

Verdict range_verdict(const SiteTally& tally, size_t entry, float v, float a) {
  if (compare_deviation(v, a, tally.nonvulnerable[entry]) >= 0 &&
      compare_deviation(v, a, tally.nonvulnerable[entry + 1]) <= 0) {
    return Verdict::kSafe;
  }
  return outside(&tally.vulnerable[entry], v, a) ? Verdict::kCritical : Verdict::kUnknown;
}

}  // namespace vigor
