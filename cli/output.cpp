#include "output.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "error.h"
#include "printable.h"

namespace vigor {

namespace {

// As it was typed, from the kernel: the parser keeps no copy.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::replace(text.begin(), text.end(), '\0', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return printable(text);
}

}  // namespace

void check_output(const std::filesystem::path& output, const std::filesystem::path& model) {
  const auto folder = output.has_parent_path() ? output.parent_path() : ".";
  if (!std::filesystem::is_directory(folder)) {
    fail(output.string(), "cannot be written: no folder {}", folder.string());
  }
  if (std::filesystem::is_directory(output)) fail(output.string(), "is a folder");
  std::error_code missing;
  if (std::filesystem::equivalent(output, model, missing)) fail(output.string(), "is the model");
  if (access(folder.c_str(), W_OK) != 0) {
    fail(output.string(), "cannot be written: no permission for {}", folder.string());
  }
}

void describe_caller(Provenance& provenance) {
  provenance.command = command_line();
  utsname name{};
  uname(&name);
  provenance.machine = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  provenance.time = text;
}

}  // namespace vigor
