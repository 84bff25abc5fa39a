// What --stats shows.
#pragma once

#include <string>

#include "analyze.h"

namespace vigor {

/// Phases, what the probers did, and a table of sites.
std::string stats_table(const Graph& graph, const Run& run, const AnalyzeStats& stats);

}  // namespace vigor
