#include "hdf5_group.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace vigor {

namespace {

constexpr size_t kMostAttribute = size_t{1} << 24;  // bytes
constexpr hsize_t kChunkBytes = hsize_t{1} << 20;
// Deflate shrinks to 1/1032 at best; this bounds what a stored byte may claim to hold.
constexpr hsize_t kMostExpansion = 1100;
constexpr int kDeflate = 4;

Handle text_type(size_t length) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  checked(H5Tset_size(type, std::max<size_t>(length, 1)));
  checked(H5Tset_strpad(type, H5T_STR_NULLPAD));
  checked(H5Tset_cset(type, H5T_CSET_UTF8));
  return type;
}

Handle simple_space(const Extents& extents) {
  return {H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr), H5Sclose};
}

hsize_t product(const Extents& extents) {
  hsize_t count = 1;
  for (const hsize_t extent : extents) {
    if (extent != 0 && count > std::numeric_limits<hsize_t>::max() / kMostExpansion / extent) {
      throw Error(fmt::format("got extents {}, which no file can fill", fmt::join(extents, "x")));
    }
    count *= extent;
  }
  return count;
}

// Shrinks the leading extents until a chunk holds at most kChunkBytes.
Extents chunk_extents(Extents chunk, size_t element_size) {
  const hsize_t most = std::max<hsize_t>(kChunkBytes / element_size, 1);
  hsize_t count = product(chunk);
  for (hsize_t& extent : chunk) {
    if (count <= most) break;
    const hsize_t rest = count / extent;
    extent = std::clamp<hsize_t>(most / rest, 1, extent);
    count = rest * extent;
  }
  return chunk;
}

// Without time stamps, so that equal results give equal files.
Handle group_properties() {
  Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
  checked(H5Pset_obj_track_times(properties, false));
  checked(H5Pset_link_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  checked(H5Pset_attr_creation_order(properties, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  return properties;
}

Handle data_properties(const Extents& extents, size_t element_size) {
  Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  checked(H5Pset_obj_track_times(properties, false));
  if (product(extents) == 0) return properties;
  const Extents chunk = chunk_extents(extents, element_size);
  checked(H5Pset_chunk(properties, static_cast<int>(chunk.size()), chunk.data()));
  checked(H5Pset_shuffle(properties));
  checked(H5Pset_deflate(properties, kDeflate));
  checked(H5Pset_fletcher32(properties));
  return properties;
}

bool same_kind(hid_t got, hid_t expected) {
  const H5T_class_t kind = H5Tget_class(expected);
  if (H5Tget_class(got) != kind || H5Tget_size(got) != H5Tget_size(expected)) return false;
  return kind != H5T_INTEGER || H5Tget_sign(got) == H5Tget_sign(expected);
}

Extents extents_of(hid_t space) {
  Extents extents(static_cast<size_t>(checked(H5Sget_simple_extent_ndims(space))));
  checked(H5Sget_simple_extent_dims(space, extents.data(), nullptr));
  return extents;
}

bool is_fixed_text(hid_t type) {
  return H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
}

std::string without_padding(std::string text) {
  return text.erase(std::min(text.find_last_not_of('\0') + 1, text.size()));
}

// The innermost message, or the first that quotes the system.
herr_t note_reason(unsigned, const H5E_error2_t* error, void* data) {
  auto& reason = *static_cast<std::string*>(data);
  const std::string text = error->desc ? error->desc : "";
  constexpr std::string_view kQuote = "error message = '";
  if (const size_t at = text.find(kQuote); at != std::string::npos) {
    const size_t begin = at + kQuote.size();
    reason = text.substr(begin, text.find('\'', begin) - begin);
    return 1;
  }
  if (reason.empty()) reason = text;
  return 0;
}

// What the seal vouches for is in the file, once: no links to elsewhere, and none to what another
// name has already.
void check_link(hid_t group, const std::string& name, const std::string& path) {
  if (checked(H5Lexists(group, name.c_str(), 0)) == 0) throw Error(path + " is missing");
  H5L_info_t link;
  checked(H5Lget_info(group, name.c_str(), &link, 0));
  if (link.type != H5L_TYPE_HARD) throw Error(path + " lies outside of the file");
  H5O_info_t object;
  checked(H5Oget_info_by_name2(group, name.c_str(), &object, H5O_INFO_BASIC, 0));
  if (object.rc != 1) throw Error(path + " has another name too");
}

}  // namespace

std::string hdf5_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &reason);
  return reason.empty() ? "HDF5 failed" : reason;
}

