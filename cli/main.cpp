// Exit codes: 0 done, 1 failed, 2 wrong usage.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <system_error>

#include "commands.h"
#include "error.h"
#include "kernels/kernels.h"

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

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "vigor: which deviations of its neurons a trained network survives, and how\n"
      "vulnerable that makes every bit, neuron, layer and the whole.\n",
      "vigor"};
  app.set_version_flag("--version", [] {
    return fmt::format("vigor {} (kernels: own, instruction set {})", VIGOR_VERSION,
                       vigor::kernels().name);
  });
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.footer(
      "Example:\n  vigor analyze models/lenet5_fashion_mnist.onnx --data fashion-mnist \\\n"
      "      --scale 1/255 --inputs 10 -o run.h5\n  vigor show run.h5");
  vigor::add_inspect(app);
  vigor::add_analyze(app);
  vigor::add_inject(app);
  vigor::add_show(app);
  vigor::add_report(app);
  try {
    // CLI11 would only say that a subcommand is missing.
    const std::string first = argc > 1 ? argv[1] : "-";
    const auto named = [&](const CLI::App* command) { return command->get_name() == first; };
    if (first[0] != '-' && app.get_subcommands(named).empty()) {
      fmt::print(stderr, "vigor: unknown command '{}': see vigor --help\n", one_line(first));
      return 2;
    }
    app.parse(argc, argv);
    finish_output();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "vigor: out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "vigor: {}\n", one_line(error.what()));
  }
  return 1;
}
