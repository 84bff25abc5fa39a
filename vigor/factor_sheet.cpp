#include "factor_sheet.h"

#include <algorithm>
#include <numeric>

#include "number_format.h"
#include "store.h"

namespace vigor {

namespace {

constexpr Interval kShares{0, 1};

// What all kinds of files have alike.
const RunHead& head_of(const RunHead& head) { return head; }
const SiteHead& head_of(const SiteHead& head) { return head; }

// LVF and MVF out of the sites' names, NVF and readings.
void add_model(FactorSheet& sheet) {
  double population = 0;
  for (const SiteFigures& site : sheet.sites) {
    population += static_cast<double>(site.site.population);
  }
  std::vector<Sample> parts;
  for (SiteFigures& site : sheet.sites) {
    const double weight = static_cast<double>(site.site.population) / population;
    sheet.mvf.value += weight * site.lvf.value;
    sheet.mvf.low += weight * site.lvf.low;
    sheet.mvf.high += weight * site.lvf.high;
    parts.push_back(site.sample());
    site.lvf.interval = mean_interval(parts.back(), kShares);
  }
  sheet.mvf.interval = mean_interval(parts, sheet.mvf.value, kShares);
}

double share_of_row(const std::vector<int64_t>& counts, int64_t k, int64_t columns, double faults) {
  const auto row = counts.begin() + k * columns;
  return static_cast<double>(std::accumulate(row, row + columns, int64_t{0})) / faults;
}

}  // namespace

FactorSheet factor_sheet(const Run& run, Reading reading) {
  FactorSheet sheet;
  static_cast<RunHead&>(sheet) = head_of(run);
  sheet.reading = reading;
  for (const SiteResult& site : run.sites) {
    const Factor factor = lvf(site, run.inputs());
    const double value = reading == Reading::kHigh ? factor.high : factor.resolved;
    SiteFigures figures{head_of(site), {value, factor.low, factor.high, std::nullopt}, {}};
    for (int64_t k = 0; k < site.tally.neurons; ++k) {
      figures.nvf.push_back(nvf(site, run.inputs(), k, reading));
    }
    sheet.sites.push_back(std::move(figures));
  }
  add_model(sheet);
  return sheet;
}

FactorSheet factor_sheet(const Mapping& mapping, Reading reading) {
  FactorSheet sheet;
  static_cast<RunHead&>(sheet) = head_of(mapping);
  sheet.stored = mapping.stored;
  sheet.bits = NumberFormat::parse(mapping.stored.format).bits();
  sheet.reading = mapping.per_input ? reading : Reading::kHigh;
  const bool high = sheet.reading == Reading::kHigh;
  const auto faults = static_cast<double>(mapping.inputs() * mapping.bins * mapping.faults_per_bin);
  for (const MapSite& site : mapping.sites) {
    const MapFactor factor = map_factor(mapping, site);
    SiteFigures figures{
        head_of(site), {high ? factor.high : factor.resolved, factor.low, factor.high, {}}, {}};
    const std::vector<int64_t>& counts = high ? site.tally.high : site.tally.critical;
    for (int64_t k = 0; k < std::ssize(site.site.neurons); ++k) {
      figures.nvf.push_back(share_of_row(counts, k, mapping.bins, faults));
    }
    sheet.sites.push_back(std::move(figures));
  }
  add_model(sheet);
  return sheet;
}

FactorSheet read_factor_sheet(const std::filesystem::path& file, Reading reading) {
  if (holds_mapping(file)) return factor_sheet(read_mapping(file), reading);
  const Run run = read_run(file);
  require_factors(run, file.string());
  return factor_sheet(run, reading);
}

}  // namespace vigor
