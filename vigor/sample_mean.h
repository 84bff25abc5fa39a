// Means of finite populations, estimated from random samples without replacement.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "interval.h"

namespace vigor {

/// Values of a random sample of a population, or of all of it, and their mean.
struct Sample {
  std::vector<double> values;
  double mean = 0;
  int64_t population = 0;

  bool whole() const { return std::ssize(values) >= population; }
};

/// 95 % interval of the population's mean, whose values lie in `range`: Student's t with finite
/// population correction; `range` itself for a sample of one. Nothing for the whole population.
std::optional<Interval> mean_interval(const Sample& sample, Interval range);

/// The same of a population of several parts, each sampled by itself (strata), around `mean`:
/// degrees of freedom after Welch and Satterthwaite. Of a part with a sample of one nothing is
/// known of the others: the interval grows by its whole weight.
std::optional<Interval> mean_interval(std::span<const Sample> parts, double mean, Interval range);

}  // namespace vigor
