// Intervals of confidence, all at 95 %.
#pragma once

#include <cstdint>

namespace vigor {

struct Interval {
  double low, high;
};

/// Quantile of Student's t that leaves 2.5 % above it; within 0.5 % of the exact value for whole
/// `freedom` >= 1.
double student_t(double freedom);

/// Wilson's interval of a share: `hits` of `trials`. [0, 1] without trials.
Interval wilson(int64_t hits, int64_t trials);

}  // namespace vigor
