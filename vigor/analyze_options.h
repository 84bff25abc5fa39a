// The options of an analysis: checked, as text for the record, and back.
#pragma once

#include <string>
#include <vector>

#include "analyze.h"
#include "paper.h"

namespace vigor {

/// Throws Error naming the option that is no good. (Sites and neurons are checked where they are
/// chosen.)
void check_options(const AnalyzeOptions& options);

/// Whether there are rows of ranges per golden class.
bool rows_per_class(const AnalyzeOptions& options, const Graph& graph,
                    const std::vector<Site>& sites);

/// Whether ranges are all that is wanted.
bool merges_amortised(const AnalyzeOptions& options);

/// How the paper's method starts; kNone with the default one. Throws Error.
PaperInit paper_init(const AnalyzeOptions& options);

/// RunHead::options: what the results depend on, beside model and data, as JSON. See
/// parse_analyze_options().
std::string canonical(const AnalyzeOptions& options, int64_t inputs, bool per_class);

}  // namespace vigor
