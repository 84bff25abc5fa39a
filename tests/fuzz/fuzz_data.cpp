// The data readers; VIGOR_FUZZ_FORMAT is npz, npy, idx, cifar10, cifar100 or images. The first byte
// chooses the preprocessing, the second the form: 0 is one file, the rest; else two files, which a
// length of four bytes takes apart, by the places where a data set has them.
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

// Two files where a form has them, and the data set's name.
struct Form {
  std::string first, second, spec;
  bool train = false;
};

std::vector<Form> forms(const std::string& format) {
  if (format == "idx") {
    const std::string test[] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
    const std::string train[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"};
    return {{"pair/images", "pair/labels", "idx:pair/images,pair/labels"},
            {"mnist/" + test[0], "mnist/" + test[1], "mnist:mnist"},
            {"fashion/" + test[0], "fashion/" + test[1], "fashion-mnist:fashion"},
            {"train/" + train[0], "train/" + train[1], "mnist:train", true},
            {"gz/" + test[0] + ".gz", "gz/" + test[1] + ".gz", "mnist:gz"}};
  }
  if (format == "cifar10") {
    return {{"test/test_batch.bin", "test/batches.meta.txt", "cifar10:test"},
            {"one/train_5000.bin", "one/batches.meta.txt", "cifar10:one", true},
            {"two/train_1.bin", "two/train_2.bin", "cifar10:two", true}};
  }
  if (format == "cifar100") {
    return {{"test/test.bin", "test/fine_label_names.txt", "cifar100:test"},
            {"train/train.bin", "train/fine_label_names.txt", "cifar100:train", true},
            {"one/train_5000.bin", "one/fine_label_names.txt", "cifar100:one", true}};
  }
  return {};
}

// Puts the files where the form says.
void put_form(const Form& form, std::string_view bytes, vigor::DataOptions& options) {
  const size_t head = std::min<size_t>(bytes.size(), 4);
  size_t length = 0;
  for (const char byte : bytes.substr(0, head)) length = length << 8 | static_cast<uint8_t>(byte);
  bytes.remove_prefix(head);
  put_file(form.first, bytes.substr(0, length));
  put_file(form.second, bytes.substr(std::min(length, bytes.size())));
  options.split = form.train ? "train" : "test";
  options.spec = form.spec;
  for (const char* mark : {":", ","}) {
    const size_t at = options.spec.find(mark);
    if (at != std::string::npos) options.spec.insert(at + 1, vigor::fuzz::folder().string() + "/");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  vigor::fuzz::count_bytes(size);
  if (size < 2) return 0;
  const std::string_view file = vigor::fuzz::as_text(bytes + 2, size - 2);
  const std::string format = VIGOR_FUZZ_FORMAT;
  static const std::vector<Form> kForms = forms(format);
  vigor::DataOptions options = options_of(bytes[0]);
  const size_t form = kForms.empty() ? 0 : bytes[1] % (kForms.size() + 1);
  if (form > 0) {
    put_form(kForms[form - 1], file, options);
  } else if (format == "images") {
    // Two files, of either kind by name; the bytes say what they are.
    options.spec =
        "images:" + put_file("images/a/1.png", file).parent_path().parent_path().string();
    put_file("images/b/2.jpg", file);
  } else {
    options.spec = format + ":" + put_file("file.bin", file).string();
  }
  vigor::fuzz::expect_error_or_success([&] { read_all(options); });
  return 0;
}
