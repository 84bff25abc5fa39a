// What the parser knows of its commands, as plain text: the source of the man page and of the
// shells' completions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vigor {

struct OptionText {
  std::vector<std::string> names;  // "-o", "--output"; of a positional its one name
  std::string value;               // "FILE"; empty for a flag
  std::vector<std::string> choices;
  std::string description;
  std::string standard;  // default
  bool required = false, repeated = false;
};

struct CommandText {
  std::string name, description;
  std::vector<OptionText> options, positionals;
  std::string notes;                  // before the examples
  std::vector<std::string> examples;  // lines
};

/// The program itself (its global options), then its commands; hidden ones are left out.
CommandText describe_program(const CLI::App& app);
std::vector<CommandText> describe_commands(const CLI::App& app);

}  // namespace vigor
