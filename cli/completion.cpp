#include <fmt/ranges.h>

#include <memory>

#include "app_text.h"
#include "commands.h"
#include "error.h"

namespace vigor {

namespace {

std::vector<std::string> option_names(const CommandText& command) {
  std::vector<std::string> names;
  for (const OptionText& option : command.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

std::vector<std::string> command_names(const std::vector<CommandText>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CommandText& command : commands) names.push_back(command.name);
  return names;
}

std::vector<std::string> argument_choices(const CommandText& command) {
  return command.positionals.empty() ? std::vector<std::string>()
                                     : command.positionals.front().choices;
}

// Values of options by "command option", then options by command; else files.
std::string bash(const CLI::App& app) {
  const std::vector<CommandText> commands = describe_commands(app);
  std::string values, options, arguments;
  for (const CommandText& command : commands) {
    for (const OptionText& option : command.options) {
      if (option.value.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) {
        patterns.push_back(fmt::format("'{} {}'", command.name, name));
      }
      values += option.choices.empty()
                    ? fmt::format("    {}) return ;;\n", fmt::join(patterns, " | "))
                    : fmt::format("    {}) words='{}' ;;\n", fmt::join(patterns, " | "),
                                  fmt::join(option.choices, " "));
    }
    if (const auto choices = argument_choices(command); !choices.empty()) {
      arguments += fmt::format("      {}) words='{}' ;;\n", command.name, fmt::join(choices, " "));
    }
    options += fmt::format("      {}) words='{}' ;;\n", command.name,
                           fmt::join(option_names(command), " "));
  }
  return fmt::format(R"(# bash completion of vigor. Made by: vigor completion bash
_vigor() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}} words=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words='{} {}'
  else
    # Where no words are offered, bash offers files.
    case "$command ${{COMP_WORDS[COMP_CWORD - 1]}}" in
{}    esac
    if [[ -z $words && $current == -* ]]; then
      case $command in
{}      esac
    elif [[ -z $words ]]; then
      case $command in
{}      esac
    fi
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -o default -F _vigor vigor
)",
                     fmt::join(command_names(commands), " "),
                     fmt::join(option_names(describe_program(app)), " "), values, options,
                     arguments);
}

// Inside of single quotes and of an argument of _arguments.
std::string zsh_text(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '\'') {
      safe += "'\\''";
    } else if (c == '\n') {
      safe += ' ';
    } else {
      if (std::string_view("\\[]:").find(c) != std::string_view::npos) safe += '\\';
      safe += c;
    }
  }
  return safe;
}

std::string zsh_action(const std::vector<std::string>& choices) {
  return choices.empty() ? "_files" : fmt::format("({})", fmt::join(choices, " "));
}

std::string zsh_options(const CommandText& command) {
  std::string text;
  for (const OptionText& option : command.options) {
    for (const std::string& name : option.names) {
      // All names of an option exclude each other, unless it may be repeated.
      const std::string excluded =
          option.repeated ? "*" : fmt::format("({})", fmt::join(option.names, " "));
      text += fmt::format(" \\\n        '{}{}[{}]", excluded, name, zsh_text(option.description));
      if (!option.value.empty()) {
        text += fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option.choices));
      }
      text += '\'';
    }
  }
  return text;
}

std::string zsh(const CLI::App& app) {
  const std::vector<CommandText> commands = describe_commands(app);
  std::string list, cases;
  for (const CommandText& command : commands) {
    list += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.description));
    cases += fmt::format("    {})\n      _arguments -S{} \\\n        '*:argument:{}'\n      ;;\n",
                         command.name, zsh_options(command), zsh_action(argument_choices(command)));
  }
  return fmt::format(R"(#compdef vigor
# zsh completion of vigor. Made by: vigor completion zsh
_vigor() {{
  local -a commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    _arguments{}
    return
  fi
  local command=${{words[2]}}
  shift words
  ((CURRENT--))
  case $command in
{}  esac
}}
if [[ ${{funcstack[1]}} == _vigor ]]; then
  _vigor "$@"
else
  compdef _vigor vigor
fi
)",
                     list, zsh_options(describe_program(app)), cases);
}

}  // namespace

void add_completion(CLI::App& app) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print the completion of commands and options for a shell");
  command->add_option("shell", *shell, "Shell")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->footer(
      "Installing vigor installs both. By hand, in .bashrc, or in .zshrc after compinit:\n"
      "Examples:\n"
      "  source <(vigor completion bash)\n"
      "  source <(vigor completion zsh)");
  command->callback([shell, &app] { fmt::print("{}", *shell == "bash" ? bash(app) : zsh(app)); });
}

}  // namespace vigor
