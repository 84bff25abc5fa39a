// Files for tests: a temporary folder, and the real data sets where there are any.
#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace vigor {

/// Folder of real data sets and networks: $VIGOR_DATA, else ../shared/data beside the sources.
/// Tests that need it skip when it is absent.
inline std::filesystem::path data_dir() {
  const char* chosen = std::getenv("VIGOR_DATA");
  return chosen != nullptr ? chosen : VIGOR_DEFAULT_DATA;
}

/// A new folder, removed with all its content at the end.
class TempDir {
 public:
  TempDir() {
    static std::atomic<int> next{0};
    path_ = std::filesystem::temp_directory_path() /
            ("vigor_test_" + std::to_string(getpid()) + "_" + std::to_string(next++));
    std::filesystem::create_directories(path_);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  /// Writes a file, its folders included, and returns its path.
  std::string write(const std::string& name, std::string_view content) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  std::string path(const std::string& name = "") const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace vigor
