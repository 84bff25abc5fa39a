// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011). The same key and counter
// give the same number on any thread, in any order.
#pragma once

#include <array>
#include <cstdint>

namespace vigor {

class Philox {
 public:
  explicit Philox(uint64_t key) : key_(key) {}

  /// 128 random bits for this counter.
  std::array<uint32_t, 4> block(uint64_t low, uint64_t high = 0) const;

  /// Uniform in [0, 1), 53 bits.
  double uniform(uint64_t low, uint64_t high = 0) const;

  /// Uniform in [0, bound), unbiased up to 2^-64 * bound.
  uint64_t below(uint64_t bound, uint64_t low, uint64_t high = 0) const;

 private:
  uint64_t bits64(uint64_t low, uint64_t high) const;

  uint64_t key_;
};

}  // namespace vigor
