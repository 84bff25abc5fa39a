// Internal to the data readers: files whose sizes are checked before anything is allocated.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vigor {

/// Data sets are held in memory; an array beyond this is refused.
constexpr uint64_t kMaxDataBytes = uint64_t{1} << 35;

/// deflate cannot expand by more than this factor.
constexpr uint64_t kMaxDeflateRatio = 1032;

/// a * b, or Error naming `where` beyond kMaxDataBytes.
uint64_t checked_bytes(uint64_t a, uint64_t b, const std::string& where);

/// A regular file open for reading. Errors name the path.
class DataFile {
 public:
  /// Throws Error when the path is no readable regular file.
  explicit DataFile(const std::filesystem::path& path);

  const std::string& name() const { return name_; }
  uint64_t size() const { return size_; }

  /// Bytes [offset, offset + count); Error when they are not all there.
  std::vector<uint8_t> read(uint64_t offset, uint64_t count);

 private:
  std::string name_;
  std::ifstream stream_;
  uint64_t size_ = 0;
};

/// The content of a file, gunzipped when it is in gzip format. `total_bytes` gets the first
/// `header_bytes` bytes and returns the total they announce; a file of any other size is an Error.
std::vector<uint8_t> read_announced(
    const std::filesystem::path& path, uint64_t header_bytes,
    const std::function<uint64_t(const std::vector<uint8_t>&)>& total_bytes);

/// The lines of a small text file without line ends and trailing empty lines. Error for files
/// above 16 MiB and for control characters.
std::vector<std::string> read_lines(const std::filesystem::path& path);

}  // namespace vigor
