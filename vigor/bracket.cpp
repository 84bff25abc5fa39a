#include "bracket.h"

#include <algorithm>

namespace vigor {

namespace {

// Steps by interpolation before every other one halves the bracket.
constexpr int kPatience = 8;
// A network without far slopes: critical values this many times as large as the golden one are far,
// and safe ones are sought this many times further at each step.
constexpr double kFar = 64;
constexpr double kReach = 4;
// Steps outwards before the rest is halved.
constexpr int kStepsOutwards = 4;

}  // namespace

void BracketSide::add(float value, float margin, bool is_critical) {
  float& end = is_critical ? critical : safe;
  float& end_margin = is_critical ? critical_margin : safe_margin;
  if (!std::isnan(end)) {
    old = end;
    old_margin = end_margin;
  }
  end = value;
  end_margin = margin;
  ++steps;
}

double BracketSide::crossing(double golden, double slope) const {
  const double s = safe, fs = safe_margin, u = critical, fu = critical_margin, o = old,
               fo = old_margin;
  if (std::isnan(u)) {
    if (steps == 0 || steps > kStepsOutwards) return BracketSide::kNone;
    // The last two points, or the far slope where the margin has not fallen.
    const double fallen = (fo - fs) / std::abs(s - o);
    const double fall = fallen > 0 ? fallen : slope;
    if (!(fall > 0)) return BracketSide::kNone;
    return s + std::copysign(fs / fall, s - golden);
  }
  if (!std::isfinite(fs) || !std::isfinite(fu) || !(fs > fu)) return BracketSide::kNone;
  // Margins that level off say nothing of far distances: go outwards from what values are usual.
  const double scale = std::max(std::abs(golden), 1.0);
  if (!(slope > 0) && std::abs(u - golden) > kFar * scale) {
    const double reach = kReach * scale * std::pow(kReach, steps);
    if (reach <= std::abs(s - golden) || reach >= std::abs(u - golden)) return BracketSide::kNone;
    return golden + std::copysign(reach, u - golden);
  }
  if (steps > kPatience && steps % 2 == 0) return BracketSide::kNone;
  // Inverse quadratic interpolation where the three margins allow it (Chandrupatla), else a secant.
  const double line = s + (u - s) * (fs / (fs - fu));
  if (!std::isfinite(fo) || fo == fs || fo == fu) return line;
  const double xi = (s - u) / (o - u), phi = (fs - fu) / (fo - fu);
  const bool smooth = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
  const double xi2 = (u - s) / (o - s), phi2 = (fu - fs) / (fo - fs);
  const bool smooth2 = phi2 * phi2 < xi2 && (1 - phi2) * (1 - phi2) < 1 - xi2;
  if (!smooth && !smooth2) return line;
  return s * fu * fo / ((fs - fu) * (fs - fo)) + u * fs * fo / ((fu - fs) * (fu - fo)) +
         o * fs * fu / ((fo - fs) * (fo - fu));
}

}  // namespace vigor
