#include "onnx_tensor.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "printable.h"

namespace vigor {

namespace {

using onnx::TensorProto;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "ONNX's raw data is little-endian");

/// Bytes of an element of raw data; 0 for types that are not read.
int64_t element_size(int32_t type) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::INT8:
    case TensorProto::UINT8:
      return 1;
    case TensorProto::INT16:
    case TensorProto::UINT16:
      return 2;
    case TensorProto::FLOAT:
    case TensorProto::INT32:
    case TensorProto::UINT32:
      return 4;
    case TensorProto::INT64:
    case TensorProto::UINT64:
      return 8;
    default:
      return 0;
  }
}

template <typename T>
void widen(const char* bytes, std::vector<int64_t>& to) {
  for (int64_t& x : to) {
    T value;
    std::memcpy(&value, bytes, sizeof value);
    bytes += sizeof value;
    x = static_cast<int64_t>(value);  // NOLINT(bugprone-signed-char-misuse): a number
  }
}

void widen(int32_t type, const char* bytes, std::vector<int64_t>& to) {
  switch (type) {
    case TensorProto::BOOL:
    case TensorProto::UINT8:
      return widen<uint8_t>(bytes, to);
    case TensorProto::INT8:
      return widen<int8_t>(bytes, to);
    case TensorProto::INT16:
      return widen<int16_t>(bytes, to);
    case TensorProto::UINT16:
      return widen<uint16_t>(bytes, to);
    case TensorProto::INT32:
      return widen<int32_t>(bytes, to);
    case TensorProto::UINT32:
      return widen<uint32_t>(bytes, to);
    default:
      return widen<int64_t>(bytes, to);
  }
}

/// Elements given one by one in a repeated field of the message.
template <typename Field, typename T>
void copy_field(const Field& field, std::vector<T>& to, const std::string& where) {
  if (static_cast<size_t>(field.size()) != to.size()) {
    fail(where, "got {} elements, expected {} by its shape", field.size(), to.size());
  }
  for (int i = 0; i < field.size(); ++i) to[static_cast<size_t>(i)] = static_cast<T>(field[i]);
}

int64_t number(const std::string& text, const std::string& where) {
  int64_t value = -1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < 0) {
    fail(where, "external data: got \"{}\", expected a number", printable(text));
  }
  return value;
}

/// The file of external data: relative, and inside the folder even after following links.
fs::path external_file(const std::string& location, const fs::path& folder,
                       const std::string& where) {
  const fs::path relative(location);
  const auto refuse = [&](const char* why) {
    fail(where, "external data {}: {}", printable(location), why);
  };
  if (folder.empty()) refuse("a model in memory has no folder to read it from");
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute()) {
    refuse("expected a relative path");
  }
  for (const fs::path& part : relative) {
    if (part == "..") refuse("leads out of the model's folder");
  }
  std::error_code error;
  const fs::path root = fs::canonical(folder, error);
  fs::path file = error ? fs::path() : fs::canonical(folder / relative, error);
  if (error) refuse("no such file");
  if (std::mismatch(root.begin(), root.end(), file.begin(), file.end()).first != root.end()) {
    refuse("leads out of the model's folder");
  }
  if (!fs::is_regular_file(file, error)) refuse("not a file");
  return file;
}

struct External {
  fs::path file;
  int64_t offset = 0;
};

/// Checked before anything is allocated: a small file must not ask for much memory.
External external_data(const TensorProto& proto, const fs::path& folder, int64_t bytes,
                       const std::string& where) {
  std::string location;
  External external;
  int64_t length = bytes;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") external.offset = number(entry.value(), where);
    if (entry.key() == "length") length = number(entry.value(), where);
  }
  external.file = external_file(location, folder, where);
  std::error_code error;
  const uintmax_t found = fs::file_size(external.file, error);
  const int64_t size = error ? 0 : static_cast<int64_t>(found);
  if (length != bytes || external.offset > size || bytes > size - external.offset) {
    fail(where, "external data {}: got {} bytes at {} of a file of {}, expected {} by its shape",
         printable(location), length, external.offset, size, bytes);
  }
  return external;
}

void read_external(const External& external, char* to, int64_t bytes, ExternalData& outside,
                   const std::string& where) {
  std::ifstream in(external.file, std::ios::binary);
  if (!in.seekg(external.offset) || !in.read(to, bytes)) {
    fail(where, "external data {}: cannot be read", printable(external.file.filename().string()));
  }
  if (outside.files.empty() || outside.files.back() != external.file) {
    outside.files.push_back(external.file);
  }
  outside.hash.add(std::span(to, static_cast<size_t>(bytes)));
}

