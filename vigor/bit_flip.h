// Single bit flips of a float32 (METHOD section 5).
#pragma once

#include <bit>
#include <cstdint>

namespace vigor {

/// `a` with bit 0 (least significant) to 31 (sign) flipped.
inline float flip_bit(float a, int bit) {
  return std::bit_cast<float>(std::bit_cast<uint32_t>(a) ^ (uint32_t{1} << bit));
}

}  // namespace vigor
