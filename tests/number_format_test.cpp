// Conversions, over every pattern and against the compiler's own types and a table written by hand.
#include "number_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>

#include "error.h"
#include "fault_model.h"
#include "random.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

// Every finite value of a format, the midpoints of neighbours and what lies beside those.
std::vector<float> edges(const NumberFormat& format) {
  std::set<float> values;
  for (uint32_t p = 0; p >> format.bits() == 0; ++p) {
    if (std::isfinite(format.decode(p))) values.insert(format.decode(p));
  }
  std::vector<float> result(values.begin(), values.end());
  const double step =
      static_cast<double>(result.back()) - static_cast<double>(*std::prev(values.end(), 2));
  const size_t count = result.size();
  for (size_t i = 0; i + 1 <= count; ++i) {
    const double next = i + 1 < count ? result[i + 1] : result[i] + step;
    const auto middle = static_cast<float>((static_cast<double>(result[i]) + next) / 2);
    for (const float v :
         {middle, std::nextafter(middle, kInfinity), std::nextafter(middle, -kInfinity)}) {
      result.push_back(v);
      result.push_back(-v);
    }
  }
  const Philox random(1);
  for (uint64_t i = 0; i < 200000; ++i) result.push_back(std::bit_cast<float>(random.block(i)[0]));
  for (const float v : {kInfinity, -kInfinity, std::nanf(""), 0.0F, -0.0F, 3.4e38F, 1e-45F})
    result.push_back(v);
  return result;
}

void expect_round_trip(const NumberFormat& format) {
  for (uint32_t p = 0; p >> format.bits() == 0; ++p) {
    const float value = format.decode(p);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(format.decode(format.encode(value))));
    } else if (std::isfinite(value) || format.bits() == 16) {
      ASSERT_EQ(format.encode(value), p) << format.name();
    }
  }
}

#ifdef __FLT16_MAX__
TEST(NumberFormat, Float16IsTheCompilers) {
  const NumberFormat format = NumberFormat::parse("float16");
  for (uint32_t p = 0; p < 65536; ++p) {
    const auto theirs = static_cast<float>(std::bit_cast<_Float16>(static_cast<uint16_t>(p)));
    ASSERT_TRUE(same(format.decode(p), theirs)) << p;
  }
  for (const float a : edges(format)) {
    const auto theirs = static_cast<_Float16>(a);
    if (std::isnan(a)) {
      ASSERT_TRUE(std::isnan(format.decode(format.encode(a))));
    } else {
      ASSERT_EQ(format.encode(a), std::bit_cast<uint16_t>(theirs)) << a;
    }
  }
}
#endif

// bfloat16 is the upper half of a float32; rounding adds half a step less the even bit.
TEST(NumberFormat, Bfloat16IsTheUpperHalf) {
  const NumberFormat format = NumberFormat::parse("bfloat16");
  for (uint32_t p = 0; p < 65536; ++p) {
    ASSERT_TRUE(same(format.decode(p), std::bit_cast<float>(p << 16))) << p;
  }
  for (const float a : edges(format)) {
    if (std::isnan(a)) continue;
    const uint64_t bits = std::bit_cast<uint32_t>(a);
    ASSERT_EQ(format.encode(a), (bits + 0x7fff + (bits >> 16 & 1)) >> 16) << a;
  }
}

// OCP OFP8, section 5: the values of one sign by hand. e4m3: bias 7, S.1111.111 is NaN, no
// infinity. e5m2: bias 15, S.11111.00 is infinity, the rest of that exponent NaN.
constexpr double kE4M3[] = {0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875};
float e4m3(int p) {
  if (p == 127) return std::nanf("");
  if (p < 8) return static_cast<float>(kE4M3[p] / 64);
  return static_cast<float>((1 + kE4M3[p % 8]) * std::pow(2.0, p / 8 - 7));
}
float e5m2(int p) {
  if (p == 124) return kInfinity;
  if (p > 124) return std::nanf("");
  if (p < 4) return static_cast<float>(p * 0.25 / 16384);
  return static_cast<float>((1 + (p % 4) * 0.25) * std::pow(2.0, p / 4 - 15));
}

