// Intervals of confidence, at 95 % where nothing else is said.
#pragma once

#include <cstdint>

namespace vigor {

struct Interval {
  double low, high;
};

/// Quantile of Student's t that leaves 2.5 % above it; within 0.5 % of the exact value for whole
/// `freedom` >= 1.
double student_t(double freedom);

/// x below which a standard normal variable lies with this probability (0 < probability < 1), to
/// 1e-12.
double normal_quantile(double probability);

/// Half the width of an interval of this confidence, in standard deviations: 0.95 -> 1.96.
double normal_deviate(double confidence);

/// Wilson's interval of a share that was found in `trials` (infinite: the share itself).
Interval wilson(double share, double trials, double deviate);

/// Trials that count as much without the finite-population correction as `trials` out of
/// `population` without replacement; infinite for all of them.
double effective_trials(double trials, double population);

/// Wilson's interval of a share: `hits` of `trials`. [0, 1] without trials.
Interval wilson(int64_t hits, int64_t trials);

}  // namespace vigor
