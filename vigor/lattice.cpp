#include "lattice.h"

#include <algorithm>
#include <bit>

#include "error.h"

namespace vigor {

Lattice::Lattice(int mantissa_bits)
    : shift_(23 - mantissa_bits),
      last_(std::bit_cast<int32_t>(kMostProbed) >> std::clamp(23 - mantissa_bits, 0, 23)) {
  if (mantissa_bits < 0 || mantissa_bits > 23) {
    fail("tolerance bits", "got {}, expected 0 to 23", mantissa_bits);
  }
}

int64_t Lattice::count(float a, int side) const {
  return std::max<int64_t>(last_ - next_above(side > 0 ? a : -a) + 1, 0);
}

float Lattice::point(float a, int side, int64_t index) const {
  if (index == 0) return a;
  return side > 0 ? value(next_above(a) + index - 1) : -value(next_above(-a) + index - 1);
}

int64_t Lattice::index(float a, int side, float v) const {
  const int64_t beyond = side > 0 ? next_above(v) - next_above(a) : next_above(-v) - next_above(-a);
  return std::clamp<int64_t>(beyond, 0, count(a, side));
}

// Index of the least lattice value above a. Zero has index 0, negative values negative indices.
int64_t Lattice::next_above(float a) const {
  const int32_t magnitude = std::bit_cast<int32_t>(a) & 0x7fffffff;
  const int64_t whole = magnitude >> shift_;
  if (std::bit_cast<int32_t>(a) >= 0) return whole + 1;
  const bool on_lattice = (whole << shift_) == magnitude;
  return on_lattice ? 1 - whole : -whole;
}

float Lattice::value(int64_t index) const {
  const auto magnitude = static_cast<int32_t>((index < 0 ? -index : index) << shift_);
  const float positive = std::bit_cast<float>(magnitude);
  return index < 0 ? -positive : positive;
}

}  // namespace vigor
