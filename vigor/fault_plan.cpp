#include "fault_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "error.h"
#include "interval.h"
#include "run.h"

namespace vigor {

namespace {

constexpr int kRounds = 8;
// Tells these counters from those of other users of the same seed.
constexpr uint64_t kPurpose = uint64_t{0xFA} << 56;

constexpr uint64_t mask(int bits) { return (uint64_t{1} << bits) - 1; }

}  // namespace

int64_t sample_size(int64_t population, double margin, double confidence) {
  if (!(margin > 0 && margin < 1))
    fail("margin", "got {}, expected a share between 0 and 1", margin);
  if (!(confidence > 0 && confidence < 1)) {
    fail("confidence", "got {}, expected a share between 0 and 1", confidence);
  }
  if (population <= 0) return 0;
  const double t = normal_deviate(confidence);
  const auto all = static_cast<double>(population);
  const double drawn = std::ceil(all / (1 + margin * margin * (all - 1) / (t * t * 0.25)));
  return std::clamp<int64_t>(static_cast<int64_t>(drawn), 1, population);
}

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t stream)
    : size_(size), stream_(stream), random_(seed) {
  const int bits = std::max(static_cast<int>(std::bit_width(size - 1)), 2);
  left_bits_ = bits / 2;
  right_bits_ = bits - left_bits_;
}

uint64_t Permutation::operator()(uint64_t number) const {
  do {
    uint64_t left = number >> right_bits_;
    uint64_t right = number & mask(right_bits_);
    for (uint64_t round = 0; round < kRounds; ++round) {
      uint64_t& to = round % 2 == 0 ? left : right;
      const uint64_t from = round % 2 == 0 ? right : left;
      const uint32_t word = random_.block(kPurpose | round << 32 | from, stream_)[0];
      to ^= word & mask(round % 2 == 0 ? left_bits_ : right_bits_);
    }
    number = left << right_bits_ | right;
  } while (number >= size_);
  return number;
}

FaultSpace::FaultSpace(std::span<const Site> sites, int32_t first_site, int32_t site_count,
                       int64_t inputs, int64_t places)
    : sites_(sites), first_site_(first_site), inputs_(inputs), places_(places), starts_{0} {
  for (int32_t s = first_site; s < first_site + site_count; ++s) {
    const auto neurons = static_cast<int64_t>(sites[static_cast<size_t>(s)].neurons.size());
    starts_.push_back(starts_.back() + neurons * places);
  }
  if (starts_.back() > 0 && inputs > (int64_t{1} << 62) / starts_.back()) {
    fail("faults", "got {} inputs, too many for {} faults each", inputs, starts_.back());
  }
}

FaultPlace FaultSpace::at(int64_t index) const {
  const int64_t rest = index % starts_.back();
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), rest);
  const auto site = static_cast<int32_t>(next - starts_.begin() - 1) + first_site_;
  const int64_t of_site = rest - *(next - 1);
  const auto& neurons = sites_[static_cast<size_t>(site)].neurons;
  return {index / starts_.back(), site, neurons[static_cast<size_t>(of_site / places_)],
          of_site % places_};
}

}  // namespace vigor
