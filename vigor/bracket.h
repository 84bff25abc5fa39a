// What the probes of one cut and one input say of its values, and where its margin may cross zero.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "verdict.h"

namespace vigor {

/// One side of the golden cut value. Margins are the golden class's over the best other.
struct BracketSide {
  static constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

  float safe = kNone, safe_margin = kNone;          // furthest value known to be safe
  float critical = kNone, critical_margin = kNone;  // nearest one known to be critical
  float old = kNone, old_margin = kNone;            // the value that one of them replaced last
  int steps = 0;                                    // probes
  bool last_critical = false;                       // the last step's
  bool nan = false;                                 // a critical probe held a NaN

  void add(float value, float margin, bool is_critical);

  /// Value at which the margin is expected to be zero, by interpolation between the two ends; or,
  /// while none is critical, beyond the safe one, where the margin falls by `slope` (0: unknown)
  /// per unit at least in the limit. NaN: no idea, try the middle.
  double crossing(double golden, double slope) const;
};

struct Bracket {
  float golden;
  BracketSide sides[2];  // below, above

  Verdict verdict(float value) const {
    if (value == golden || (value >= sides[0].safe && value <= sides[1].safe)) {
      return Verdict::kSafe;
    }
    const bool critical = value >= sides[1].critical || value <= sides[0].critical;
    return critical ? Verdict::kCritical : Verdict::kUnknown;
  }
};

}  // namespace vigor
