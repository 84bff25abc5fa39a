#include "dataset.h"

#include <algorithm>
#include <map>

#include "data_file.h"
#include "data_source.h"
#include "error.h"

namespace vigor {
namespace {

constexpr int64_t kMaxLabel = (int64_t{1} << 31) - 1;
constexpr int64_t kMaxLabelOffset = 1'000'000;

DataSource open_spec(const DataOptions& options) {
  using Open = DataSource (*)(const std::string&, const DataOptions&);
  static const std::map<std::string, Open> formats = {
      {"idx", open_idx},         {"mnist", open_mnist},       {"fashion-mnist", open_fashion_mnist},
      {"cifar10", open_cifar10}, {"cifar100", open_cifar100}, {"npz", open_npz},
      {"npy", open_npy},         {"images", open_images}};
  const size_t colon = options.spec.find(':');
  const std::string format = options.spec.substr(0, colon);
  const std::string path = colon == std::string::npos ? "" : options.spec.substr(colon + 1);
  const auto found = formats.find(format);
  if (found == formats.end()) {
    fail(options.spec,
         "got data format \"{}\", expected idx, mnist, fashion-mnist, cifar10, cifar100, npz, npy "
         "or images and a colon",
         format);
  }
  if (path.empty() && format != "fashion-mnist") {
    fail(options.spec, "got no path, expected {}:PATH", format);
  }
  return found->second(path, options);
}

void shift_labels(DataSource& source, const DataOptions& options) {
  const int64_t offset = options.label_offset;
  if (offset < -kMaxLabelOffset || offset > kMaxLabelOffset) {
    fail(options.spec, "label offset got {}, expected at most {} either way", offset,
         kMaxLabelOffset);
  }
  for (size_t i = 0; i < source.labels.size(); ++i) {
    int64_t& label = source.labels[i];
    if (label < 0 || label > kMaxLabel || label + offset < 0) {
      fail(options.spec, "got label {} with offset {} for sample {}, expected 0 to {}", label,
           offset, i, kMaxLabel);
    }
    label += offset;
  }
  std::vector<std::string>& names = source.class_names;
  if (names.empty()) return;
  if (offset >= 0) {
    names.insert(names.begin(), static_cast<size_t>(offset), "");
  } else {
    names.erase(names.begin(), names.begin() + std::min<int64_t>(-offset, std::ssize(names)));
  }
}

void check_class_names(const std::vector<std::string>& names, const std::string& where) {
  size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  if (longest == 0 || names.size() <= kMostClassNameBytes / longest) return;
  fail(where, "got {} class names of up to {} bytes, expected a product of at most {}",
       names.size(), longest, kMostClassNameBytes);
}

}  // namespace

void set_pixels(DataSource& source, PixelBlock block, const Preprocessing& preprocessing,
                const std::string& where) {
  source.sample_shape = output_shape(preprocessing, block.size, where);
  const auto shared = std::make_shared<const PixelBlock>(std::move(block));
  source.read = [shared, preprocessing](int64_t index, float* out) {
    const uint8_t* bytes =
        shared->bytes.data() + shared->offset + static_cast<size_t>(index) * shared->stride;
    preprocess(preprocessing, image_from_bytes(bytes, shared->size, shared->interleaved), out);
  };
}

Image image_from_bytes(const uint8_t* bytes, const ImageSize& size, bool interleaved) {
  const int64_t plane = size.height * size.width;
  Image image{size, std::vector<float>(static_cast<size_t>(size.channels * plane))};
  if (!interleaved) {
    std::copy_n(bytes, image.pixels.size(), image.pixels.begin());
    return image;
  }
  float* out = image.pixels.data();
  for (int64_t c = 0; c < size.channels; ++c) {
    for (int64_t i = 0; i < plane; ++i) *out++ = bytes[i * size.channels + c];
  }
  return image;
}

Dataset::Dataset(std::shared_ptr<const DataSource> source, const Preprocessing& preprocessing)
    : source_(std::move(source)), preprocessing_(preprocessing) {}

Dataset Dataset::open(const DataOptions& options) {
  if (options.split != "test" && options.split != "train") {
    fail(options.spec, "split got \"{}\", expected test or train", options.split);
  }
  DataSource source = open_spec(options);
  if (source.count < 1) fail(options.spec, "is empty: got no samples");
  if (!source.labels.empty() && std::ssize(source.labels) != source.count) {
    fail(options.spec, "got {} labels, expected one for each of {} samples", source.labels.size(),
         source.count);
  }
  if (!options.class_names_file.empty()) {
    source.class_names = read_lines(options.class_names_file);
    if (source.class_names.empty()) {
      fail(options.class_names_file, "is empty, expected one class name a line");
    }
  }
  shift_labels(source, options);
  check_class_names(source.class_names, options.class_names_file.empty()
                                            ? source.description
                                            : options.class_names_file);
  return {std::make_shared<const DataSource>(std::move(source)), options.preprocessing};
}

int64_t Dataset::size() const { return source_->count; }

const Shape& Dataset::sample_shape() const { return source_->sample_shape; }

void Dataset::read(int64_t index, float* out) const {
  if (index < 0 || index >= size()) {
    fail(description(), "got sample {}, expected 0 to {}", index, size() - 1);
  }
  source_->read(index, out);
}

int64_t Dataset::label(int64_t index) const {
  if (index < 0 || index >= size()) {
    fail(description(), "got sample {}, expected 0 to {}", index, size() - 1);
  }
  return has_labels() ? source_->labels[static_cast<size_t>(index)] : -1;
}

bool Dataset::has_labels() const { return !source_->labels.empty(); }

const std::vector<std::string>& Dataset::class_names() const { return source_->class_names; }

const std::string& Dataset::description() const { return source_->description; }

std::string Dataset::preprocessing_json() const { return to_json(preprocessing_); }

}  // namespace vigor