TEST(NumberFormat, Float8HoldsTheOcpTable) {
  for (const auto& [name, table, greatest] :
       {std::tuple{"float8-e4m3", &e4m3, 448.0F}, std::tuple{"float8-e5m2", &e5m2, 57344.0F}}) {
    const NumberFormat format = NumberFormat::parse(name);
    for (int p = 0; p < 256; ++p) {
      const float expected = table(p & 127) * (p < 128 ? 1.0F : -1.0F);
      ASSERT_TRUE(same(format.decode(static_cast<uint32_t>(p)), expected)) << name << ' ' << p;
    }
    // Nearest of the table, the even pattern of two; saturating.
    for (const float a : edges(format)) {
      const float coded = format.decode(format.encode(a));
      if (std::isnan(a)) {
        ASSERT_TRUE(std::isnan(coded));
        continue;
      }
      ASSERT_TRUE(std::isfinite(coded) && std::signbit(coded) == std::signbit(a));
      if (std::abs(a) >= greatest) {
        ASSERT_EQ(std::abs(coded), greatest);
        continue;
      }
      int best = 0;
      const double size = std::abs(static_cast<double>(a));
      for (int p = 1; std::isfinite(table(p)) && p < 127; ++p) {
        const double now = std::abs(table(p) - size), before = std::abs(table(best) - size);
        if (now < before || (now == before && p % 2 == 0)) best = p;
      }
      ASSERT_EQ(format.encode(a) & 127U, static_cast<uint32_t>(best)) << name << ' ' << a;
    }
  }
}

TEST(NumberFormat, EveryPatternComesBack) {
  for (const char* name : {"float16", "bfloat16", "float8-e4m3", "float8-e5m2", "q3.4", "q0.7",
                           "q7.8", "q15.0", "q1.0"}) {
    expect_round_trip(NumberFormat::parse(name));
  }
  const NumberFormat whole = NumberFormat::parse("float32");
  for (const float a : {0.0F, -0.0F, 1.5F, -kInfinity}) {
    EXPECT_TRUE(same(whole.decode(whole.encode(a)), a));
  }
}

TEST(NumberFormat, ScaledIntegersByHand) {
  for (const auto& [name, most] : {std::pair{"int8", 127}, std::pair{"int16-channel", 32767}}) {
    const NumberFormat format = NumberFormat::parse(name);
    ASSERT_TRUE(format.has_scale());
    // A power of two, so that every product is exact.
    const float scale = format.scale(0.5F * static_cast<float>(most));
    ASSERT_EQ(scale, 0.5F);
    for (int n = -most - 1; n <= most; ++n) {
      const auto pattern = static_cast<uint32_t>(n) & (most == 127 ? 0xffU : 0xffffU);
      ASSERT_EQ(format.decode(pattern, scale), 0.5F * static_cast<float>(n));
      if (n < -most) continue;
      ASSERT_EQ(format.encode(0.5F * static_cast<float>(n), scale), pattern);
      // Halfway goes to the even one.
      if (n >= most) continue;
      const int even = n % 2 == 0 ? n : n + 1;
      ASSERT_EQ(format.decode(format.encode(0.5F * (static_cast<float>(n) + 0.5F), scale), scale),
                0.5F * static_cast<float>(even));
    }
    EXPECT_EQ(format.decode(format.encode(1e9F, scale), scale), 0.5F * static_cast<float>(most));
    EXPECT_EQ(format.decode(format.encode(-kInfinity, scale), scale),
              -0.5F * static_cast<float>(most));
    EXPECT_EQ(format.encode(std::nanf(""), scale), 0U);
    EXPECT_EQ(format.encode(3, 0), 0U);
    EXPECT_EQ(format.decode(77, 0), 0.0F);
  }
  EXPECT_FALSE(NumberFormat::parse("int8").per_channel());
  EXPECT_TRUE(NumberFormat::parse("int8-channel").per_channel());
}

