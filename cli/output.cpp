#include "output.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>

#include "error.h"
#include "partial_file.h"
#include "printable.h"

namespace vigor {

namespace {

namespace fs = std::filesystem;

// Of the files that readers of folders look for.
constexpr std::array<std::string_view, 6> kDataEndings{".png",   ".jpg", ".jpeg",
                                                       "-ubyte", ".bin", ".gz"};

// As it was typed, from the kernel: the parser keeps no copy.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::replace(text.begin(), text.end(), '\0', ' ');
  while (text.ends_with(' ')) text.pop_back();
  return printable(text);
}

// Whether they exist or not.
bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path first = fs::weakly_canonical(a, error);
  return !error && first == fs::weakly_canonical(b, error) && !error;
}

// Whether the folder is one of data, and the file, which exists, perhaps one of them.
bool is_data_of(const fs::path& folder, const fs::path& file) {
  std::error_code error;
  if (!fs::is_directory(folder, error) || !fs::exists(file, error)) return false;
  const fs::path root = fs::weakly_canonical(folder / "", error).parent_path();
  const fs::path whole = fs::weakly_canonical(file, error);
  const bool inside =
      std::mismatch(root.begin(), root.end(), whole.begin(), whole.end()).first == root.end();
  const std::string name = whole.filename().string();
  return inside && std::ranges::any_of(kDataEndings, [&](std::string_view ending) {
           return CLI::detail::to_lower(name).ends_with(ending);
         });
}

}  // namespace

void check_output(const fs::path& output, const std::vector<fs::path>& others) {
  if (output.empty()) fail("--output", "got no name");
  const std::string name = output.string();
  std::error_code error;
  if (fs::is_directory(output, error)) fail(name, "is a folder");
  fs::path file;
  try {
    file = written_file(output);
  } catch (const Error& reason) {
    fail(name, "cannot be written: {}", reason.what());
  }
  const fs::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!fs::is_directory(folder, error)) {
    fail(name, "cannot be written: no folder {}", folder.string());
  }
  if (access(folder.c_str(), W_OK) != 0) {
    fail(name, "cannot be written: no permission for {}", folder.string());
  }
  const fs::path partial = file.string() + ".partial";
  const int64_t most = pathconf(folder.c_str(), _PC_NAME_MAX);
  if (most > 0 && std::ssize(partial.filename().string()) > most) {
    fail(name, "cannot be written: with .partial its name is longer than {} bytes", most);
  }
  const fs::file_status status = fs::symlink_status(partial, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    fail(name, "cannot be written: {} is in the way", partial.string());
  }
  for (const fs::path& other : others) {
    if (is_same(file, other) || is_same(partial, other)) {
      fail(name, "cannot be written: that would destroy {}", other.string());
    }
    if (is_data_of(other, file)) {
      fail(name, "cannot be written: that would destroy data of {}", other.string());
    }
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
