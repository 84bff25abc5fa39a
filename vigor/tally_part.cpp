#include "tally_part.h"

namespace vigor {

namespace {

// One order for writing and reading.
template <typename Tally, typename Visit>
void for_each_array(Tally& tally, const Visit& visit) {
  visit(tally.nonvulnerable);
  visit(tally.vulnerable);
  visit(tally.vulnerable_finite);
  visit(tally.finite);
  visit(tally.golden);
  visit(tally.critical);
  visit(tally.critical_nan);
  visit(tally.critical_beyond);
  visit(tally.contradictions);
  visit(tally.probes);
  visit(tally.overflow);
  visit(tally.histogram);
  visit(tally.paper);
}

}  // namespace

void put_tally(Part& part, const SiteTally& tally) {
  for_each_array(tally, [&](const auto& values) { part.put(values); });
  part.put(std::vector{tally.audited, tally.disagreements, tally.macs});
}

SiteTally get_tally(PartReader& reader, int64_t neurons, int64_t rows, bool flips) {
  SiteTally tally(neurons, rows, flips);
  for_each_array(tally, [&](auto& values) { reader.get(values); });
  std::vector<int64_t> sums(3);
  reader.get(sums);
  tally.audited = sums[0];
  tally.disagreements = sums[1];
  tally.macs = sums[2];
  return tally;
}

}  // namespace vigor
