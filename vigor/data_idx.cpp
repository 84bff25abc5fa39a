// MNIST's idx format: big-endian header {0, 0, type, dimensions}, one uint32 extent a dimension.
#include <algorithm>

#include "data_file.h"
#include "data_source.h"
#include "error.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;

struct IdxArray {
  std::vector<uint64_t> extents;
  std::vector<uint8_t> bytes;
  size_t offset = 0;
};

// Reads a uint8 array of the given number of dimensions.
IdxArray read_idx(const fs::path& path, size_t dimensions) {
  const std::string name = path.string();
  IdxArray array;
  array.offset = 4 + 4 * dimensions;
  array.bytes = read_announced(path, array.offset, [&](const std::vector<uint8_t>& header) {
    if (header[0] != 0 || header[1] != 0) {
      fail(name, "got magic {:02x}{:02x}, expected 0000: not an idx file", header[0], header[1]);
    }
    if (header[2] != 0x08 || header[3] != dimensions) {
      fail(name, "got idx type {:#04x} in {} dimensions, expected 0x08 (uint8) in {}", header[2],
           header[3], dimensions);
    }
    uint64_t total = 1;
    for (size_t i = 4; i < array.offset; i += 4) {
      array.extents.push_back(uint64_t{header[i]} << 24 | uint64_t{header[i + 1]} << 16 |
                              uint64_t{header[i + 2]} << 8 | header[i + 3]);
      if (array.extents.back() == 0) fail(name, "is empty: got an extent of 0 in the header");
      total = checked_bytes(total, array.extents.back(), name);
    }
    return total + array.offset;
  });
  return array;
}

DataSource read_pair(const fs::path& images_path, const fs::path& labels_path,
                     const DataOptions& options) {
  const std::string name = images_path.string();
  IdxArray images = read_idx(images_path, 3);
  DataSource source;
  source.count = static_cast<int64_t>(images.extents[0]);
  source.description = images_path.filename().string();
  if (!labels_path.empty()) {
    const IdxArray labels = read_idx(labels_path, 1);
    const auto begin = labels.bytes.begin() + static_cast<std::ptrdiff_t>(labels.offset);
    source.labels.assign(begin, labels.bytes.end());
    source.description += fmt::format(",{}", labels_path.filename().string());
  }
  PixelBlock block;
  block.size = {1, static_cast<int64_t>(images.extents[1]),
                static_cast<int64_t>(images.extents[2])};
  block.stride = images.extents[1] * images.extents[2];
  block.offset = images.offset;
  block.bytes = std::move(images.bytes);
  set_pixels(source, std::move(block), options.preprocessing, name);
  return source;
}

// The plain file when it is there, else the one with .gz.
fs::path plain_or_gz(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return path;
  fs::path compressed = path;
  compressed += ".gz";
  return compressed;
}

DataSource read_folder(const fs::path& folder, const DataOptions& options,
                       const std::string& format, const std::string& hint) {
  const std::string prefix = options.split == "train" ? "train" : "t10k";
  const fs::path images = plain_or_gz(folder / (prefix + "-images-idx3-ubyte"));
  const fs::path labels = plain_or_gz(folder / (prefix + "-labels-idx1-ubyte"));
  std::error_code error;
  for (const fs::path& path : {images, labels}) {
    if (!fs::exists(path, error)) fail(path.string(), "no such file, plain or gzip{}", hint);
  }
  DataSource source = read_pair(images, labels, options);
  source.description = fmt::format("{}:{} split={}", format, source.description, options.split);
  return source;
}

}  // namespace

DataSource open_idx(const std::string& path, const DataOptions& options) {
  const size_t comma = path.find(',');
  const std::string labels = comma == std::string::npos ? "" : path.substr(comma + 1);
  DataSource source = read_pair(path.substr(0, comma), labels, options);
  source.description = fmt::format("idx:{}", source.description);
  return source;
}

DataSource open_mnist(const std::string& path, const DataOptions& options) {
  DataSource source = read_folder(path, options, "mnist", "");
  for (char digit = '0'; digit <= '9'; ++digit) source.class_names.emplace_back(1, digit);
  return source;
}

DataSource open_fashion_mnist(const std::string& path, const DataOptions& options) {
  const std::string folder = path.empty() ? "/usr/share/datasets/fashion-mnist" : path;
  DataSource source = read_folder(folder, options, "fashion-mnist",
                                  "; Debian's package dataset-fashion-mnist has it");
  source.class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                        "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return source;
}

}  // namespace vigor
