#include "injection.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace vigor {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const std::vector<int64_t>& cells(const InjectionTally& tally, FaultCount count) {
  switch (count) {
    case FaultCount::kCritical:
      return tally.critical;
    case FaultCount::kMasked:
      return tally.masked;
    case FaultCount::kBenign:
      return tally.benign;
    case FaultCount::kTop5:
      return tally.top5;
    case FaultCount::kNan:
      return tally.nan;
    case FaultCount::kInf:
      return tally.inf;
    default:
      return tally.faults;
  }
}

FaultRate with_interval(double rate, double trials, const Injection& injection) {
  if (trials == 0) return {kNan, 0, 1};
  const Interval interval = wilson(rate, trials, normal_deviate(injection.plan.confidence));
  return {rate, interval.low, interval.high};
}

// `hits` of `drawn` faults out of `population`.
FaultRate as_drawn(int64_t hits, int64_t drawn, double population, const Injection& injection) {
  const auto n = static_cast<double>(drawn);
  const double trials = injection.plan.kind == "list" ? n : effective_trials(n, population);
  return with_interval(static_cast<double>(hits) / n, drawn == 0 ? 0 : trials, injection);
}

double neurons(const InjectionSite& site) { return static_cast<double>(site.site.neurons.size()); }

double places(const Injection& injection) { return static_cast<double>(injection.places); }

// Of a neuron's faults, those in a bin.
double share_of(const Injection& injection, int bin) {
  return bin < kBits ? 1 / places(injection) : 1;
}

double faults_there_are(const Injection& injection, const InjectionSite& site) {
  return neurons(site) * places(injection) * static_cast<double>(injection.inputs());
}

// Inputs are strata of equal weight. The effective number of faults is the one that gives the mean
// the same variance (Kish); with equal samples that is all of them, corrected for their population.
FaultRate mean_over_inputs(const Injection& injection, const InjectionSite& site,
                           const std::vector<int64_t>& hits) {
  double inputs = 0, sum = 0, inverse = 0;
  for (size_t i = 0; i < hits.size(); ++i) {
    const auto n = static_cast<double>(site.tally.input_faults[i]);
    if (n == 0) continue;
    ++inputs;
    sum += static_cast<double>(hits[i]) / n;
    inverse += 1 / effective_trials(n, neurons(site) * places(injection));
  }
  if (inputs == 0) return {kNan, 0, 1};
  return with_interval(sum / inputs, inputs * inputs / inverse, injection);
}

// Sites are strata weighted by their populations; the distances of the bounds add up as squares
// (method of variance estimates recovery). Sites without faults are left out.
template <typename Rate>
FaultRate mean_over_sites(const Injection& injection, const Rate& rate_of) {
  double weights = 0, mean = 0, below = 0, above = 0;
  for (const InjectionSite& site : injection.sites) {
    const FaultRate rate = rate_of(site);
    if (std::isnan(rate.rate)) continue;
    const auto weight = static_cast<double>(site.site.population);
    weights += weight;
    mean += weight * rate.rate;
    below += std::pow(weight * (rate.rate - rate.low), 2);
    above += std::pow(weight * (rate.high - rate.rate), 2);
  }
  if (weights == 0) return {kNan, 0, 1};
  return {mean / weights, std::max(0.0, (mean - std::sqrt(below)) / weights),
          std::min(1.0, (mean + std::sqrt(above)) / weights)};
}

bool plans_inputs(const Injection& injection) {
  return injection.plan.kind == "input" || injection.plan.kind == "exhaustive";
}

bool one_space(const Injection& injection) {
  return injection.plan.kind == "model" || injection.plan.kind == "list";
}

// Of all sites together, as drawn.
template <typename Count>
FaultRate pooled(const Injection& injection, double share_of_space, const Count& count) {
  int64_t hits = 0, drawn = 0;
  double population = 0;
  for (const InjectionSite& site : injection.sites) {
    const auto [site_hits, site_drawn] = count(site);
    hits += site_hits;
    drawn += site_drawn;
    population += faults_there_are(injection, site) * share_of_space;
  }
  return as_drawn(hits, drawn, population, injection);
}

}  // namespace

InjectionTally::InjectionTally(int64_t classes, int64_t inputs) {
  for (auto member : {&InjectionTally::faults, &InjectionTally::critical, &InjectionTally::masked,
                      &InjectionTally::benign, &InjectionTally::top5, &InjectionTally::nan,
                      &InjectionTally::inf}) {
    (this->*member).resize(static_cast<size_t>(classes * kFaultBins));
  }
  for (auto member :
       {&InjectionTally::input_faults, &InjectionTally::input_critical, &InjectionTally::input_nan,
        &InjectionTally::input_correct, &InjectionTally::input_encoded}) {
    (this->*member).resize(static_cast<size_t>(inputs));
  }
}

void InjectionTally::add(int64_t input, int32_t golden_class, int32_t label, int bit,
                         const Outcome& outcome) {
  const auto cell =
      static_cast<size_t>(int64_t{golden_class} * kFaultBins + (bit < 0 ? kBits : bit));
  ++faults[cell];
  critical[cell] += outcome.critical;
  masked[cell] += outcome.masked;
  benign[cell] += !outcome.critical && !outcome.masked;
  top5[cell] += outcome.rank >= 5;
  nan[cell] += outcome.nan;
  inf[cell] += outcome.inf;
  const auto i = static_cast<size_t>(input);
  ++input_faults[i];
  input_critical[i] += outcome.critical;
  input_nan[i] += outcome.nan;
  input_correct[i] += label >= 0 && outcome.top == label;
}