void read_ints(TensorProto& proto, std::vector<int64_t>& to, const std::string& where) {
  switch (proto.data_type()) {
    case TensorProto::INT64:
      return copy_field(proto.int64_data(), to, where);
    case TensorProto::UINT32:
    case TensorProto::UINT64:
      return copy_field(proto.uint64_data(), to, where);
    default:
      return copy_field(proto.int32_data(), to, where);
  }
}

/// Elements the message holds outside of raw_data, to check before allocating.
int64_t field_elements(const TensorProto& proto) {
  return std::max({proto.float_data_size(), proto.int32_data_size(), proto.int64_data_size(),
                   proto.uint64_data_size()});
}

}  // namespace

std::string type_name(int32_t onnx_type) {
  if (!TensorProto::DataType_IsValid(onnx_type)) return fmt::format("type {}", onnx_type);
  if (onnx_type == TensorProto::FLOAT) return "float32";
  std::string name = TensorProto::DataType_Name(static_cast<TensorProto::DataType>(onnx_type));
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

bool is_integer_type(int32_t onnx_type) {
  return onnx_type != TensorProto::FLOAT && element_size(onnx_type) > 0;
}

ConstantPtr read_tensor(TensorProto& proto, ExternalData& outside, const std::string& where) {
  const int32_t type = proto.data_type();
  const int64_t width = element_size(type);
  if (width == 0) fail(where, "got {}, expected float32", type_name(type));
  if (proto.has_segment()) fail(where, "segmented tensors are not supported");

  auto constant = std::make_shared<Constant>();
  constant->shape.assign(proto.dims().begin(), proto.dims().end());
  constant->is_float = type == TensorProto::FLOAT;
  const int64_t count = element_count(constant->shape);
  const int64_t bytes = count * width;
  const bool is_external = proto.data_location() == TensorProto::EXTERNAL;
  External external;
  if (is_external) {
    external = external_data(proto, outside.folder, bytes, where);
  } else if (proto.has_raw_data()) {
    if (static_cast<int64_t>(proto.raw_data().size()) != bytes) {
      fail(where, "got {} bytes, expected {} by its shape", proto.raw_data().size(), bytes);
    }
  } else if (field_elements(proto) != count) {
    fail(where, "got {} elements, expected {} by its shape", field_elements(proto), count);
  }

  const auto n = static_cast<size_t>(count);
  if (constant->is_float) {
    constant->floats.resize(n);
    if (is_external) {
      read_external(external, reinterpret_cast<char*>(constant->floats.data()), bytes, outside,
                    where);
    } else if (proto.has_raw_data()) {
      if (n) std::memcpy(constant->floats.data(), proto.raw_data().data(), proto.raw_data().size());
    } else {
      copy_field(proto.float_data(), constant->floats, where);
    }
    for (const float x : constant->floats) {
      if (std::isnan(x)) fail(where, "holds NaN");
    }
  } else {
    constant->ints.resize(n);
    if (is_external) {
      std::vector<char> raw(static_cast<size_t>(bytes));
      read_external(external, raw.data(), bytes, outside, where);
      widen(type, raw.data(), constant->ints);
    } else if (proto.has_raw_data()) {
      widen(type, proto.raw_data().data(), constant->ints);
    } else {
      read_ints(proto, constant->ints, where);
    }
  }
  TensorProto().Swap(&proto);  // Clear() would keep the memory
  return constant;
}

std::map<std::string, Attribute> read_attributes(onnx::NodeProto& node, ExternalData& outside,
                                                 const std::string& where) {
  using onnx::AttributeProto;
  std::map<std::string, Attribute> attributes;
  for (AttributeProto& proto : *node.mutable_attribute()) {
    const std::string name = printable(proto.name());
    if (!proto.ref_attr_name().empty()) fail(where, "attribute {}: refers to a function", name);
    Attribute value;
    switch (proto.type()) {
      case AttributeProto::INT:
        value.i = proto.i();
        break;
      case AttributeProto::FLOAT:
        value.f = proto.f();
        break;
      case AttributeProto::STRING:
        value.s = proto.s();
        break;
      case AttributeProto::INTS:
        value.ints.emplace(proto.ints().begin(), proto.ints().end());
        break;
      case AttributeProto::FLOATS:
        value.floats.emplace(proto.floats().begin(), proto.floats().end());
        break;
      case AttributeProto::TENSOR:
        value.tensor = read_tensor(*proto.mutable_t(), outside, where);
        break;
      default:
        fail(where, "attribute {}: {} is not supported", name,
             AttributeProto::AttributeType_Name(proto.type()));
    }
    if (!attributes.emplace(proto.name(), std::move(value)).second) {
      fail(where, "attribute {}: given twice", name);
    }
  }
  return attributes;
}

}  // namespace vigor
