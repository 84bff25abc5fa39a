// A folder with one sub-folder of PNG and JPEG files a class.
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <filesystem>
#include <memory>
#include <span>

#include "data_source.h"
#include "error.h"
#include "image_decode.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;

// Entries that are not hidden, sorted by name.
std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->path().filename().string().starts_with('.')) entries.push_back(entry->path());
  }
  if (error) fail(folder.string(), "cannot be listed: {}", error.message());
  std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) {
    return a.filename().string() < b.filename().string();
  });
  return entries;
}

bool is_image_file(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::error_code error;
  return (extension == ".png" || extension == ".jpg" || extension == ".jpeg") &&
         fs::is_regular_file(path, error);
}

// Images are read again whenever they are needed; each must stay what it was at first.
class Unchanged {
 public:
  explicit Unchanged(size_t files) : seen_(files) {}

  /// Throws Error where the file held other bytes before. Thread-safe.
  void check(size_t file, std::span<const uint8_t> bytes, const fs::path& path) {
    const uint64_t now = kSeen | crc32_z(0, bytes.data(), bytes.size());
    uint64_t before = 0;
    if (!seen_[file].compare_exchange_strong(before, now) && before != now) {
      fail(path.string(), "was changed while it was in use");
    }
  }

 private:
  static constexpr uint64_t kSeen = uint64_t{1} << 32;
  std::vector<std::atomic<uint64_t>> seen_;  // checksums, 0 where not yet read
};

// Refuses images that do not come to the first one's shape.
void check_shape(const fs::path& path, const fs::path& first, const Shape& shape,
                 const Shape& expected) {
  if (shape == expected) return;
  fail(path.string(), "got {} after preprocessing, expected {} as {}; resize makes sizes equal",
       to_string(shape), to_string(expected), first.filename().string());
}

}  // namespace

DataSource open_images(const std::string& path, const DataOptions& options) {
  const Preprocessing& steps = options.preprocessing;
  DataSource source;
  std::vector<fs::path> files;
  int64_t channels = 0;
  std::error_code error;
  for (const fs::path& folder : sorted_entries(path)) {
    if (!fs::is_directory(folder, error)) continue;
    for (const fs::path& file : sorted_entries(folder)) {
      if (!is_image_file(file)) continue;
      ImageSize size = probe_image(file);
      if (files.empty()) channels = size.channels;
      if (size.channels > channels) {
        fail(file.string(), "got a colour image, expected grey as {}",
             files.front().filename().string());
      }
      size.channels = channels;
      const Shape shape = output_shape(steps, size, file.string());
      if (files.empty()) source.sample_shape = shape;
      files.push_back(file);
      check_shape(file, files.front(), shape, source.sample_shape);
      source.labels.push_back(std::ssize(source.class_names));
    }
    source.class_names.push_back(folder.filename().string());
  }
  if (files.empty()) fail(path, "is empty: got no PNG or JPEG file in a sub-folder a class");

  source.count = std::ssize(files);
  // "DIR/" has an empty last part.
  const fs::path folder = fs::path(path).lexically_normal();
  source.description =
      "images:" + (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  const auto unchanged = std::make_shared<Unchanged>(files.size());
  source.read = [files = std::move(files), steps, channels, shape = source.sample_shape, unchanged](
                    int64_t index, float* out) {
    const fs::path& file = files[static_cast<size_t>(index)];
    ImageSize size;
    const std::vector<uint8_t> bytes = decode_image(file, channels, size);
    // The file may have changed since it was probed.
    check_shape(file, files.front(), output_shape(steps, size, file.string()), shape);
    unchanged->check(static_cast<size_t>(index), bytes, file);
    preprocess(steps, image_from_bytes(bytes.data(), size, true), out);
  };
  return source;
}

}  // namespace vigor