Hdf5Group Hdf5Group::root(hid_t file) { return {Handle(H5Gopen2(file, "/", 0), H5Gclose), "/"}; }

Hdf5Group Hdf5Group::create(const std::string& name) const {
  return {Handle(H5Gcreate2(id_, name.c_str(), 0, group_properties(), 0), H5Gclose),
          path(name) + "/"};
}

Hdf5Group Hdf5Group::open(const std::string& name) const {
  check_link(id_, name, path(name));
  return {Handle(H5Gopen2(id_, name.c_str(), 0), H5Gclose), path(name) + "/"};
}

bool Hdf5Group::has(const std::string& name) const {
  return checked(H5Lexists(id_, name.c_str(), 0)) > 0;
}

bool Hdf5Group::has_attribute(const std::string& name) const {
  return checked(H5Aexists(id_, name.c_str())) > 0;
}

int64_t Hdf5Group::members() const {
  H5G_info_t info;
  checked(H5Gget_info(id_, &info));
  return static_cast<int64_t>(info.nlinks);
}

void Hdf5Group::put_attribute(const std::string& name, ElementType type, const hsize_t* count,
                              const void* data) const {
  const Handle space(count ? H5Screate_simple(1, count, nullptr) : H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(H5Acreate2(id_, name.c_str(), type.file, space, 0, 0), H5Aclose);
  if (!count || *count > 0) checked(H5Awrite(attribute, type.memory, data));
}

void Hdf5Group::put(const std::string& name, std::string_view text) const {
  const Handle type = text_type(text.size());
  put_attribute(name, {type, type}, nullptr, text.empty() ? "" : text.data());
}

void Hdf5Group::put(const std::string& name, const std::vector<std::string>& texts) const {
  size_t length = 1;
  for (const std::string& text : texts) length = std::max(length, text.size());
  std::string padded;
  for (const std::string& text : texts) {
    padded += text;
    padded.append(length - text.size(), '\0');
  }
  const Handle type = text_type(length);
  const hsize_t count = texts.size();
  put_attribute(name, {type, type}, &count, padded.data());
}

void Hdf5Group::put_data(const std::string& name, ElementType type, const Extents& extents,
                         size_t size, const void* data) const {
  if (size != product(extents)) {
    throw Error(
        fmt::format("{}: got {} values, expected {}", path(name), size, fmt::join(extents, "x")));
  }
  const Handle set(H5Dcreate2(id_, name.c_str(), type.file, simple_space(extents), 0,
                              data_properties(extents, H5Tget_size(type.file)), 0),
                   H5Dclose);
  if (size > 0) checked(H5Dwrite(set, type.memory, H5S_ALL, H5S_ALL, 0, data));
}

void Hdf5Group::put_text(const std::string& name, std::string_view text) const {
  const Handle type = text_type(text.size());
  put_data(name, {type, type}, {1}, 1, text.empty() ? "" : text.data());
}

namespace {

Handle open_attribute(hid_t group, const std::string& name, const std::string& path) {
  if (checked(H5Aexists(group, name.c_str())) == 0) throw Error(path + " is missing");
  return {H5Aopen(group, name.c_str(), 0), H5Aclose};
}

Handle open_data(hid_t group, const std::string& name, const std::string& path) {
  check_link(group, name, path);
  Handle set(H5Dopen2(group, name.c_str(), 0), H5Dclose);
  const Handle made(H5Dget_create_plist(set), H5Pclose);
  if (H5Pget_layout(made) == H5D_VIRTUAL || checked(H5Pget_external_count(made)) > 0) {
    throw Error(path + " has its values outside of the file");
  }
  return set;
}

size_t attribute_count(hid_t attribute, const std::string& path) {
  const hsize_t count = product(extents_of(Handle(H5Aget_space(attribute), H5Sclose)));
  const size_t size = H5Tget_size(Handle(H5Aget_type(attribute), H5Tclose));
  if (count > kMostAttribute || size > kMostAttribute || count * size > kMostAttribute) {
    throw Error(fmt::format("{}: got {} elements of {} bytes, too many", path, count, size));
  }
  return count;
}

// Throws when `set` claims more elements than its stored bytes can hold.
size_t data_count(hid_t set, const std::string& path) {
  const hsize_t count = product(extents_of(Handle(H5Dget_space(set), H5Sclose)));
  const hsize_t size = H5Tget_size(Handle(H5Dget_type(set), H5Tclose));
  const hsize_t stored = H5Dget_storage_size(set);
  if (count != 0 && size > kMostExpansion * stored / count) {
    throw Error(
        fmt::format("{}: got {} elements of {} bytes out of {} bytes", path, count, size, stored));
  }
  return count;
}

}  // namespace

size_t Hdf5Group::attribute_size(const std::string& name) const {
  return attribute_count(open_attribute(id_, name, path(name)), path(name));
}

void Hdf5Group::get_attribute(const std::string& name, ElementType type, size_t count,
                              void* data) const {
  const Handle attribute = open_attribute(id_, name, path(name));
  if (!same_kind(Handle(H5Aget_type(attribute), H5Tclose), type.memory) ||
      attribute_count(attribute, path(name)) != count) {
    throw Error(path(name) + " has another type or extent than expected");
  }
  if (count > 0) checked(H5Aread(attribute, type.memory, data));
}

std::vector<std::string> Hdf5Group::get_texts(const std::string& name) const {
  const Handle attribute = open_attribute(id_, name, path(name));
  const Handle type(H5Aget_type(attribute), H5Tclose);
  if (!is_fixed_text(type)) throw Error(path(name) + " is no text of fixed length");
  const size_t count = attribute_count(attribute, path(name));
  const size_t length = H5Tget_size(type);
  std::string padded(count * length, '\0');
  if (count > 0) checked(H5Aread(attribute, type, padded.data()));
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back(without_padding(padded.substr(i * length, length)));
  }
  return texts;
}

