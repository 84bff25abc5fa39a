// numpy arrays: a text header {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } and data.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "data_source.h"
#include "data_zip.h"
#include "error.h"
#include "printable.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "\x93NUMPY";

struct NpyArray {
  std::string where;
  /// numpy's type without byte order: f4, u1, i8, ...
  std::string type;
  Shape shape;
  std::vector<uint8_t> bytes;
  size_t offset = 0;
};

// The text after "'key':" without leading spaces. Readers differ in which of two values they take.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& where) {
  if (header.find(key) != header.rfind(key)) {
    fail(where, "damaged npy header: got '{}' twice, expected it once", key);
  }
  const std::string quoted = fmt::format("'{}':", key);
  const size_t found = header.find(quoted);
  const size_t begin = found == std::string_view::npos
                           ? found
                           : header.find_first_not_of(' ', found + quoted.size());
  if (begin == std::string_view::npos) fail(where, "damaged npy header: no value for '{}'", key);
  return header.substr(begin);
}

std::string parse_type(std::string_view header, const std::string& where) {
  const std::string_view text = value_of(header, "descr", where);
  const size_t end = text.find('\'', 1);
  if (text[0] != '\'' || end == std::string_view::npos || end < 4) {
    fail(where, "got a structured or damaged element type, expected a plain number");
  }
  if (text[1] == '>') fail(where, "got big-endian data, expected little-endian");
  return std::string(text.substr(2, end - 2));
}

Shape parse_shape(std::string_view header, const std::string& where) {
  std::string_view text = value_of(header, "shape", where);
  const size_t close = text.find(')');
  if (text[0] != '(' || close == std::string_view::npos) fail(where, "damaged npy header: shape");
  text = text.substr(1, close - 1);
  Shape shape;
  while (!text.empty()) {
    int64_t extent = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), extent);
    const auto used = static_cast<size_t>(end - text.data());
    const bool ends = used == text.size() || text[used] == ',';
    if (error != std::errc{} || extent < 0 || !ends) fail(where, "damaged npy header: shape");
    shape.push_back(extent);
    text = text.substr(std::min(text.find_first_not_of(", ", used), text.size()));
  }
  return shape;
}

size_t width_of(const NpyArray& array) {
  static const std::vector<std::string> known = {"f4", "u1", "i1", "u2", "i2",
                                                 "u4", "i4", "u8", "i8"};
  if (std::find(known.begin(), known.end(), array.type) == known.end()) {
    fail(array.where, "got element type {}, expected f4 (float32), u1 (uint8) or an integer type",
         printable(array.type));
  }
  return static_cast<size_t>(array.type[1] - '0');
}

NpyArray parse_npy(std::vector<uint8_t> bytes, const std::string& where) {
  NpyArray array;
  array.where = where;
  array.bytes = std::move(bytes);
  const std::string_view text(reinterpret_cast<const char*>(array.bytes.data()),
                              array.bytes.size());
  if (!text.starts_with(kMagic) || text.size() < 12) {
    fail(where, "got no npy header: truncated or not a numpy array");
  }
  const uint8_t version = array.bytes[6];
  if (version < 1 || version > 3) fail(where, "got npy version {}, expected 1 to 3", version);
  const size_t length_bytes = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) length |= size_t{array.bytes[8 + i]} << (8 * i);
  array.offset = 8 + length_bytes + length;
  if (array.offset > text.size()) {
    fail(where, "truncated: got {} bytes, expected a header of {}", text.size(), array.offset);
  }
  const std::string_view header = text.substr(8 + length_bytes, length);
  array.type = parse_type(header, where);
  if (!value_of(header, "fortran_order", where).starts_with("False")) {
    fail(where, "got Fortran order, expected C order (numpy.ascontiguousarray)");
  }
  array.shape = parse_shape(header, where);

  uint64_t expected = width_of(array);
  for (const int64_t extent : array.shape) {
    expected = checked_bytes(expected, static_cast<uint64_t>(extent), where);
  }
  if (text.size() - array.offset != expected) {
    fail(where, "got {} bytes of data, expected {} for {} of shape {}", text.size() - array.offset,
         expected, array.type, to_string(array.shape));
  }
  return array;
}

template <typename T>
std::vector<int64_t> integers(const NpyArray& array, size_t count) {
  std::vector<int64_t> result(count);
  for (size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, array.bytes.data() + array.offset + i * sizeof(T), sizeof(T));
    if (!std::in_range<int64_t>(value)) fail(array.where, "got label {}, out of range", value);
    result[i] = static_cast<int64_t>(value);  // NOLINT(bugprone-signed-char-misuse): a number
  }
  return result;
}

