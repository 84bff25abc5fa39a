// Scalar functions that give the same bits on every instruction set, alone or in a vector loop.
//
// Computed in double by additions, multiplications and divisions alone, rounded to float once.
// Branch-free, so that loops over them vectorise. Only pow() calls the library.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace vigor::functions {

/// e^x to about 1e-14, relative. Beyond +-708 it stays at e^+-708: infinity and 0 as a float.
inline double exp_double(double x) {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  constexpr double kLn2High = 0x1.62e42feep-1;  // n * kLn2High is exact
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kRound = 0x1.8p52;  // adding it leaves the integer in the low bits
  const double low = x < -708.0 ? -708.0 : x;
  const double c = low > 708.0 ? 708.0 : low;
  const double shifted = c * kLog2E + kRound;
  const double n = shifted - kRound;
  const double r = (c - n * kLn2High) - n * kLn2Low;
  double p = 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * std::bit_cast<double>((std::bit_cast<uint64_t>(shifted) + 1023) << 52);
}

/// e^x - 1 for x <= 0, without cancellation near 0.
inline double expm1_double(double x) {
  const double near = x * (1.0 + x * (0.5 + x * (1.0 / 6)));
  const double far = exp_double(x) - 1.0;
  return x > -0x1p-10 ? near : far;
}

inline float exp(float x) { return static_cast<float>(exp_double(x)); }

inline float sigmoid(float x) {
  return static_cast<float>(1.0 / (1.0 + exp_double(-static_cast<double>(x))));
}

inline float tanh(float x) {
  const double d = x;
  const double near = d * (1.0 - d * d * (1.0 / 3));
  const double far = 1.0 - 2.0 / (exp_double(2.0 * d) + 1.0);
  return static_cast<float>(std::fabs(d) < 0x1p-10 ? near : far);
}

/// log(1 + e^x) = max(x, 0) + log1p(e^-|x|), and log1p(u) = 2 atanh(u / (2 + u)).
inline float softplus(float x) {
  const double d = x;
  const double u = exp_double(-std::fabs(d));
  const double s = u / (2.0 + u);
  const double z = s * s;  // at most 1/9
  double p = 1.0 / 23;
  for (int k = 21; k >= 1; k -= 2) p = p * z + 1.0 / k;
  return static_cast<float>((d > 0.0 ? d : 0.0) + 2.0 * s * p);
}

inline float pow(float x, float y) {
  return static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
}

/// x, every NaN made the same one. Of two NaN operands the compiler may let either pass, in one
/// loop and not in another.
inline float one_nan(float x) { return x == x ? x : std::numeric_limits<float>::quiet_NaN(); }

/// The larger (smaller); NaN when either is.
inline float maximum(float a, float b) { return a > b || a != a ? a : b; }
inline float minimum(float a, float b) { return a < b || a != a ? a : b; }

}  // namespace vigor::functions
