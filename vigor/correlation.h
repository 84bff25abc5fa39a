// How far two figures of the same things go together.
#pragma once

#include <span>

namespace vigor {

/// Pearson's r in [-1, 1] of pairs (x[i], y[i]); NaN for fewer than three pairs, or where one side
/// is constant.
double pearson(std::span<const double> x, std::span<const double> y);

/// Spearman's rho: Pearson's r of the ranks, equal values sharing the mean of theirs.
double spearman(std::span<const double> x, std::span<const double> y);

}  // namespace vigor
