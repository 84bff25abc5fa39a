#include "report.h"

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>

#include "commands.h"
#include "error.h"
#include "keep.h"
#include "output.h"
#include "store.h"
#include "text.h"

namespace vigor {

namespace {

struct Given {
  std::string run, injection, validation, output;
  std::vector<std::string> detail;
};

constexpr std::streamsize kMostText = 64 << 20;

std::string read_text(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  std::string text;
  std::array<char, 1 << 16> block;
  while (file.read(block.data(), block.size()) || file.gcount() > 0) {
    text.append(block.data(), static_cast<size_t>(file.gcount()));
    if (std::ssize(text) > kMostText) {
      fail(name, "got more than {} MiB, expected what validate prints", kMostText >> 20);
    }
  }
  if (file.bad() || text.empty()) fail(name, "cannot be read, or is empty");
  return text;
}

void run(const Given& given) {
  require_report_page();
  check_output(given.output, {given.run, given.injection, given.validation});
  const Run run = read_run(given.run);
  check_output(given.output, files_behind(run.provenance, given.run));
  ReportOptions options;
  options.detail = given.detail;
  std::optional<Injection> injection;
  if (!given.injection.empty()) injection = read_injection(given.injection);
  if (injection) options.injection = &*injection;
  if (!given.validation.empty()) options.validation = read_text(given.validation);
  write_report(given.output, run, options);
}

}  // namespace

void add_report(CLI::App& app) {
  const auto given = std::make_shared<Given>();
  CLI::App* command =
      app.add_subcommand("report", "Show a run as a page for the browser, with all its neurons");
  command->add_option("run", given->run, "File of vigor analyze")->required()->type_name("RUN.h5");
  command->add_option("-o,--output", given->output, "Page to write (HTML, self-contained)")
      ->required();
  command->add_option("--injection", given->injection, "Compare with this file of vigor inject")
      ->type_name("FI.h5");
  command->add_option("--validation", given->validation, "Show this result of vigor validate")
      ->type_name("V.json");
  command
      ->add_option("--detail", given->detail,
                   "Sites to show in full detail (ranges of every class, every bit), comma-"
                   "separated, or all; the 2,000 most vulnerable neurons always are")
      ->delimiter(',')
      ->type_name("SITE,...");
  command->footer(
      "Examples:\n"
      "  vigor report run.h5 -o report.html\n"
      "  vigor report run.h5 --injection fi.h5 --detail conv1,fc1 -o report.html");
  command->callback([given] { run(*given); });
}

}  // namespace vigor
