// Internal to dataset.cpp and the format readers: what a reader hands over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dataset.h"

namespace vigor {

struct DataSource {
  int64_t count = 0;
  Shape sample_shape;
  /// Writes one preprocessed sample; `index` is in range. Thread-safe.
  std::function<void(int64_t index, float* out)> read;
  /// As stored in the files, not negative; empty when there are none.
  std::vector<int64_t> labels;
  std::vector<std::string> class_names;
  std::string description;
};

/// uint8 images of one size in memory, `stride` bytes apart from `offset` on.
struct PixelBlock {
  std::vector<uint8_t> bytes;
  size_t offset = 0;
  size_t stride = 0;
  ImageSize size;
  /// True: [H,W,C]; false: [C,H,W].
  bool interleaved = false;
};

/// Sets sample_shape and read.
void set_pixels(DataSource& source, PixelBlock block, const Preprocessing& preprocessing,
                const std::string& where);

/// One Image from bytes of the given size.
Image image_from_bytes(const uint8_t* bytes, const ImageSize& size, bool interleaved);

/// The readers; `path` is the spec after the first colon. All throw Error.
DataSource open_idx(const std::string& path, const DataOptions& options);
DataSource open_mnist(const std::string& path, const DataOptions& options);
DataSource open_fashion_mnist(const std::string& path, const DataOptions& options);
DataSource open_cifar10(const std::string& path, const DataOptions& options);
DataSource open_cifar100(const std::string& path, const DataOptions& options);
DataSource open_npz(const std::string& path, const DataOptions& options);
DataSource open_npy(const std::string& path, const DataOptions& options);
DataSource open_images(const std::string& path, const DataOptions& options);

}  // namespace vigor
