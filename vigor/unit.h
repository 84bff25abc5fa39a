// A work unit: one block of a site's neurons for one block of inputs. The analysis is nothing but
// units, merged; what a unit finds depends on nothing outside of it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "guided.h"
#include "lattice.h"
#include "paper.h"
#include "prober.h"
#include "run.h"
#include "search.h"

namespace vigor {

struct UnitOptions {
  Lattice lattice;
  bool per_class = true;  // a row of ranges per golden class beside the one for all
  double audit = 0;       // share of the flips settled without a run that are run all the same
  uint64_t seed = 0;
  std::shared_ptr<const std::vector<SiteFacts>> facts = nullptr;  // of each site; null: bisection
  Shortcuts shortcuts = {};
  PaperInit paper = PaperInit::kNone;  // else the paper's method, whatever the facts
  bool vulnerable = true;              // of amortised merging: the vulnerable ranges too
};

/// Phase 1: thresholds of a block of neurons (their numbers) of the prober's site for the golden
/// block the prober is bound to; what they say of every bit flip; runs for the flips they do not
/// settle. `thresholds` (may be null) receives [neuron, input, side].
SiteTally run_unit(Prober& prober, int32_t site, std::span<const int64_t> block,
                   const UnitOptions& options, std::vector<Threshold>* thresholds = nullptr);

/// Phase 2: counts every flip that the merged ranges of `total` call vulnerable (low reading) or
/// not non-vulnerable (high). No probes. Flips outside of the search domain are not counted here.
struct RangeCounts {
  std::vector<int64_t> low, high;  // [K, bits]
};
RangeCounts count_by_ranges(const Golden& golden, const Site& site, const SiteTally& total);

}  // namespace vigor
