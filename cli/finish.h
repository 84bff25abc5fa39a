// How a whole result is shown and written, whether run here or merged from parts.
#pragma once

#include <string>

#include "analyze.h"
#include "dataset.h"
#include "inject.h"
#include "progress.h"

namespace vigor {

/// A line per site, and the bar.
AnalyzeProgress show_progress(Progress& progress);

void finish_run(Run& run, const DataOptions& data, const std::string& output, Progress& progress);
/// `list` (may be null): what was run; a line says how much of it was left out.
void finish_injection(Injection& injection, const DataOptions& data, const FaultList* list,
                      const std::string& output, Progress& progress);

}  // namespace vigor
