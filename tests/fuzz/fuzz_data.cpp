// The data readers; VIGOR_FUZZ_FORMAT is npz, npy, idx, cifar10, cifar100 or images. The first byte
// chooses the preprocessing, the rest is the file (idx: images, or both files cut in the middle).
#include <cmath>

#include "dataset.h"
#include "fuzz.h"

namespace {

using vigor::fuzz::put_file;

void read_all(vigor::DataOptions options) {
  const vigor::Dataset data = vigor::Dataset::open(options);
  std::vector<float> sample(static_cast<size_t>(vigor::element_count(data.sample_shape())));
  for (const int64_t i : {int64_t{0}, data.size() / 2, data.size() - 1}) {
    data.read(i, sample.data());
    if (data.label(i) < -1) std::abort();
  }
  if (data.preprocessing_json().empty() || data.description().empty()) std::abort();
}

vigor::DataOptions options_of(uint8_t choice) {
  vigor::DataOptions options;
  if (choice & 1) options.preprocessing.scale = {1, 255};
  if (choice & 2) options.preprocessing.crop = {{4, 5}};
  if (choice & 4) options.preprocessing.resize = {{7, 6}};
  if (choice & 8) options.preprocessing.pad = 1;
  if (choice & 16) options.preprocessing.mean = {0.5F};
  if (choice & 32) options.preprocessing.layout = vigor::Layout::nhwc;
  if (choice & 64) options.label_offset = 1;
  if (choice & 128) options.preprocessing.channels = vigor::Channels::bgr;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string_view file = vigor::fuzz::as_text(bytes + 1, size - 1);
  const std::string format = VIGOR_FUZZ_FORMAT;
  vigor::DataOptions options = options_of(bytes[0]);
  std::string path;
  if (format == "images") {
    // Two files, of either kind by name; the bytes say what they are.
    path = put_file("images/a/1.png", file).parent_path().parent_path();
    put_file("images/b/2.jpg", file);
  } else if (format == "idx" && (bytes[0] & 1)) {
    path = put_file("images-idx", file.substr(0, file.size() / 2)).string() + "," +
           put_file("labels-idx", file.substr(file.size() / 2)).string();
  } else {
    path = put_file("file.bin", file);
  }
  options.spec = format + ":" + path;
  vigor::fuzz::expect_error_or_success([&] { read_all(options); });
  return 0;
}
