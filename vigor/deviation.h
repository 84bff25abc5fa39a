// Deviations d = v - a, never optimistic (METHOD section 2, "Points, rounding").
#pragma once

namespace vigor {

/// v - a in double, rounded towards zero (for the non-vulnerable range) or away from it (for the
/// vulnerable range); exact where a double can hold it. Zero is +0. v, a finite.
double deviation_inward(float v, float a);
double deviation_outward(float v, float a);

/// Sign of (v - a) - bound, by the exact difference. The bound may be infinite.
int compare_deviation(float v, float a, double bound);

}  // namespace vigor