TEST(NumberFormat, FixedPointByHand) {
  const NumberFormat format = NumberFormat::parse("q3.4");
  ASSERT_EQ(format.bits(), 8);
  for (int n = -128; n < 128; ++n) {
    ASSERT_EQ(format.decode(static_cast<uint32_t>(n) & 0xffU), static_cast<float>(n) / 16);
  }
  EXPECT_EQ(format.decode(format.encode(100)), 127.0F / 16);
  EXPECT_EQ(format.decode(format.encode(-100)), -8.0F);
  EXPECT_EQ(format.decode(format.encode(1.0F / 32)), 0.0F);
  EXPECT_EQ(format.decode(format.encode(3.0F / 32)), 2.0F / 16);
  const NumberFormat wide = NumberFormat::parse("q15.16");
  EXPECT_EQ(wide.encode(-1), 0xffff0000U);
  EXPECT_EQ(wide.encode(kInfinity), 0x7fffffffU);
  EXPECT_EQ(wide.decode(0x80000000U), -32768.0F);
}

TEST(NumberFormat, RefusesWhatItDoesNotKnow) {
  for (const char* name : {"", "float", "q", "q3", "q3.", "q.4", "q-1.4", "q3.4x", "q0.0", "q30.2",
                           "q16.16", "int4", "int8-"}) {
    EXPECT_THROW(NumberFormat::parse(name), Error) << name;
  }
  EXPECT_EQ(NumberFormat::parse("bfloat16").bit_meaning(14), "exponent 7");
  EXPECT_EQ(NumberFormat::parse("q3.4").bit_meaning(4), "integer 0");
  EXPECT_EQ(NumberFormat::parse("int8").bit_meaning(7), "sign");
}

std::vector<uint32_t> patterns(const char* name, int bits, uint32_t stored) {
  const FaultModel model = FaultModel::parse(name, bits);
  std::vector<uint32_t> result;
  for (int64_t place = 0; place < model.places(); ++place)
    result.push_back(model.apply(stored, place));
  return result;
}

TEST(FaultModel, PatternsByHand) {
  using testing::ElementsAre;
  EXPECT_THAT(patterns("flip", 4, 0b0101), ElementsAre(0b0100, 0b0111, 0b0001, 0b1101));
  EXPECT_THAT(patterns("stuck-0", 4, 0b0101), ElementsAre(0b0100, 0b0101, 0b0001, 0b0101));
  EXPECT_THAT(patterns("stuck-1", 4, 0b0101), ElementsAre(0b0101, 0b0111, 0b0101, 0b1101));
  EXPECT_THAT(patterns("burst-2", 4, 0b0101), ElementsAre(0b0110, 0b0011, 0b1001));
  EXPECT_THAT(patterns("burst-3", 4, 0b0101), ElementsAre(0b0010, 0b1011));
  EXPECT_THAT(patterns("burst-4", 4, 0b0101), ElementsAre(0b1010));
  EXPECT_THAT(patterns("two-bits", 3, 0b000), ElementsAre(0b011, 0b101, 0b110));
  EXPECT_THAT(patterns("zero", 4, 0b0101), ElementsAre(0));
  EXPECT_THAT(patterns("random", 2, 0b01), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(FaultModel::parse("two-bits", 32).places(), 496);
  EXPECT_EQ(FaultModel::parse("random", 32).places(), int64_t{1} << 32);
  EXPECT_EQ(FaultModel::parse("random", 32).apply(7, (int64_t{1} << 32) - 1), ~uint32_t{0});
  EXPECT_EQ(FaultModel::parse("burst-2", 8).bit(6), 6);
  EXPECT_EQ(FaultModel::parse("two-bits", 8).bit(6), -1);
  EXPECT_THROW(FaultModel::parse("burst-4", 3), Error);
  EXPECT_THROW(FaultModel::parse("burst-5", 32), Error);
}

}  // namespace
}  // namespace vigor