std::vector<int64_t> labels_of(const NpyArray& array, int64_t samples) {
  if (array.shape != Shape{samples} && array.shape != Shape{samples, 1}) {
    fail(array.where, "got labels of shape {}, expected {}", to_string(array.shape), samples);
  }
  const auto count = static_cast<size_t>(samples);
  const std::string& type = array.type;
  if (type == "u1") return integers<uint8_t>(array, count);
  if (type == "i1") return integers<int8_t>(array, count);
  if (type == "u2") return integers<uint16_t>(array, count);
  if (type == "i2") return integers<int16_t>(array, count);
  if (type == "u4") return integers<uint32_t>(array, count);
  if (type == "i4") return integers<int32_t>(array, count);
  if (type == "u8") return integers<uint64_t>(array, count);
  if (type == "i8") return integers<int64_t>(array, count);
  fail(array.where, "got labels of type {}, expected an integer type", type);
}

void set_floats(DataSource& source, NpyArray array, const Preprocessing& preprocessing) {
  if (!preprocessing.is_identity()) {
    fail(array.where, "got preprocessing for float32 data, expected uint8 images or none");
  }
  source.sample_shape.assign(array.shape.begin() + 1, array.shape.end());
  const size_t bytes = (array.bytes.size() - array.offset) / static_cast<size_t>(source.count);
  const auto shared = std::make_shared<const NpyArray>(std::move(array));
  source.read = [shared, bytes](int64_t index, float* out) {
    std::memcpy(out, shared->bytes.data() + shared->offset + static_cast<size_t>(index) * bytes,
                bytes);
  };
}

void set_images(DataSource& source, NpyArray array, const Preprocessing& preprocessing) {
  const Shape& shape = array.shape;
  const bool grey = shape.size() == 3;
  if (!grey && (shape.size() != 4 || (shape[3] != 1 && shape[3] != 3))) {
    fail(array.where, "got uint8 of shape {}, expected images [N,H,W], [N,H,W,1] or [N,H,W,3]",
         to_string(shape));
  }
  PixelBlock block;
  block.size = {grey ? 1 : shape[3], shape[1], shape[2]};
  block.offset = array.offset;
  block.stride = (array.bytes.size() - array.offset) / static_cast<size_t>(source.count);
  block.bytes = std::move(array.bytes);
  block.interleaved = true;
  set_pixels(source, std::move(block), preprocessing, array.where);
}

DataSource from_array(NpyArray array, const DataOptions& options) {
  if (array.shape.size() < 2) {
    fail(array.where, "got shape {}, expected [N,...] samples", to_string(array.shape));
  }
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) {
    fail(array.where, "is empty: got shape {}", to_string(array.shape));
  }
  DataSource source;
  source.count = array.shape[0];
  if (array.type == "f4") {
    set_floats(source, std::move(array), options.preprocessing);
  } else if (array.type == "u1") {
    set_images(source, std::move(array), options.preprocessing);
  } else {
    fail(array.where, "got element type {}, expected f4 (float32) or u1 (uint8)", array.type);
  }
  return source;
}

}  // namespace

DataSource open_npy(const std::string& path, const DataOptions& options) {
  DataFile file(path);
  checked_bytes(file.size(), 1, path);
  DataSource source = from_array(parse_npy(file.read(0, file.size()), path), options);
  source.description = fmt::format("npy:{}", fs::path(path).filename().string());
  return source;
}

DataSource open_npz(const std::string& path, const DataOptions& options) {
  DataFile file(path);
  const std::vector<ZipEntry> entries = zip_entries(file);
  // Readers differ in which of two entries they take.
  const auto find = [&](std::string_view name) {
    const auto named = [&](const ZipEntry& entry) { return entry.name == name; };
    const auto found = std::find_if(entries.begin(), entries.end(), named);
    const auto count = std::count_if(found, entries.end(), named);
    if (count > 1) fail(path, "got {} entries {}, expected one", count, name);
    return found;
  };
  const auto x = find("x.npy");
  const auto y = find("y.npy");
  if (x == entries.end()) {
    std::string names;
    for (const ZipEntry& entry : entries) names += (names.empty() ? "" : ", ") + entry.name;
    fail(path, "got arrays \"{}\", expected x.npy and perhaps y.npy", printable(names));
  }
  DataSource source = from_array(parse_npy(read_entry(file, *x), path + ":x"), options);
  if (y != entries.end()) {
    source.labels = labels_of(parse_npy(read_entry(file, *y), path + ":y"), source.count);
  }
  source.description = fmt::format("npz:{}", fs::path(path).filename().string());
  return source;
}

}  // namespace vigor