void InjectionTally::merge(const InjectionTally& other) {
  for (auto member :
       {&InjectionTally::faults, &InjectionTally::critical, &InjectionTally::masked,
        &InjectionTally::benign, &InjectionTally::top5, &InjectionTally::nan, &InjectionTally::inf,
        &InjectionTally::input_faults, &InjectionTally::input_critical, &InjectionTally::input_nan,
        &InjectionTally::input_correct, &InjectionTally::input_encoded}) {
    for (size_t i = 0; i < (this->*member).size(); ++i) (this->*member)[i] += (other.*member)[i];
  }
}

std::array<int64_t, kFaultBins> by_bin(const InjectionSite& site, FaultCount count) {
  std::array<int64_t, kFaultBins> sums{};
  const std::vector<int64_t>& values = cells(site.tally, count);
  for (size_t i = 0; i < values.size(); ++i) sums[i % kFaultBins] += values[i];
  return sums;
}

int64_t total(const InjectionSite& site, FaultCount count) {
  const std::vector<int64_t>& values = cells(site.tally, count);
  return std::accumulate(values.begin(), values.end(), int64_t{0});
}

std::vector<int> bins_of(const Injection& injection) {
  const NumberFormat format = NumberFormat::parse(injection.stored.format);
  if (!FaultModel::parse(injection.stored.fault, format.bits()).by_bit()) return {kBits};
  std::vector<int> bins(static_cast<size_t>(injection.places));
  std::iota(bins.begin(), bins.end(), 0);
  return bins;
}

double encoding_rate(const InjectionSite& site) {
  const std::vector<int64_t>& hits = site.tally.input_encoded;
  const auto sum = static_cast<double>(std::accumulate(hits.begin(), hits.end(), int64_t{0}));
  return sum / static_cast<double>(total(site, FaultCount::kFaults));
}

FaultRate site_rate(const Injection& injection, const InjectionSite& site, FaultCount count) {
  if (plans_inputs(injection)) {
    const bool nan = count == FaultCount::kNan;
    return mean_over_inputs(injection, site,
                            nan ? site.tally.input_nan : site.tally.input_critical);
  }
  return as_drawn(total(site, count), total(site, FaultCount::kFaults),
                  faults_there_are(injection, site), injection);
}

FaultRate model_rate(const Injection& injection, FaultCount count) {
  if (one_space(injection)) {
    return pooled(injection, 1, [&](const InjectionSite& site) {
      return std::pair(total(site, count), total(site, FaultCount::kFaults));
    });
  }
  return mean_over_sites(
      injection, [&](const InjectionSite& site) { return site_rate(injection, site, count); });
}

FaultRate bin_rate(const Injection& injection, const InjectionSite& site, int bin) {
  const auto b = static_cast<size_t>(bin);
  return as_drawn(by_bin(site, FaultCount::kCritical)[b], by_bin(site, FaultCount::kFaults)[b],
                  faults_there_are(injection, site) * share_of(injection, bin), injection);
}

FaultRate class_rate(const Injection& injection, const InjectionSite& site, int64_t golden_class) {
  int64_t hits = 0, drawn = 0;
  for (int64_t bin = 0; bin < kFaultBins; ++bin) {
    const auto cell = static_cast<size_t>(golden_class * kFaultBins + bin);
    hits += site.tally.critical[cell];
    drawn += site.tally.faults[cell];
  }
  const int64_t inputs = injection.class_inputs()[static_cast<size_t>(golden_class)];
  return as_drawn(hits, drawn, neurons(site) * places(injection) * static_cast<double>(inputs),
                  injection);
}

FaultRate model_bin_rate(const Injection& injection, int bin) {
  if (one_space(injection)) {
    const auto b = static_cast<size_t>(bin);
    return pooled(injection, share_of(injection, bin), [&](const InjectionSite& site) {
      return std::pair(by_bin(site, FaultCount::kCritical)[b],
                       by_bin(site, FaultCount::kFaults)[b]);
    });
  }
  return mean_over_sites(injection,
                         [&](const InjectionSite& site) { return bin_rate(injection, site, bin); });
}

AccuracyCounts accuracy_counts(const Injection& injection, const InjectionSite& site) {
  AccuracyCounts counts;
  for (size_t i = 0; i < site.tally.input_faults.size(); ++i) {
    if (injection.label[i] < 0) continue;
    const int64_t faults = site.tally.input_faults[i];
    counts.labelled += faults;
    if (injection.golden_class[i] == injection.label[i]) counts.golden_correct += faults;
    counts.faulty_correct += site.tally.input_correct[i];
  }
  return counts;
}

double accuracy_loss(const Injection& injection, const InjectionSite& site) {
  double loss = 0, weights = 0;
  for (size_t i = 0; i < site.tally.input_faults.size(); ++i) {
    const auto faults = static_cast<double>(site.tally.input_faults[i]);
    if (injection.label[i] < 0 || faults == 0) continue;
    const double weight = plans_inputs(injection) ? 1 : faults;
    const double right = injection.golden_class[i] == injection.label[i] ? 1 : 0;
    weights += weight;
    loss += weight * (right - static_cast<double>(site.tally.input_correct[i]) / faults);
  }
  return weights > 0 ? loss / weights : kNan;
}

}  // namespace vigor
