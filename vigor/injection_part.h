// How the findings of an injection stand in a part file.
#pragma once

#include <span>

#include "injection.h"
#include "part.h"

namespace vigor {

/// Only the golden classes and inputs that have faults.
void put_tally(Part& part, const InjectionTally& tally);
InjectionTally get_injection_tally(PartReader& reader, int64_t classes, int64_t inputs);

/// Outcomes of one unit's faults, all but the margin.
void put_outcomes(Part& part, std::span<const Outcome> outcomes);
std::vector<Outcome> get_outcomes(PartReader& reader);

}  // namespace vigor
