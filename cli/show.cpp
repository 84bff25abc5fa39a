#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "commands.h"
#include "error.h"
#include "export.h"
#include "injection_text.h"
#include "mapping.h"
#include "store.h"
#include "tables.h"
#include "usage.h"

namespace vigor {

namespace {

struct Options {
  std::string file, site, csv;
  int top = 20;
  bool json = false;
};

void show_injection(const Options& options) {
  if (!options.csv.empty()) fail("--csv", "{} is an injection file: use --json", options.file);
  Injection injection = read_injection(options.file);
  if (!options.site.empty()) injection = only_site(std::move(injection), options.site);
  fmt::print("{}", options.json ? to_json(injection) : to_text(injection));
}

void show_mapping(const Options& options) {
  if (!options.csv.empty()) fail("--csv", "{} is a map file: use --json", options.file);
  Mapping mapping = read_mapping(options.file);
  if (!options.site.empty()) mapping = only_site(std::move(mapping), options.site);
  fmt::print("{}", options.json ? to_json(mapping) : to_text(mapping));
}

void show(const Options& options) {
  if (holds_injection(options.file)) return show_injection(options);
  if (holds_mapping(options.file)) return show_mapping(options);
  Run run = read_run(options.file);
  if (!options.site.empty()) run = only_site(std::move(run), options.site);
  if (!options.csv.empty()) write_csv(options.csv, run);
  if (options.json) {
    fmt::print("{}", to_json(run));
  } else if (options.csv.empty()) {
    fmt::print("{}", to_text(run, options.top));
  }
}

}  // namespace

void add_show(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Show what a run or an injection found out");
  command->add_option("run", options->file, "File of vigor analyze, vigor inject or vigor map")
      ->required()
      ->type_name("RUN.h5");
  command->add_option("--site", options->site, "This site alone")->type_name("NAME");
  command->add_option("--top", options->top, "Number of the most vulnerable neurons")
      ->transform(at_least(0))
      ->capture_default_str();
  command->add_option("--csv", options->csv, "Write sites.csv, bits.csv and neurons.csv there")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print JSON instead of tables");
  command->footer(
      "Examples:\n"
      "  vigor show run.h5                       summary, sites, bits, 20 worst neurons\n"
      "  vigor show run.h5 --site conv1 --top 5  one layer\n"
      "  vigor show run.h5 --csv results         tables for other programs\n"
      "  vigor show run.h5 --json                the same for scripts");
  command->callback([options] { show(*options); });
}

}  // namespace vigor
