// The factors of a result file, be it of vigor analyze or of vigor map: what vigor diff compares,
// vigor gate limits and vigor overlay draws.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "factors.h"
#include "mapping.h"
#include "sample_mean.h"

namespace vigor {

/// LVF or MVF in the reading of its sheet, between the low and the high one.
struct Figure {
  double value = 0, low = 0, high = 0;
  std::optional<Interval> interval;  // of `value`, where a sample of the neurons was analysed

  /// The most that it can be taken for.
  double upper() const { return interval ? interval->high : value; }
};

struct SiteFigures : SiteHead {
  Figure lvf;
  std::vector<double> nvf;  // of Site::neurons

  Sample sample() const { return {nvf, lvf.value, site.population}; }
};

struct FactorSheet : RunHead {
  StoredKind stored{"float32", "flip"};
  int64_t bits = kBits;  // that the number format has
  Reading reading = Reading::kResolved;
  Figure mvf;
  std::vector<SiteFigures> sites;
};

/// In the reading `reading`, kResolved or kHigh; kHigh where a map file knows no other.
FactorSheet factor_sheet(const Run& run, Reading reading = Reading::kResolved);
FactorSheet factor_sheet(const Mapping& mapping, Reading reading = Reading::kResolved);
/// Of a file of vigor analyze or vigor map; throws Error for any other.
FactorSheet read_factor_sheet(const std::filesystem::path& file,
                              Reading reading = Reading::kResolved);

}  // namespace vigor
