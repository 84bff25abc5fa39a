#include "random.h"

namespace vigor {

std::array<uint32_t, 4> Philox::block(uint64_t low, uint64_t high) const {
  const auto part = [](uint64_t x, int i) { return static_cast<uint32_t>(x >> (32 * i)); };
  std::array<uint32_t, 4> c{part(low, 0), part(low, 1), part(high, 0), part(high, 1)};
  uint32_t k0 = part(key_, 0);
  uint32_t k1 = part(key_, 1);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {part(p1, 1) ^ c[1] ^ k0, part(p1, 0), part(p0, 1) ^ c[3] ^ k1, part(p0, 0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

uint64_t Philox::bits64(uint64_t low, uint64_t high) const {
  const auto words = block(low, high);
  return words[0] | (uint64_t{words[1]} << 32);
}

double Philox::uniform(uint64_t low, uint64_t high) const {
  return static_cast<double>(bits64(low, high) >> 11) * 0x1p-53;
}

uint64_t Philox::below(uint64_t bound, uint64_t low, uint64_t high) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(bits64(low, high)) * bound) >> 64);
}

}  // namespace vigor
