// CIFAR's binary version: records of one or two label bytes and 3072 bytes in planes R, G, B.
#include <algorithm>

#include "data_file.h"
#include "data_source.h"
#include "error.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;

struct Format {
  std::string name;
  std::vector<std::string> test_files;
  std::vector<std::string> train_files;
  std::string names_file;
  /// Number of classes of each label byte; the last one is the label we use.
  std::vector<int> classes;
};

constexpr size_t kPixels = size_t{3} * 32 * 32;

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// The one file train*.bin, or Error.
fs::path only_train_file(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path& path = entry->path();
    if (path.filename().string().starts_with("train") && path.extension() == ".bin") {
      found.push_back(path);
    }
  }
  if (found.size() != 1) {
    fail(folder.string(), "got {} files train*.bin, expected the whole training set or one",
         found.size());
  }
  return found.front();
}

// The files of the split in a folder, or the one file named.
std::vector<fs::path> files_of(const fs::path& path, const Format& format,
                               const std::string& split) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<fs::path> files;
  for (const auto& name : split == "train" ? format.train_files : format.test_files) {
    files.push_back(path / name);
  }
  if (split == "train" && std::none_of(files.begin(), files.end(), is_file)) {
    return {only_train_file(path)};
  }
  return files;
}

void append_records(const fs::path& path, const Format& format, DataSource& source,
                    std::vector<uint8_t>& bytes) {
  DataFile file(path);
  const size_t record = format.classes.size() + kPixels;
  if (file.size() == 0) fail(file.name(), "is empty");
  if (file.size() % record != 0) {
    fail(file.name(),
         "got {} bytes, expected a multiple of {}: truncated or not {}'s binary version",
         file.size(), record, format.name);
  }
  checked_bytes(file.size() + bytes.size(), 1, file.name());
  const std::vector<uint8_t> more = file.read(0, file.size());
  for (size_t begin = 0; begin < more.size(); begin += record) {
    for (size_t i = 0; i < format.classes.size(); ++i) {
      if (more[begin + i] >= format.classes[i]) {
        fail(file.name(), "got label {} in record {}, expected less than {}", more[begin + i],
             begin / record, format.classes[i]);
      }
    }
    source.labels.push_back(more[begin + format.classes.size() - 1]);
  }
  bytes.insert(bytes.end(), more.begin(), more.end());
}

DataSource open_cifar(const std::string& spec_path, const DataOptions& options,
                      const Format& format) {
  const fs::path path = spec_path;
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  DataSource source;
  PixelBlock block;
  for (const fs::path& file : files_of(path, format, options.split)) {
    append_records(file, format, source, block.bytes);
    source.description += (source.description.empty() ? format.name + ":" : ",");
    source.description += file.filename().string();
  }
  if (is_folder) source.description += " split=" + options.split;
  source.count = static_cast<int64_t>(source.labels.size());

  const fs::path names = (is_folder ? path : path.parent_path()) / format.names_file;
  if (is_file(names)) source.class_names = read_lines(names);

  block.offset = format.classes.size();
  block.stride = format.classes.size() + kPixels;
  block.size = {3, 32, 32};
  set_pixels(source, std::move(block), options.preprocessing, spec_path);
  return source;
}

}  // namespace

DataSource open_cifar10(const std::string& path, const DataOptions& options) {
  const Format format = {.name = "cifar10",
                         .test_files = {"test_batch.bin"},
                         .train_files = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin"},
                         .names_file = "batches.meta.txt",
                         .classes = {10}};
  return open_cifar(path, options, format);
}

DataSource open_cifar100(const std::string& path, const DataOptions& options) {
  const Format format = {.name = "cifar100",
                         .test_files = {"test.bin"},
                         .train_files = {"train.bin"},
                         .names_file = "fine_label_names.txt",
                         .classes = {20, 100}};
  return open_cifar(path, options, format);
}

}  // namespace vigor
