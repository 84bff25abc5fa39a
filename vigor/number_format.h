// Number formats in which a neuron's value may be stored: float32 to a bit pattern and back
// (METHOD section 5, "for other formats").
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vigor {

/// float32, float16, bfloat16: IEEE 754 binary formats; values too large become infinite.
/// float8-e4m3, float8-e5m2: OCP OFP8 in saturating mode: values too large, infinite ones included,
/// become the largest finite one; e4m3 has no infinity, and one NaN of each sign.
/// int8, int16 (-channel): two's complement times a scale, symmetric: the scale is the largest
/// golden |a| of the tensor (or channel) over 127 or 32767; a flip may reach -128 or -32768.
/// qM.N: two's complement fixed point with M integer bits, N fraction bits and a sign bit.
/// All round to nearest, ties to even; integers saturate, and hold 0 for NaN.
class NumberFormat {
 public:
  /// Throws Error with the names there are.
  static NumberFormat parse(const std::string& name);
  /// Those that take no numbers; "qM.N" besides.
  static const std::vector<std::string>& names();

  const std::string& name() const { return name_; }
  int bits() const { return bits_; }
  /// Whether encode and decode need a scale, and one for each channel.
  bool has_scale() const { return kind_ == Kind::kScaled; }
  bool per_channel() const { return per_channel_; }
  /// For golden values up to `largest` in magnitude. 0 for a tensor that is always 0: there, every
  /// pattern stands for 0.
  float scale(float largest) const;

  /// The pattern, in the low bits().
  uint32_t encode(float a, float scale = 1) const;
  /// Nearest float32; exact for all but fixed point of more than 24 bits and scaled integers.
  float decode(uint32_t pattern, float scale = 1) const;

  /// "sign", "exponent 4", "mantissa 2", "value 6".
  std::string bit_meaning(int bit) const;

 private:
  enum class Kind { kFloat32, kFloat, kScaled, kFixed };
  NumberFormat(std::string name, Kind kind, int bits)
      : name_(std::move(name)), kind_(kind), bits_(bits) {}
  static NumberFormat small_float(const std::string& name, int bits, int mantissa, int least);
  static NumberFormat fixed_point(const std::string& name);
  uint32_t encode_float(float a) const;
  float decode_float(uint32_t pattern) const;

  std::string name_;
  Kind kind_;
  int bits_;
  bool per_channel_ = false;
  int fraction_ = 0;  // mantissa bits, or fraction bits of fixed point
  // Small floats: exponent of the least normal number; patterns without sign of the greatest finite
  // number, of what stands for greater ones, and of NaN.
  int least_exponent_ = 0;
  uint32_t greatest_ = 0, overflow_ = 0, nan_ = 0;
  std::vector<float> values_;  // of all patterns of a small float
};

}  // namespace vigor
