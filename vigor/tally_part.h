// How the findings of a site's neurons stand in a part file.
#pragma once

#include "part.h"
#include "run.h"

namespace vigor {

/// What phase 1 found; the counts of phase 2 are left out.
void put_tally(Part& part, const SiteTally& tally);
SiteTally get_tally(PartReader& reader, int64_t neurons, int64_t rows, bool flips = true);

}  // namespace vigor
