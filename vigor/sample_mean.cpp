#include "sample_mean.h"

#include <algorithm>
#include <cmath>

namespace vigor {

namespace {

// Variance of an estimated mean, and what is left to estimate it with.
struct Spread {
  double variance = 0;
  double freedom = 0;
};

// Of at least two values.
Spread spread_of_mean(const Sample& sample) {
  const auto count = static_cast<double>(sample.values.size());
  double squares = 0;
  for (const double value : sample.values) squares += std::pow(value - sample.mean, 2);
  const double missing = 1 - count / static_cast<double>(sample.population);
  return {squares / (count - 1) / count * missing, count - 1};
}

Interval interval_around(double mean, Spread spread, Interval range) {
  const double half = student_t(spread.freedom) * std::sqrt(spread.variance);
  return {std::max(range.low, mean - half), std::min(range.high, mean + half)};
}

}  // namespace

std::optional<Interval> mean_interval(const Sample& sample, Interval range) {
  if (sample.whole()) return std::nullopt;
  if (sample.values.size() < 2) return range;
  return interval_around(sample.mean, spread_of_mean(sample), range);
}

std::optional<Interval> mean_interval(std::span<const Sample> parts, double mean, Interval range) {
  double population = 0;
  for (const Sample& part : parts) population += static_cast<double>(part.population);
  double variance = 0, terms = 0, below = 0, above = 0;
  bool sampled = false;
  for (const Sample& part : parts) {
    if (part.whole()) continue;
    sampled = true;
    const double share = static_cast<double>(part.population) / population;
    if (part.values.size() < 2) {
      below += share * (part.mean - range.low);
      above += share * (range.high - part.mean);
      continue;
    }
    const Spread spread = spread_of_mean(part);
    const double term = share * share * spread.variance;
    variance += term;
    terms += term * term / spread.freedom;
  }
  if (!sampled) return std::nullopt;
  const Interval known =
      interval_around(mean, {variance, terms > 0 ? variance * variance / terms : 1}, range);
  return Interval{std::max(range.low, known.low - below), std::min(range.high, known.high + above)};
}

}  // namespace vigor
