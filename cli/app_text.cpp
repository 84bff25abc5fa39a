#include "app_text.h"

#include <sstream>

namespace vigor {

namespace {

// Out of the name of a type such as "TEXT:{auto,all,none}".
std::vector<std::string> choices_in(const std::string& type) {
  const size_t open = type.find('{'), close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

OptionText describe(const CLI::Option& option) {
  OptionText text;
  if (option.get_positional()) {
    text.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  }
  const std::string type = option.get_type_name();
  // A flag takes no value.
  if (option.get_items_expected_max() > 0) {
    text.value = type.substr(0, type.find(':'));
    if (text.value.empty()) text.value = "VALUE";
  }
  text.choices = choices_in(type);
  text.description = option.get_description();
  text.standard = option.get_default_str();
  text.required = option.get_required();
  text.repeated = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  return text;
}

CommandText describe(const CLI::App& app) {
  CommandText text;
  text.name = app.get_name();
  text.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? text.positionals : text.options).push_back(describe(*option));
  }
  std::istringstream footer(app.get_footer());
  bool examples = false;
  for (std::string line; std::getline(footer, line);) {
    if (line.starts_with("Example")) {
      examples = true;
    } else if (examples && !line.starts_with(' ')) {
      examples = false;
    }
    if (examples) {
      if (line.starts_with(' ')) text.examples.push_back(line.substr(2));
    } else {
      text.notes += line + '\n';
    }
  }
  return text;
}

}  // namespace

CommandText describe_program(const CLI::App& app) { return describe(app); }

std::vector<CommandText> describe_commands(const CLI::App& app) {
  std::vector<CommandText> texts;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (!command->get_group().empty()) texts.push_back(describe(*command));
  }
  return texts;
}

}  // namespace vigor
