// The page without its data, built from report/ (or, without Node.js, nothing).
#pragma once

#include <string_view>

namespace vigor {

/// HTML with kReportDataMark once, where the data elements go; empty in builds without it.
std::string_view report_page();

inline constexpr std::string_view kReportDataMark = "@@VIGOR_DATA@@";

}  // namespace vigor
