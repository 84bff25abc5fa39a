#include "gate.h"

#include "commands.h"
#include "exit_codes.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  std::string run, mvf;
  std::vector<std::string> lvf;
  bool json = false;
};

Limits limits_of(const Given& given) {
  Limits limits;
  if (!given.mvf.empty()) limits.mvf = parse_share(given.mvf, "--max-mvf");
  for (const std::string& text : given.lvf) add_lvf_limit(limits, text);
  return limits;
}

void run(const Given& given, const Limits& limits) {
  const FactorSheet sheet = read_factor_sheet(given.run);
  const std::vector<Check> checks = check_limits(sheet, limits);
  fmt::print("{}", given.json ? to_json(sheet, checks) : to_text(sheet, checks));
  if (!passes(checks)) throw CLI::RuntimeError(kOverLimits);
}

}  // namespace

void add_gate(CLI::App& app) {
  const auto given = std::make_shared<Given>();
  CLI::App* command =
      app.add_subcommand("gate", "Fail unless a run's factors are within limits: for CI");
  command->add_option("run", given->run, "File of vigor analyze or vigor map")
      ->required()
      ->type_name("RUN.h5");
  command
      ->add_option("--max-mvf", given->mvf,
                   "Greatest factor of the model: a share such as 0.02, or 2%")
      ->type_name("SHARE");
  command
      ->add_option("--max-lvf", given->lvf,
                   "Greatest factor of a site, or of every site that is not named")
      ->type_name("[SITE=]SHARE");
  command->add_flag("--json", given->json, "Print JSON instead of a table");
  command->footer(
      "Exit code 0: all within the limits, 3: something is over. Sampled runs are judged by the\n"
      "upper end of their 95 % intervals, maps without kept thresholds by the high reading.\n"
      "Examples:\n"
      "  vigor gate run.h5 --max-mvf 0.02\n"
      "  vigor gate run.h5 --max-mvf 2% --max-lvf 5% --max-lvf conv1=1%\n"
      "  vigor gate int8.h5 --max-lvf 0.1 --json");
  command->callback([given] {
    const Limits limits = checked_usage([&] { return limits_of(*given); });
    if (limits.empty()) throw CLI::RequiredError("--max-mvf or --max-lvf");
    run(*given, limits);
  });
}

}  // namespace vigor
