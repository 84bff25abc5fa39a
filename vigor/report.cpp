#include "report.h"

#include "error.h"
#include "partial_file.h"
#include "report_page.h"

namespace vigor {

bool has_report_page() { return !report_page().empty(); }

void write_report(const std::filesystem::path& file, const Run& run, const ReportOptions& options) {
  if (!has_report_page()) {
    fail("report",
         "this vigor was built without the page: install Node.js 18 or later with npm, run "
         "`make deps build` (docs/report.md)");
  }
  const std::string data = report_data(run, options);
  const std::string_view page = report_page();
  const size_t mark = page.find(kReportDataMark);
  if (mark == std::string_view::npos) fail("report", "the page has no place for the data");
  try {
    PartialFile partial(file);
    partial.write(page.substr(0, mark));
    partial.write(data);
    partial.write(page.substr(mark + kReportDataMark.size()));
    partial.finish();
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

}  // namespace vigor
