// A run as one HTML page for a browser, self-contained (docs/report.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "injection.h"
#include "run.h"

namespace vigor {

/// What else goes into a report.
struct ReportOptions {
  const Injection* injection = nullptr;  // of the same model
  std::string validation;                // JSON text of vigor validate; empty: none
  /// Sites whose neurons are shown in full detail, beside the most vulnerable of all sites; "all".
  std::vector<std::string> detail;
  int64_t detailed = 2000;  // so many of the most vulnerable of a run too large to show in full
};

/// Whether this program was built with the page (Node.js was there), or an Error saying how to.
bool has_report_page();
void require_report_page();

/// The data of the page: ReportPack's text. Throws Error naming what does not fit the run.
std::string report_data(const Run& run, const ReportOptions& options);

/// Writes `file` whole or not at all. Throws Error where the page is missing from this program.
void write_report(const std::filesystem::path& file, const Run& run, const ReportOptions& options);

/// Nearest float on the side of zero, or on the other one: ranges that are stored shorter stay as
/// cautious as they were.
float toward_zero(double value);
float away_from_zero(double value);

}  // namespace vigor
