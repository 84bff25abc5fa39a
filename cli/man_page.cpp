#include "man_page.h"

#include <fmt/ranges.h>

#include "app_text.h"
#include "exit_codes.h"

namespace vigor {

namespace {

// Text without markup of its own: hyphens to copy, no line that roff takes for a request.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    const bool first = safe.empty() || safe.back() == '\n';
    if (first && (c == '.' || c == '\'')) safe += "\\&";
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string bold(const std::string& text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string with_full_stop(const std::string& text) {
  const bool ended = text.empty() || text.find_last_of(".:!?") == text.size() - 1;
  return text + (ended ? "" : ".");
}

std::string option_entry(const OptionText& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(bold(name));
  std::string text = fmt::format(".TP\n{}", fmt::join(names, ", "));
  if (!option.value.empty() && option.names.front().starts_with('-')) {
    text += " " + italic(option.value);
  }
  text += "\n" + escaped(with_full_stop(option.description));
  if (!option.choices.empty()) {
    text += escaped(fmt::format(" One of: {}.", fmt::join(option.choices, ", ")));
  }
  if (!option.standard.empty()) text += escaped(fmt::format(" Default: {}.", option.standard));
  if (option.repeated) text += " May be given several times.";
  if (option.required && option.names.front().starts_with('-')) text += " Required.";
  return text + "\n";
}

std::string examples(const std::vector<std::string>& lines) {
  std::string text = ".PP\n.nf\n.RS\n";
  for (const std::string& line : lines) text += escaped(line) + "\n";
  return text + ".RE\n.fi\n";
}

std::string command_section(const CommandText& command) {
  std::string text =
      fmt::format(".SS {}\n{}", escaped("vigor " + command.name), bold("vigor " + command.name));
  if (!command.options.empty()) text += " [" + italic("OPTION") + "...]";
  for (const OptionText& positional : command.positionals) {
    text += " " + italic(positional.names.front()) + (positional.repeated ? "..." : "");
  }
  text += "\n.PP\n" + escaped(with_full_stop(command.description)) + "\n";
  if (!command.notes.empty()) text += ".PP\n" + escaped(command.notes);
  for (const OptionText& positional : command.positionals) text += option_entry(positional);
  for (const OptionText& option : command.options) {
    if (option.names.back() != "--help") text += option_entry(option);
  }
  return text + examples(command.examples);
}

}  // namespace

std::string man_page(const CLI::App& app) {
  const CommandText program = describe_program(app);
  std::string text = fmt::format(
      ".\\\" Made by vigor help --man\n.TH VIGOR 1 \"\" \"vigor {}\" \"User Commands\"\n"
      ".SH NAME\nvigor \\- fault vulnerability of trained neural networks\n"
      ".SH SYNOPSIS\n.B vigor\n.I COMMAND\n[\\fIOPTION\\fR...]\n"
      ".SH DESCRIPTION\n{}",
      escaped(VIGOR_VERSION), escaped(program.description));
  text += ".SH OPTIONS\n";
  for (const OptionText& option : program.options) text += option_entry(option);
  text += ".SH COMMANDS\n";
  for (const CommandText& command : describe_commands(app)) text += command_section(command);
  text += ".SH EXAMPLES\n" + examples(program.examples);
  text += ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitCodes) {
    text += fmt::format(".TP\n.B {}\n{}\n", code, escaped(with_full_stop(meaning)));
  }
  text +=
      ".SH ENVIRONMENT\n.TP\n.B VIGOR_ISA\nInstruction set of the kernels: avx512, avx2 or generic "
      "(the best that the machine has). The results are the same.\n";
  return text;
}

}  // namespace vigor
