// The points at which a neuron is probed (METHOD section 2, "Points, rounding").
#pragma once

#include <cstdint>

namespace vigor {

/// End of the search domain, 2^100. Beyond it float32 networks overflow.
inline constexpr float kMostProbed = 0x1p100F;

/// Floats with a given number of explicit mantissa bits, ordered as integers, one zero.
class Lattice {
 public:
  /// `mantissa_bits` in 0..23; throws Error otherwise.
  explicit Lattice(int mantissa_bits = 10);

  int mantissa_bits() const { return 23 - shift_; }

  /// Points of one side of `a`: point 0 is `a` itself, points 1..count are the lattice values
  /// beyond it up to kMostProbed. `side` is +1 (above) or -1 (below, mirrored). `a` is finite.
  int64_t count(float a, int side) const;
  float point(float a, int side, int64_t index) const;
  /// The last point of the side that is not beyond v, 0 where v is on the other side of `a`.
  int64_t index(float a, int side, float v) const;

 private:
  int64_t next_above(float a) const;
  float value(int64_t index) const;

  int shift_;
  int64_t last_;
};

}  // namespace vigor
