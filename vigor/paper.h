// The paper's own search (METHOD section 3), literally, to compare the default with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "prober.h"
#include "run.h"
#include "search.h"

namespace vigor {

/// How the interval to search is chosen: by the sign of the loss's gradient at a deviation of
/// +-delta, or by the class answered there.
enum class PaperInit : uint8_t { kNone, kGradient, kClass };

inline constexpr double kPaperDelta = 500, kPaperLimit = 2e5;  // deviations: delta and D
inline constexpr double kPaperWidth = 0.05;                    // of the interval where it ends
inline constexpr int64_t kPaperZeroPercent = 98;  // of the inputs: beyond it a neuron is left out

/// Derivative, with respect to the corrupted value, of the sum over j != golden of
/// sigmoid(E_golden - E_j), as float32 gives it; lane of Slopes. 0 where it is not a number.
double loss_slope(const Slopes& slopes, int64_t classes, int64_t lanes, int64_t lane,
                  int32_t golden);

/// As bisect(), of no more than the deviations up to D: beyond it an infinite threshold is claimed.
/// Adds to the tally's probes and paper counts, and takes the checks' multiply-accumulates off.
std::vector<Threshold> paper_search(Prober& prober, int32_t site, std::span<const int64_t> neurons,
                                    PaperInit init, SiteTally& tally);

/// The 98 % rule, when all inputs are merged: what was found of such neurons is taken back, so that
/// they are non-vulnerable up to 2^100. (Its probes stay, as they were run.)
void leave_out_neurons(SiteResult& site, const RunHead& head);

}  // namespace vigor
