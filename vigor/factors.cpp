#include "factors.h"

#include <fmt/format.h>

#include <limits>
#include <numeric>

#include "error.h"
#include "sample_mean.h"

namespace vigor {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Interval kShares{0, 1};

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

double sum(const std::vector<int64_t>& values) {
  return static_cast<double>(std::accumulate(values.begin(), values.end(), int64_t{0}));
}

const std::vector<int64_t>& counts(const SiteTally& tally, Reading reading) {
  switch (reading) {
    case Reading::kLow:
      return tally.critical_low;
    case Reading::kHigh:
      return tally.critical_high;
    case Reading::kNan:
      return tally.critical_nan;
    default:
      return tally.critical;
  }
}

// Whether flips were looked at: without, factors are NaN.
bool has_counts(const SiteTally& tally) { return !tally.critical.empty() || tally.neurons == 0; }

double pairs(const SiteResult& site, int64_t inputs) {
  return static_cast<double>(site.tally.neurons) * static_cast<double>(inputs);
}

// NVF of the neurons analysed, around their mean.
Sample nvf_sample(const SiteResult& site, int64_t inputs, double mean) {
  Sample sample{{}, mean, site.site.population};
  for (int64_t k = 0; k < site.tally.neurons; ++k) {
    sample.values.push_back(nvf(site, inputs, k));
  }
  return sample;
}

double population(const Run& run) {
  double total = 0;
  for (const SiteResult& site : run.sites) total += static_cast<double>(site.site.population);
  return total;
}

double weight(const SiteResult& site, const Run& run) {
  return ratio(static_cast<double>(site.site.population), population(run));
}

}  // namespace

void require_factors(const Run& run, const std::string& asks) {
  if (run.has_factors) return;
  fail(asks,
       "the run holds no factors (it was made with --factors none): vigor show has its ranges");
}

double bvf(const SiteResult& site, int64_t inputs, int64_t k, int bit, Reading reading) {
  if (!has_counts(site.tally)) return kNaN;
  const auto cell = static_cast<size_t>(k * kBits + bit);
  return ratio(static_cast<double>(counts(site.tally, reading)[cell]), static_cast<double>(inputs));
}

double nvf(const SiteResult& site, int64_t inputs, int64_t k, Reading reading) {
  if (!has_counts(site.tally)) return kNaN;
  const auto first = counts(site.tally, reading).begin() + k * kBits;
  const auto critical = static_cast<double>(std::accumulate(first, first + kBits, int64_t{0}));
  return ratio(critical, static_cast<double>(inputs) * kBits);
}

std::array<double, kBits> bit_means(const SiteResult& site, int64_t inputs, Reading reading) {
  std::array<int64_t, kBits> critical{};
  const std::vector<int64_t>& cells = counts(site.tally, reading);
  for (size_t cell = 0; cell < cells.size(); ++cell) critical[cell % kBits] += cells[cell];
  std::array<double, kBits> means;
  for (size_t bit = 0; bit < kBits; ++bit) {
    means[bit] = has_counts(site.tally)
                     ? ratio(static_cast<double>(critical[bit]), pairs(site, inputs))
                     : kNaN;
  }
  return means;
}

int worst_bit(const SiteResult& site, int64_t inputs, int64_t k) {
  if (!has_counts(site.tally)) return -1;
  int worst = kBits - 1;
  for (int bit = kBits - 2; bit >= 0; --bit) {
    if (bvf(site, inputs, k, bit) > bvf(site, inputs, k, worst)) worst = bit;
  }
  return worst;
}

Factor lvf(const SiteResult& site, int64_t inputs) {
  if (!has_counts(site.tally)) return {kNaN, kNaN, kNaN, kNaN, std::nullopt};
  const auto share = [&](Reading reading) {
    return ratio(sum(counts(site.tally, reading)), pairs(site, inputs) * kBits);
  };
  Factor factor{share(Reading::kLow), share(Reading::kResolved), share(Reading::kHigh),
                share(Reading::kNan), std::nullopt};
  if (site.tally.neurons < site.site.population) {
    factor.interval = mean_interval(nvf_sample(site, inputs, factor.resolved), kShares);
  }
  return factor;
}

Factor mvf(const Run& run) {
  Factor model;
  std::vector<Sample> parts;
  for (const SiteResult& site : run.sites) {
    const Factor factor = lvf(site, run.inputs());
    const double share = weight(site, run);
    model.low += share * factor.low;
    model.resolved += share * factor.resolved;
    model.high += share * factor.high;
    model.nan += share * factor.nan;
    parts.push_back(nvf_sample(site, run.inputs(), factor.resolved));
  }
  if (run.has_factors) model.interval = mean_interval(parts, model.resolved, kShares);
  return model;
}

std::array<double, kBits> model_bit_means(const Run& run, Reading reading) {
  std::array<double, kBits> means{};
  for (const SiteResult& site : run.sites) {
    const std::array<double, kBits> part = bit_means(site, run.inputs(), reading);
    for (size_t bit = 0; bit < kBits; ++bit) means[bit] += weight(site, run) * part[bit];
  }
  return means;
}

std::string weights_text(const Run& run) {
  std::string text;
  for (const SiteResult& site : run.sites) {
    text += fmt::format("{}{} {}", text.empty() ? "population: " : ", ", site.site.name,
                        site.site.population);
  }
  return text;
}

std::array<int64_t, 2> far_class_neurons(const SiteResult& site) {
  std::array<int64_t, 2> neurons{};
  for (size_t i = 0; i < site.far_class.size(); ++i) neurons[i % 2] += site.far_class[i] >= 0;
  return neurons;
}

int64_t contradictions(const SiteResult& site) {
  const std::vector<int64_t>& parts = site.tally.contradictions;
  return std::accumulate(parts.begin(), parts.end(), int64_t{0});
}

double probes_per_pair(const SiteResult& site, int64_t inputs) {
  return ratio(sum(site.tally.probes), pairs(site, inputs));
}

double probes_per_pair(const Run& run) {
  double probes = 0, all = 0;
  for (const SiteResult& site : run.sites) {
    probes += sum(site.tally.probes);
    all += pairs(site, run.inputs());
  }
  return ratio(probes, all);
}

double forward_equivalents(const SiteResult& site, const Run& run) {
  return ratio(static_cast<double>(site.tally.macs),
               pairs(site, run.inputs()) * static_cast<double>(run.forward_macs));
}

double forward_equivalents(const Run& run) {
  double macs = 0, all = 0;
  for (const SiteResult& site : run.sites) {
    macs += static_cast<double>(site.tally.macs);
    all += pairs(site, run.inputs());
  }
  return ratio(macs, all * static_cast<double>(run.forward_macs));
}

}  // namespace vigor
