// Exit codes: cli/exit_codes.h; cli/interrupt.h ends an interrupted run.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <new>
#include <sstream>
#include <system_error>
#include <thread>

#include "commands.h"
#include "error.h"
#include "exit_codes.h"
#include "kernels/kernels.h"
#include "printable.h"
#include "processes.h"
#include "progress.h"
#include "workers.h"

namespace {

// As a program ends whose output nobody reads any more.
void end_unread() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
}

// What is still buffered may not fit on the disk.
void finish_output() {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  if (errno == EPIPE) end_unread();
  vigor::fail("stdout", "cannot be written: {}", std::generic_category().message(errno));
}

// What was given may hold control characters.
std::string wrong_usage(const CLI::App* failed, const CLI::Error& error) {
  const CLI::Error safe(error.get_name(), vigor::one_line(error.what()), error.get_exit_code());
  return CLI::FailureMessage::simple(failed, safe);
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
  app.failure_message(wrong_usage);
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
      vigor::to_stderr(
          fmt::format("vigor: unknown command '{}': see vigor --help\n", vigor::one_line(first)));
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
    if (code != 0) return vigor::kWrongUsage;
    finish_output();
    return 0;
  }
  finish_output();
  return 0;
}

// What fails in all processes is said by the first one, which ends the others before they speak.
void say(const std::string& message) {
  if (!vigor::is_first()) std::this_thread::sleep_for(std::chrono::seconds(1));
  std::fprintf(stderr, "vigor: %s\n", vigor::one_line(message).c_str());  // memory may be short
}

// The number of a closed stream would go to the next file that is opened. Standard output is opened
// for reading, so that what is printed fails and is reported.
void open_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    const int opened = open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != stream) close(opened);
  }
}

// Failed writes are errors like others: of a file too large, or of a reader who has left. Nobody
// need read what a long run says of itself.
void ignore_signals() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  open_streams();
  ignore_signals();
  vigor::keep_freed_memory();
  try {
    vigor::start_processes();
    const int code = run(argc, argv);
    vigor::end_processes();
    return code;
  } catch (const std::bad_alloc&) {
    say("out of memory");
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) end_unread();
    say(error.what());
  } catch (const std::exception& error) {
    say(error.what());
  }
  vigor::abort_processes(vigor::kFailed);
  return vigor::kFailed;
}
