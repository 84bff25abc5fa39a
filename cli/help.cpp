#include <fmt/format.h>

#include "commands.h"
#include "man_page.h"

namespace vigor {

namespace {

struct Given {
  std::string command;
  bool man = false;
};

void run(const CLI::App& app, const Given& given) {
  if (given.man) {
    fmt::print("{}", man_page(app));
  } else if (given.command.empty()) {
    // App::help would show the command that was parsed: this one.
    fmt::print("{}",
               app.get_formatter()->make_help(&app, app.get_name(), CLI::AppFormatMode::Normal));
  } else {
    const auto named = [&](const CLI::App* known) { return known->get_name() == given.command; };
    fmt::print(
        "{}", app.get_formatter()->make_help(app.get_subcommands(named).front(),
                                             "vigor " + given.command, CLI::AppFormatMode::Normal));
  }
}

}  // namespace

// The last to be added: it knows all others.
void add_help(CLI::App& app) {
  std::vector<std::string> names{"help"};
  for (const CLI::App* known : app.get_subcommands({})) names.push_back(known->get_name());
  const auto given = std::make_shared<Given>();
  CLI::App* command = app.add_subcommand("help", "Show what a command does, with examples");
  command->add_option("command", given->command, "Command")->check(CLI::IsMember(names));
  command->add_flag("--man", given->man, "Print the manual page, for man -l")->group("");
  command->footer("Examples:\n  vigor help\n  vigor help analyze");
  command->callback([given, &app] { run(app, *given); });
}

}  // namespace vigor
