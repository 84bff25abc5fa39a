#include "bracket.h"

#include <algorithm>

namespace vigor {

namespace {

// Steps by interpolation before the rest is halved.
constexpr int kPatience = 12;
// A network without far slopes: critical values this many times as large as the golden one are far,
// and safe ones are sought this many times further at each step.
constexpr double kFar = 64;
constexpr double kReach = 4;
// Steps outwards before the rest is halved.
constexpr int kStepsOutwards = 4;

}  // namespace

void BracketSide::add(float value, float margin, bool is_critical) {
  last_critical = is_critical;
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
    // The last two points, or the far slope where the margin has not fallen; ever further unless
    // it has nearly reached zero.
    if (steps == 0 || steps > kStepsOutwards) return kNone;
    const double fallen = (fo - fs) / std::abs(s - o);
    const double fall = fallen > 0 ? fallen : slope;
    if (!(fall > 0)) return kNone;
    const double reach = std::abs(s - golden);
    const bool near = fallen > 0 && fs < 0.1 * fo;
    const double least = near ? 0 : steps > 1 ? reach : 0.25 * reach;
    return s + std::copysign(std::clamp(fs / fall, least, 8 * reach), s - golden);
  }
  if (!std::isfinite(fs) || !std::isfinite(fu) || !(fs > fu)) return kNone;
  // Margins that level off say nothing of far distances: go outwards from what values are usual.
  const double scale = std::max(std::abs(golden), 1.0);
  if (!(slope > 0) && std::abs(u - golden) > kFar * scale) {
    const double reach = kReach * scale * std::pow(kReach, steps);
    if (reach <= std::abs(s - golden) || reach >= std::abs(u - golden)) return kNone;
    return golden + std::copysign(reach, u - golden);
  }
  if (steps > kPatience) return kNone;
  const double chord = s + (u - s) * (fs / (fs - fu));
  if (!std::isfinite(fo) || fo == fs || fo == fu) return chord;
  // n: the newest point, e: the other end. A secant through the newest point and the one that it
  // replaced nearby; or inverse quadratic interpolation where the margins allow it (Chandrupatla).
  const double n = last_critical ? u : s, fn = last_critical ? fu : fs;
  const double e = last_critical ? s : u, fe = last_critical ? fs : fu;
  const bool same_side = last_critical ? std::abs(o - golden) > std::abs(u - golden)
                                       : std::abs(o - golden) < std::abs(s - golden);
  const double line = n - fn * (n - o) / (fn - fo);
  const bool inside = std::min(s, u) < line && line < std::max(s, u);
  if (same_side && inside && std::abs(n - o) < std::abs(n - e)) return line;
  const double xi = (n - e) / (o - e), phi = (fn - fe) / (fo - fe);
  const bool smooth = phi * phi < xi && (1 - phi) * (1 - phi) < 1 - xi;
  if (!smooth) return chord;
  return s * fu * fo / ((fs - fu) * (fs - fo)) + u * fs * fo / ((fu - fs) * (fu - fo)) +
         o * fs * fu / ((fo - fs) * (fo - fu));
}

}  // namespace vigor
