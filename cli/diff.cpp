#include "commands.h"
#include "difference.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  std::string before, after;
  int top = 20;
  bool json = false;
};

void run(const Given& given) {
  const SheetPair sheets = read_sheet_pair(given.before, given.after);
  const Difference found = difference(sheets.before, sheets.after, given.top);
  fmt::print("{}", given.json ? to_json(sheets, found) : to_text(sheets, found));
}

}  // namespace

void add_diff(CLI::App& app) {
  const auto given = std::make_shared<Given>();
  CLI::App* command =
      app.add_subcommand("diff", "Compare two runs: before and after a change of the network");
  command->add_option("before", given->before, "File of vigor analyze or vigor map")
      ->required()
      ->type_name("BEFORE.h5");
  command->add_option("after", given->after, "The same, after the change")
      ->required()
      ->type_name("AFTER.h5");
  command->add_option("--top", given->top, "Number of the neurons that moved most")
      ->transform(at_least(0))
      ->capture_default_str();
  command->add_flag("--json", given->json, "Print JSON instead of tables");
  command->footer(
      "Sites are matched by name and shape; what is in one file only is said. Sampled runs have\n"
      "95 % intervals of the change; of the same neurons (the default of equal --neurons and\n"
      "--seed) they are narrow. The exit code is 0 whatever has changed: see vigor gate.\n"
      "Examples:\n"
      "  vigor diff before.h5 after.h5               layers, and the 20 neurons that moved most\n"
      "  vigor diff float32.h5 int8.h5 --top 5       a run and its vigor map, or two maps\n"
      "  vigor diff before.h5 after.h5 --json        the same for scripts");
  command->callback([given] { run(*given); });
}

}  // namespace vigor
