// A group of an HDF5 file with typed attributes and arrays; knows nothing of what they mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hdf5_handle.h"

namespace vigor {

using Extents = std::vector<hsize_t>;

/// Type of an element in the file (little-endian) and in memory.
struct ElementType {
  hid_t file, memory;
};
template <typename T>
ElementType element_type() {
  if constexpr (std::is_same_v<T, double>) return {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE};
  if constexpr (std::is_same_v<T, float>) return {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT};
  if constexpr (std::is_same_v<T, int32_t>) return {H5T_STD_I32LE, H5T_NATIVE_INT32};
  if constexpr (std::is_same_v<T, int64_t>) return {H5T_STD_I64LE, H5T_NATIVE_INT64};
  if constexpr (std::is_same_v<T, uint64_t>) return {H5T_STD_U64LE, H5T_NATIVE_UINT64};
}

/// Errors name the object inside the file, not the file. Reading trusts nothing: types and extents
/// must be those asked for, and no more memory is taken than the stored bytes can fill.
class Hdf5Group {
 public:
  static Hdf5Group root(hid_t file);
  Hdf5Group create(const std::string& name) const;
  Hdf5Group open(const std::string& name) const;
  bool has_attribute(const std::string& name) const;
  bool has(const std::string& name) const;
  int64_t members() const;

  template <typename T>
  requires std::is_arithmetic_v<T>
  void put(const std::string& name, T value) const {
    put_attribute(name, element_type<T>(), nullptr, &value);
  }
  template <typename T>
  requires std::is_arithmetic_v<T>
  void put(const std::string& name, const std::vector<T>& values) const {
    const hsize_t count = values.size();
    put_attribute(name, element_type<T>(), &count, values.data());
  }
  void put(const std::string& name, std::string_view text) const;
  void put(const std::string& name, const std::vector<std::string>& texts) const;
  /// A data set: chunked, compressed, with checksums.
  template <typename T>
  void put_array(const std::string& name, const std::vector<T>& values,
                 const Extents& extents) const {
    put_data(name, element_type<T>(), extents, values.size(), values.data());
  }
  void put_text(const std::string& name, std::string_view text) const;

  template <typename T>
  T get(const std::string& name) const {
    T value{};
    get_attribute(name, element_type<T>(), 1, &value);
    return value;
  }
  template <typename T>
  std::vector<T> get_list(const std::string& name) const {
    std::vector<T> values(attribute_size(name));
    get_attribute(name, element_type<T>(), values.size(), values.data());
    return values;
  }
  std::vector<std::string> get_texts(const std::string& name) const;
  std::string get_string(const std::string& name) const;
  Extents extents(const std::string& name) const;
  template <typename T>
  std::vector<T> get_array(const std::string& name, const Extents& expected) const {
    std::vector<T> values(check_data(name, element_type<T>(), expected));
    get_data(name, element_type<T>(), values.data(), values.size());
    return values;
  }
  std::string get_text(const std::string& name) const;

  /// "/sites/0000/neuron", for messages.
  std::string path(const std::string& name) const { return path_ + name; }

 private:
  Hdf5Group(Handle id, std::string path) : id_(std::move(id)), path_(std::move(path)) {}
  void put_attribute(const std::string& name, ElementType type, const hsize_t* count,
                     const void* data) const;
  void put_data(const std::string& name, ElementType type, const Extents& extents, size_t size,
                const void* data) const;
  size_t attribute_size(const std::string& name) const;
  void get_attribute(const std::string& name, ElementType type, size_t count, void* data) const;
  size_t check_data(const std::string& name, ElementType type, const Extents& expected) const;
  void get_data(const std::string& name, ElementType type, void* data, size_t size) const;

  Handle id_;
  std::string path_;  // ends with a slash
};

}  // namespace vigor
