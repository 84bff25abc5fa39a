// Labelled samples for a network, read from the usual data set formats.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "preprocess.h"
#include "shape.h"

namespace vigor {

struct DataSource;

/// Class names, each as long as the longest: a result file holds no more of them.
inline constexpr size_t kMostClassNameBytes = size_t{1} << 24;

/// Which data to read and how. `spec` is one of
///   idx:IMAGES[,LABELS]   MNIST's idx files, uint8 [N,H,W] and [N], plain or gzip
///   mnist:DIR             MNIST's four files, plain or gzip
///   fashion-mnist[:DIR]   the same files; by default those of Debian's dataset-fashion-mnist
///   cifar10:PATH          the binary version, a folder or one .bin file
///   cifar100:PATH         as cifar10; labels are the 100 fine ones
///   npz:FILE              numpy archive with `x` and optionally integer labels `y` of [N]
///   npy:FILE              numpy array, as `x`
///   images:DIR            PNG and JPEG files in one sub-folder a class
/// A numpy `x` of float32 [N,...] is ready for the network and takes no preprocessing; uint8 is
/// images [N,H,W] or [N,H,W,C] with C = 1 or 3. Arrays are little-endian and in C order.
///
/// images:DIR sorts sub-folders (label 0, 1, ...) and the files in each by name, bytewise. Other
/// kinds of file and hidden entries are ignored. The first file decides on the channels: when it is
/// grey, all must be; when it is colour, grey ones are repeated in R, G and B. Alpha is dropped,
/// 16-bit PNG is scaled to 8 bits, EXIF rotation is ignored. After crop and resize all images must
/// have one size.
struct DataOptions {
  std::string spec;
  /// "test" or "train"; chooses among the files of mnist, fashion-mnist, cifar10 and cifar100
  /// folders and has no meaning elsewhere.
  std::string split = "test";
  Preprocessing preprocessing;
  /// Added to every label, for networks with an extra first class; may be negative.
  int64_t label_offset = 0;
  /// One name a line, for the data's labels 0, 1, ... before label_offset. Replaces the format's.
  std::string class_names_file;
};

/// A read-only data set, cheap to copy. Pixels stay uint8 in memory; images:DIR decodes on read.
class Dataset {
 public:
  /// Checks all files and options. Throws Error for a missing, damaged or empty data set, for
  /// labels that do not match the samples, for class names that no result file can hold, and for
  /// preprocessing that does not fit.
  static Dataset open(const DataOptions& options);

  /// Number of samples, at least 1.
  int64_t size() const;

  /// Shape of one sample after preprocessing, without a batch dimension, e.g. {1,28,28}.
  const Shape& sample_shape() const;

  /// Writes element_count(sample_shape()) values to `out`. Thread-safe. Floats from numpy files
  /// may be infinite or NaN. Throws Error for an index out of range and, for images:DIR, when the
  /// file is damaged.
  void read(int64_t index, float* out) const;

  /// Label with label_offset added, at least 0; -1 where unknown.
  int64_t label(int64_t index) const;
  bool has_labels() const;

  /// Name of label i as label() returns it (so shifted by label_offset); empty where unknown.
  const std::vector<std::string>& class_names() const;

  /// Format, base names of the files and, where it matters, the split: for the record.
  const std::string& description() const;

  /// The preprocessing as a JSON object on one line.
  std::string preprocessing_json() const;

 private:
  Dataset(std::shared_ptr<const DataSource> source, const Preprocessing& preprocessing);

  std::shared_ptr<const DataSource> source_;
  Preprocessing preprocessing_;
};

}  // namespace vigor
