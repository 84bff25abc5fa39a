// Merged ranges alone, for about one probe a side: a point at the current bound, and a search only
// where the bound moves (METHOD section 4, "Amortised merging").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "unit.h"

namespace vigor {

/// Neurons of a unit: so many that the golden runs, which each unit makes for itself, cost little.
inline constexpr size_t kAmortisedNeurons = 512;

/// Inputs of a unit, whole golden blocks: the more, the fewer of them move a bound. `rows`: of
/// ranges.
int64_t amortised_inputs(int64_t golden_block, int64_t rows);

/// The point of a side of `a` that decides whether a bound (a deviation, may be infinite) moves.
/// Of the non-vulnerable range: the first one not inside of the bound. It moves if that is
/// critical.
int64_t inner_point(const Lattice& lattice, float a, int side, double bound);
/// Of the vulnerable range: the last one not beyond the bound. It moves if that is safe; 0 is `a`.
int64_t outer_point(const Lattice& lattice, float a, int side, double bound);

/// A work unit that goes through many golden blocks, in the order of the inputs. Bounds are frozen
/// in rounds that double the inputs seen of a class, and never leave the unit.
class AmortisedUnit {
 public:
  AmortisedUnit(int32_t site, std::span<const int64_t> block, int64_t classes,
                const UnitOptions& options);

  /// The golden block that the prober is bound to.
  void add(Prober& prober);
  const SiteTally& tally() const { return tally_; }

 private:
  const int32_t site_;
  const std::span<const int64_t> block_;
  const UnitOptions& options_;
  SiteTally tally_;
  std::vector<int64_t> seen_;  // inputs by row of ranges
};

}  // namespace vigor
