// Which faults an injection draws. Fault number i of a space is known from the seed alone: nothing
// that was drawn is kept, and any cut of the work draws the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "random.h"
#include "site.h"

namespace vigor {

/// Equation (7) of METHOD with p = 0.5: faults to draw of `population` for this margin of error.
int64_t sample_size(int64_t population, double margin, double confidence);

/// A random order of [0, size): a Feistel network on the bits of size - 1, with Philox for its
/// rounds. Numbers that it sends beyond the end are sent on until they fall inside (cycle walking;
/// less than one more step on average), so that it stays a bijection.
class Permutation {
 public:
  /// `stream` tells permutations of the same seed apart.
  Permutation(uint64_t size, uint64_t seed, uint64_t stream);
  uint64_t operator()(uint64_t number) const;

 private:
  uint64_t size_, stream_;
  int left_bits_, right_bits_;
  Philox random_;
};

/// Where a fault of a space strikes.
struct FaultPlace {
  int64_t input;    // in the space's list of inputs
  int32_t site;     // of all sites
  int64_t element;  // of the site's tensor
  int64_t place;    // of the fault model
};

/// Places of the fault model x neurons of consecutive sites x inputs, each once and as likely as
/// any other.
class FaultSpace {
 public:
  FaultSpace(std::span<const Site> sites, int32_t first_site, int32_t site_count, int64_t inputs,
             int64_t places);

  int64_t size() const { return inputs_ * starts_.back(); }
  FaultPlace at(int64_t index) const;

 private:
  std::span<const Site> sites_;
  int32_t first_site_;
  int64_t inputs_, places_;
  std::vector<int64_t> starts_;  // of each site's faults for one input, and the end
};

}  // namespace vigor
