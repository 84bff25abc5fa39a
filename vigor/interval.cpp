#include "interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace vigor {

namespace {
constexpr double kZ = 1.959963984540054;
}

double student_t(double freedom) {
  if (freedom < 1.5) return 12.706;
  if (freedom < 2.5) return 4.303;
  // Cornish-Fisher expansion around the normal quantile.
  const double z = kZ, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  const double v = freedom;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

double normal_quantile(double probability) {
  if (probability > 0.5) return -normal_quantile(1 - probability);
  // Newton's steps from far out on the left, where the distribution function is convex.
  const auto below = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  double x = -std::sqrt(-2 * std::log(2 * probability));
  for (int step = 0; step < 60; ++step) {
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    const double change = (below(x) - probability) / density;
    x -= change;
    if (std::abs(change) < 1e-14 * (1 + std::abs(x))) break;
  }
  return x;
}

double normal_deviate(double confidence) { return -normal_quantile((1 - confidence) / 2); }

Interval wilson(double share, double trials, double deviate) {
  if (trials <= 0) return {0, 1};
  if (std::isinf(trials)) return {share, share};
  const double z2 = deviate * deviate;
  const double middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const double half = deviate / (1 + z2 / trials) *
                      std::sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials));
  return {share > 0 ? std::max(0.0, middle - half) : 0,
          share < 1 ? std::min(1.0, middle + half) : 1};
}

double effective_trials(double trials, double population) {
  if (trials >= population) return std::numeric_limits<double>::infinity();
  return trials * (population - 1) / (population - trials);
}

Interval wilson(int64_t hits, int64_t trials) {
  if (trials <= 0) return {0, 1};
  const auto n = static_cast<double>(trials);
  return wilson(static_cast<double>(hits) / n, n, kZ);
}

}  // namespace vigor
