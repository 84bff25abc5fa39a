// What a run found out, for people: text of less than 100 columns.
#pragma once

#include <string>

#include "run.h"

namespace vigor {

/// The run with one site alone; throws Error with the names there are.
Run only_site(Run run, const std::string& name);

/// A summary in plain words, then tables: sites, most vulnerable neurons (`top` of them) and bits,
/// cost. Ends with a line break.
std::string to_text(const Run& run, int top);

}  // namespace vigor
