#include "deviation.h"

#include <cmath>
#include <limits>

namespace vigor {

namespace {

struct Exact {
  double high, low;  // v - a == high + low, high the nearest double
};

// Knuth's two-sum.
Exact difference(float v, float a) {
  const double x = v;
  const double y = -static_cast<double>(a);
  const double high = x + y;
  const double part = high - x;
  return {high, (x - (high - part)) + (y - part)};
}

}  // namespace

double deviation_inward(float v, float a) {
  const Exact d = difference(v, a);
  const bool too_far = (d.high > 0 && d.low < 0) || (d.high < 0 && d.low > 0);
  return (too_far ? std::nextafter(d.high, 0.0) : d.high) + 0.0;
}

double deviation_outward(float v, float a) {
  const Exact d = difference(v, a);
  const bool too_near = (d.high > 0 && d.low > 0) || (d.high < 0 && d.low < 0);
  const double outside = std::copysign(std::numeric_limits<double>::infinity(), d.high);
  return (too_near ? std::nextafter(d.high, outside) : d.high) + 0.0;
}

int compare_deviation(float v, float a, double bound) {
  const Exact d = difference(v, a);
  if (d.high != bound) return d.high < bound ? -1 : 1;
  return d.low == 0 ? 0 : (d.low < 0 ? -1 : 1);
}

}  // namespace vigor
