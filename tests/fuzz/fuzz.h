// What all fuzz targets share. A target reads its bytes as our reader would; an Error is a fine
// answer, anything else that leaves it is a finding. libFuzzer's entry points are LLVMFuzzer*.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size);
/// Of libFuzzer, and of replay.cpp: changes `size` bytes at random and returns how many there are.
extern "C" size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size, size_t most);

namespace vigor::fuzz {

/// A folder of this process, in memory where the system has such a place.
inline const std::filesystem::path& folder() {
  static const std::filesystem::path path = [] {
    const std::filesystem::path base =
        std::filesystem::exists("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
    const auto made = base / ("vigor_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directories(made);
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(folder(), ignored);
    });
    return made;
  }();
  return path;
}

inline std::filesystem::path put_file(const std::string& name, std::string_view bytes) {
  const std::filesystem::path path = folder() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// Every input tells its size: their sum is printed at the end.
inline void count_bytes(size_t size) {
  static uint64_t total = 0;
  static const int kAtExit = std::atexit(
      [] { std::fprintf(stderr, "stat::bytes: %llu\n", static_cast<unsigned long long>(total)); });
  static_cast<void>(kAtExit);
  total += size;
}

inline std::string_view as_text(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// Calls `read`; whatever it throws but Error passes through and is a finding.
template <typename Read>
void expect_error_or_success(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
}

/// Numbers drawn from the bytes themselves: the same bytes always do the same.
class Choices {
 public:
  Choices(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}
  bool empty() const { return at_ == end_; }
  uint8_t byte() { return empty() ? 0 : *at_++; }
  uint64_t number(int bytes = 8) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
    return value;
  }
  size_t below(size_t bound) { return bound == 0 ? 0 : number(4) % bound; }
  std::string text() {
    std::string result(byte() % 32, '\0');
    for (char& c : result) c = static_cast<char>(byte());
    return result;
  }

 private:
  const uint8_t *at_, *end_;
};

}  // namespace vigor::fuzz
