// The part of a report's data that is text: CONTENT of docs/report.md.
#pragma once

#include <string>
#include <vector>

#include "report.h"

namespace vigor {

/// `rows`: the classes that have rows of ranges, then that of all inputs. Throws Error where
/// injection or validation are of another model.
std::string report_json(const Run& run, const ReportOptions& options,
                        const std::vector<int64_t>& rows);

}  // namespace vigor
