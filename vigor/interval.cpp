#include "interval.h"

#include <algorithm>
#include <cmath>

namespace vigor {

namespace {
constexpr double kZ = 1.959963984540054;
}

double student_t(double freedom) {
  if (freedom < 1.5) return 12.706;
  if (freedom < 2.5) return 4.303;
  // Cornish-Fisher expansion around the normal quantile.
  const double z = kZ, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const double v = freedom;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

Interval wilson(int64_t hits, int64_t trials) {
  if (trials <= 0) return {0, 1};
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(hits) / n;
  const double z2 = kZ * kZ;
  const double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  const double half = kZ / (1 + z2 / n) * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

}  // namespace vigor
