#include "mapping.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "error.h"
#include "printable.h"

namespace vigor {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double sum(const std::vector<int64_t>& values) {
  return static_cast<double>(std::accumulate(values.begin(), values.end(), int64_t{0}));
}

// Of the column `bin` of [K, B].
double sum(const std::vector<int64_t>& values, int64_t bin, int64_t bins) {
  double total = 0;
  for (size_t i = static_cast<size_t>(bin); i < values.size(); i += static_cast<size_t>(bins)) {
    total += static_cast<double>(values[i]);
  }
  return total;
}

double pairs(const Mapping& mapping, const MapSite& site) {
  return static_cast<double>(site.site.neurons.size()) * static_cast<double>(mapping.inputs());
}

// Mean over the sites by their populations.
template <typename Of>
MapFactor mean(const Mapping& mapping, const Of& factor_of) {
  MapFactor all;
  double population = 0;
  for (const MapSite& site : mapping.sites) {
    population += static_cast<double>(site.site.population);
  }
  for (const MapSite& site : mapping.sites) {
    const MapFactor part = factor_of(site);
    const double weight = static_cast<double>(site.site.population) / population;
    for (const auto member :
         {&MapFactor::low, &MapFactor::resolved, &MapFactor::high, &MapFactor::nan,
          &MapFactor::beyond, &MapFactor::gap, &MapFactor::unchanged, &MapFactor::encoded_low,
          &MapFactor::encoded_high}) {
      all.*member += weight * part.*member;
    }
  }
  return all;
}

}  // namespace

MapTally::MapTally(int64_t neurons, int64_t bins)
    : low(static_cast<size_t>(neurons * bins)),
      critical(low),
      high(low),
      nan(static_cast<size_t>(neurons)),
      beyond(nan),
      gap(nan),
      encoded_low(nan),
      encoded_high(nan),
      unchanged(nan) {}

MapFactor map_factor(const Mapping& mapping, const MapSite& site) {
  const MapTally& tally = site.tally;
  const double inputs = pairs(mapping, site);
  const double faults = inputs * static_cast<double>(mapping.bins * mapping.faults_per_bin);
  return {sum(tally.low) / faults,         mapping.per_input ? sum(tally.critical) / faults : kNan,
          sum(tally.high) / faults,        sum(tally.nan) / faults,
          sum(tally.beyond) / faults,      sum(tally.gap) / faults,
          sum(tally.unchanged) / faults,   sum(tally.encoded_low) / inputs,
          sum(tally.encoded_high) / inputs};
}

MapFactor map_factor(const Mapping& mapping) {
  return mean(mapping, [&](const MapSite& site) { return map_factor(mapping, site); });
}

MapFactor map_bin(const Mapping& mapping, int64_t bin) {
  return mean(mapping, [&](const MapSite& site) {
    const double faults = pairs(mapping, site) * static_cast<double>(mapping.faults_per_bin);
    MapFactor factor;
    factor.low = sum(site.tally.low, bin, mapping.bins) / faults;
    factor.resolved =
        mapping.per_input ? sum(site.tally.critical, bin, mapping.bins) / faults : kNan;
    factor.high = sum(site.tally.high, bin, mapping.bins) / faults;
    return factor;
  });
}

Mapping only_site(Mapping mapping, const std::string& name) {
  std::vector<std::string> names;
  for (const MapSite& site : mapping.sites) names.push_back(printable(site.site.name));
  std::erase_if(mapping.sites, [&](const MapSite& site) { return site.site.name != name; });
  if (mapping.sites.empty()) {
    fail("site", "got '{}', expected one of: {}", printable(name), fmt::join(names, ", "));
  }
  return mapping;
}

}  // namespace vigor