std::string Hdf5Group::get_string(const std::string& name) const {
  const std::vector<std::string> texts = get_texts(name);
  if (texts.size() != 1) throw Error(path(name) + " is no single text");
  return texts.front();
}

Extents Hdf5Group::extents(const std::string& name) const {
  const Handle set = open_data(id_, name, path(name));
  return extents_of(Handle(H5Dget_space(set), H5Sclose));
}

size_t Hdf5Group::check_data(const std::string& name, ElementType type,
                             const Extents& expected) const {
  const Handle set = open_data(id_, name, path(name));
  if (!same_kind(Handle(H5Dget_type(set), H5Tclose), type.memory)) {
    throw Error(path(name) + " has another type than expected");
  }
  const Extents got = extents_of(Handle(H5Dget_space(set), H5Sclose));
  if (got != expected) {
    throw Error(fmt::format("{}: got extents {}, expected {}", path(name), fmt::join(got, "x"),
                            fmt::join(expected, "x")));
  }
  return data_count(set, path(name));
}

void Hdf5Group::get_data(const std::string& name, ElementType type, void* data, size_t size) const {
  if (size == 0) return;
  const Handle set = open_data(id_, name, path(name));
  if (H5Dread(set, type.memory, H5S_ALL, H5S_ALL, 0, data) < 0) {
    throw Error(path(name) + ": " + hdf5_reason());
  }
}

std::string Hdf5Group::get_text(const std::string& name) const {
  const Handle set = open_data(id_, name, path(name));
  const Handle type(H5Dget_type(set), H5Tclose);
  if (!is_fixed_text(type) || data_count(set, path(name)) != 1) {
    throw Error(path(name) + " is no single text of fixed length");
  }
  std::string text(H5Tget_size(type), '\0');
  get_data(name, {type, type}, text.data(), text.size());
  return without_padding(std::move(text));
}

}  // namespace vigor
