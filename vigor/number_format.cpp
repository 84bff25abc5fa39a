#include "number_format.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "error.h"
#include "printable.h"

namespace vigor {

namespace {

constexpr const char* kPerChannel = "-channel";

// Two's complement of `bits` bits.
uint32_t to_pattern(double whole, int bits) {
  return static_cast<uint32_t>(static_cast<int64_t>(whole)) & (~uint32_t{0} >> (32 - bits));
}
int32_t from_pattern(uint32_t pattern, int bits) {
  return static_cast<int32_t>(pattern << (32 - bits)) >> (32 - bits);
}

}  // namespace

const std::vector<std::string>& NumberFormat::names() {
  static const std::vector<std::string> names{"float32",      "float16",     "bfloat16",
                                              "float8-e4m3",  "float8-e5m2", "int8",
                                              "int8-channel", "int16",       "int16-channel"};
  return names;
}

NumberFormat NumberFormat::small_float(const std::string& name, int bits, int mantissa, int least) {
  NumberFormat format(name, Kind::kFloat, bits);
  format.fraction_ = mantissa;
  format.least_exponent_ = least;
  const uint32_t infinity = ((uint32_t{1} << (bits - 1 - mantissa)) - 1) << mantissa;
  format.greatest_ = infinity - 1;
  format.overflow_ = infinity;
  format.nan_ = infinity | uint32_t{1} << (mantissa - 1);
  return format;
}

NumberFormat NumberFormat::fixed_point(const std::string& name) {
  int whole = -1, fraction = -1;
  const char* end = name.data() + name.size();
  const auto [dot, error] = std::from_chars(name.data() + 1, end, whole);
  const bool dotted = error == std::errc() && dot != end && *dot == '.';
  const auto [stop, second] = std::from_chars(dotted ? dot + 1 : end, end, fraction);
  const bool good = dotted && second == std::errc() && stop == end && whole >= 0 && whole <= 31 &&
                    fraction >= 0 && fraction <= 31 && whole + fraction >= 1 &&
                    whole + fraction <= 31;
  if (!good) {
    fail("format", "got '{}', expected qM.N with 1 to 31 integer and fraction bits in all",
         printable(name));
  }
  NumberFormat format(name, Kind::kFixed, 1 + whole + fraction);
  format.fraction_ = fraction;
  return format;
}

NumberFormat NumberFormat::parse(const std::string& name) {
  if (name.starts_with('q')) return fixed_point(name);
  if (std::find(names().begin(), names().end(), name) == names().end()) {
    fail("format", "got '{}', expected qM.N or one of: {}", printable(name),
         fmt::join(names(), ", "));
  }
  if (name == "float32") {
    NumberFormat format(name, Kind::kFloat32, 32);
    format.fraction_ = 23;
    return format;
  }
  if (name.starts_with("int")) {
    NumberFormat format(name, Kind::kScaled, name.starts_with("int8") ? 8 : 16);
    format.per_channel_ = name.ends_with(kPerChannel);
    return format;
  }
  NumberFormat format = name == "float16"       ? small_float(name, 16, 10, -14)
                        : name == "bfloat16"    ? small_float(name, 16, 7, -126)
                        : name == "float8-e5m2" ? small_float(name, 8, 2, -14)
                                                : small_float(name, 8, 3, -6);
  if (name == "float8-e4m3") {
    format.nan_ = 0x7f;
    format.greatest_ = 0x7e;
  }
  if (format.bits_ == 8) format.overflow_ = format.greatest_;
  for (uint32_t pattern = 0; pattern >> format.bits_ == 0; ++pattern) {
    format.values_.push_back(format.decode_float(pattern));
  }
  return format;
}

float NumberFormat::scale(float largest) const {
  return largest / static_cast<float>((1 << (bits_ - 1)) - 1);
}

// Counted in steps of the binade, with the implicit bit, patterns are consecutive: a carry into the
// next binade, or into the overflow pattern, is what rounding up means.
uint32_t NumberFormat::encode_float(float a) const {
  const uint32_t sign = std::signbit(a) ? uint32_t{1} << (bits_ - 1) : 0;
  if (std::isnan(a)) return sign | nan_;
  if (std::isinf(a)) return sign | overflow_;
  if (a == 0) return sign;
  const double magnitude = std::abs(static_cast<double>(a));
  const int exponent = std::max(std::ilogb(magnitude), least_exponent_);
  const auto steps =
      static_cast<uint64_t>(std::nearbyint(std::ldexp(magnitude, fraction_ - exponent)));
  const uint64_t pattern = (static_cast<uint64_t>(exponent - least_exponent_) << fraction_) + steps;
  return sign | (pattern > greatest_ ? overflow_ : static_cast<uint32_t>(pattern));
}

float NumberFormat::decode_float(uint32_t pattern) const {
  const uint32_t magnitude = pattern & ((uint32_t{1} << (bits_ - 1)) - 1);
  const float sign = pattern >> (bits_ - 1) != 0 ? -1.0F : 1.0F;
  if (magnitude > greatest_) {
    const bool infinite = magnitude == greatest_ + 1 && magnitude != nan_;
    return infinite ? std::copysign(std::numeric_limits<float>::infinity(), sign)
                    : std::numeric_limits<float>::quiet_NaN();
  }
  const uint32_t binade = std::max(magnitude >> fraction_, uint32_t{1}) - 1;
  const uint32_t steps = magnitude - (binade << fraction_);
  return std::copysign(
      std::ldexp(static_cast<float>(steps), least_exponent_ + static_cast<int>(binade) - fraction_),
      sign);
}

uint32_t NumberFormat::encode(float a, float scale) const {
  if (kind_ == Kind::kFloat32) return std::bit_cast<uint32_t>(a);
  if (kind_ == Kind::kFloat) return encode_float(a);
  if (std::isnan(a) || scale == 0) return 0;
  const double most = std::ldexp(1.0, bits_ - 1) - 1;
  if (kind_ == Kind::kFixed) {
    const double steps = std::nearbyint(std::ldexp(static_cast<double>(a), fraction_));
    return to_pattern(std::clamp(steps, -most - 1, most), bits_);
  }
  const double steps = std::nearbyint(static_cast<double>(a) / static_cast<double>(scale));
  return to_pattern(std::clamp(steps, -most, most), bits_);
}

float NumberFormat::decode(uint32_t pattern, float scale) const {
  switch (kind_) {
    case Kind::kFloat32:
      return std::bit_cast<float>(pattern);
    case Kind::kFloat:
      return values_[pattern];
    case Kind::kFixed:
      return static_cast<float>(
          std::ldexp(static_cast<double>(from_pattern(pattern, bits_)), -fraction_));
    default:
      return static_cast<float>(from_pattern(pattern, bits_)) * scale;
  }
}

std::string NumberFormat::bit_meaning(int bit) const {
  if (bit == bits_ - 1) return "sign";
  if (kind_ == Kind::kScaled) return fmt::format("value {}", bit);
  if (kind_ == Kind::kFixed) {
    return bit >= fraction_ ? fmt::format("integer {}", bit - fraction_)
                            : fmt::format("fraction {}", bit);
  }
  return bit >= fraction_ ? fmt::format("exponent {}", bit - fraction_)
                          : fmt::format("mantissa {}", bit);
}

}  // namespace vigor
