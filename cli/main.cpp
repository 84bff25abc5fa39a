// Exit codes: cli/exit_codes.h; cli/interrupt.h ends an interrupted run.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <new>
#include <sstream>
#include <system_error>
#include <thread>

#include "commands.h"
#include "error.h"
#include "exit_codes.h"
#include "kernels/kernels.h"
#include "processes.h"
#include "workers.h"

namespace {

// What is still buffered may not fit on the disk.
void finish_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  vigor::fail("stdout", "cannot be written: {}", std::generic_category().message(errno));
}

// One line, whatever stands in the names of files.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

// Commands that several processes can share; the others would each do all of it.
void check_shared(const CLI::App& app) {
  if (!vigor::processes().many()) return;
  for (const CLI::App* command : app.get_subcommands()) {
    const std::string& name = command->get_name();
    if (name == "analyze" || name == "inject" || name == "validate") continue;
    vigor::fail("mpirun", "vigor {} is not for several processes: start it alone", name);
  }
}

int run(int argc, char** argv) {
  CLI::App app{
      "vigor: which deviations of its neurons a trained network survives, and how\n"
      "vulnerable that makes every bit, neuron, layer and the whole.\n",
      "vigor"};
  app.set_version_flag("--version", [] {
    return fmt::format("vigor {} (own kernels, oneDNN not used, instruction set {})", VIGOR_VERSION,
                       vigor::kernels().name);
  });
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  std::string footer =
      "Example:\n  vigor analyze models/lenet5_fashion_mnist.onnx --data fashion-mnist \\\n"
      "      --scale 1/255 --inputs 10 -o run.h5\n  vigor show run.h5\n"
      "mpirun -n N vigor analyze|inject|validate ... shares the work among N processes\n"
      "(docs/cluster.md).\nExit codes:";
  for (const auto& [code, meaning] : vigor::kExitCodes) {
    footer += fmt::format("\n  {:<4}{}", code, meaning);
  }
  app.footer(footer);
  vigor::add_inspect(app);
  vigor::add_analyze(app);
  vigor::add_inject(app);
  vigor::add_map(app);
  vigor::add_merge(app);
  vigor::add_show(app);
  vigor::add_diff(app);
  vigor::add_gate(app);
  vigor::add_validate(app);
  vigor::add_report(app);
  vigor::add_overlay(app);
  vigor::add_bench(app);
  vigor::add_completion(app);
  vigor::add_help(app);
  // CLI11 would only say that a subcommand is missing.
  const std::string first = argc > 1 ? argv[1] : "-";
  const auto named = [&](const CLI::App* command) { return command->get_name() == first; };
  if (first[0] != '-' && app.get_subcommands(named).empty()) {
    if (vigor::is_first()) {
      fmt::print(stderr, "vigor: unknown command '{}': see vigor --help\n", one_line(first));
    }
    return vigor::kWrongUsage;
  }
  app.parse_complete_callback([&app] { check_shared(app); });
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& error) {
    finish_output();
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    std::ostringstream unseen;
    const int code = vigor::is_first() ? app.exit(error) : app.exit(error, unseen, unseen);
    return code == 0 ? 0 : vigor::kWrongUsage;
  }
  finish_output();
  return 0;
}

// What fails in all processes is said by the first one, which ends the others before they speak.
void say(const std::string& message) {
  if (!vigor::is_first()) std::this_thread::sleep_for(std::chrono::seconds(1));
  fmt::print(stderr, "vigor: {}\n", one_line(message));
}

}  // namespace

int main(int argc, char** argv) {
  vigor::keep_freed_memory();
  try {
    vigor::start_processes();
    const int code = run(argc, argv);
    vigor::end_processes();
    return code;
  } catch (const std::bad_alloc&) {
    say("out of memory");
  } catch (const std::exception& error) {
    say(error.what());
  }
  vigor::abort_processes(vigor::kFailed);
  return vigor::kFailed;
}
