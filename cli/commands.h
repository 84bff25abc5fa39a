// The commands. Each adds itself to the application; its callback does the work and may throw.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "dataset.h"

namespace vigor {

void add_inspect(CLI::App& app);
void add_analyze(CLI::App& app);
void add_inject(CLI::App& app);
void add_map(CLI::App& app);
void add_merge(CLI::App& app);
void add_show(CLI::App& app);
void add_report(CLI::App& app);
void add_bench(CLI::App& app);
void add_validate(CLI::App& app);
void add_diff(CLI::App& app);
void add_gate(CLI::App& app);
void add_overlay(CLI::App& app);
void add_help(CLI::App& app);
void add_completion(CLI::App& app);

/// Adds --data, --split and the preprocessing options to a command. The returned function turns
/// what was given into options; it throws Error naming the option at fault.
std::function<DataOptions()> add_data_options(CLI::App& command, bool required = true);

/// What commands that know the data of a run take in their place: --data with its options, or
/// nothing. Wrong usage where those stand alone.
std::optional<DataOptions> moved_data(const CLI::App& command,
                                      const std::function<DataOptions()>& data);

/// Files and folders that data options name.
std::vector<std::filesystem::path> files_of(const DataOptions& options);

/// Those of a command's arguments that chose the data.
std::vector<std::string> data_arguments(const CLI::App& command);
/// What such arguments mean. Throws Error.
DataOptions parse_data_arguments(const std::vector<std::string>& arguments);

}  // namespace vigor
