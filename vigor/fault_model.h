// Fault models: what may happen to a stored bit pattern. A model has a fixed number of places, all
// equally likely; a place of a pattern is one faulty pattern.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vigor {

/// flip: place b flips bit b. stuck-0, stuck-1: bit b is 0, or 1 (the same pattern where it was).
/// burst-2 to burst-4: as many adjacent bits from bit b upwards are flipped. two-bits: two
/// different bits are flipped, a place for each pair. zero: all bits are 0. random: place p is the
/// pattern p, so that all patterns of the format are equally likely, the stored one included.
class FaultModel {
 public:
  /// For patterns of `bits` bits, 2 to 32. Throws Error with the names there are, and where a burst
  /// is longer than the pattern.
  static FaultModel parse(const std::string& name, int bits);
  static const std::vector<std::string>& names();

  const std::string& name() const { return name_; }
  int64_t places() const { return places_; }
  uint32_t apply(uint32_t pattern, int64_t place) const;
  /// Number of the (lowest) bit of a place; -1 where places are not single bits or bursts.
  int bit(int64_t place) const { return by_bit_ ? static_cast<int>(place) : -1; }
  /// Whether places are counted bit by bit.
  bool by_bit() const { return by_bit_; }

 private:
  enum class Kind { kFlip, kStuck0, kStuck1, kReplace };
  FaultModel(const std::string& name, Kind kind) : name_(name), kind_(kind) {}

  std::string name_;
  Kind kind_;
  int64_t places_ = 1;
  bool by_bit_ = false;
  std::vector<uint32_t> masks_;  // of each place: bits flipped or stuck; none: the place itself
};

}  // namespace vigor
