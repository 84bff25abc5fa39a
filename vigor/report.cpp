#include "report.h"

#include <algorithm>

#include "error.h"
#include "partial_file.h"
#include "report_page.h"

namespace vigor {

namespace {

// In pieces: browsers read one long element at half the speed. Each is whole base64.
void write_data(PartialFile& file, std::string_view text) {
  constexpr size_t kPiece = size_t{1} << 16;
  for (; !text.empty(); text.remove_prefix(std::min(kPiece, text.size()))) {
    file.write(std::string_view(R"(<script type="text/plain" class="data">)"));
    file.write(text.substr(0, kPiece));
    file.write(std::string_view("</script>\n"));
  }
}

}  // namespace

bool has_report_page() { return !report_page().empty(); }

void require_report_page() {
  if (has_report_page()) return;
  fail("report",
       "this vigor was built without the page: install Node.js 18 or later with npm, run "
       "`make deps build` (docs/report.md)");
}

void write_report(const std::filesystem::path& file, const Run& run, const ReportOptions& options) {
  require_report_page();
  const std::string data = report_data(run, options);
  const std::string_view page = report_page();
  const size_t mark = page.find(kReportDataMark);
  if (mark == std::string_view::npos) fail("report", "the page has no place for the data");
  try {
    PartialFile partial(file);
    partial.write(page.substr(0, mark));
    write_data(partial, data);
    partial.write(page.substr(mark + kReportDataMark.size()));
    partial.finish();
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

}  // namespace vigor
