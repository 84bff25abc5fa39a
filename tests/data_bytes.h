// Builders of small data files as byte strings.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "dataset.h"

namespace vigor {

template <typename T>
std::string little(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <typename T>
std::string little_all(const std::vector<T>& values) {
  std::string bytes;
  for (const T value : values) bytes += little(value);
  return bytes;
}

/// idx file of uint8 with the given header extents and data.
inline std::string idx_bytes(const std::vector<uint32_t>& extents, const std::string& data) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(extents.size())};
  for (const uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(extent >> shift);
  }
  return bytes + data;
}

/// deflate with zlib's window bits: 31 is gzip, -15 the raw data in zip files.
inline std::string deflate_bytes(const std::string& data, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, data.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string npy_bytes(const std::string& descr, const std::string& shape,
                             const std::string& data, const std::string& fortran = "False") {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
  return std::string("\x93NUMPY\x01\x00", 8) + little(static_cast<uint16_t>(header.size())) +
         header + data;
}

struct ZipMember {
  std::string name;
  std::string data;
  bool deflated = false;
  /// Overrides for lies about the entry.
  uint16_t flags = 0;
  int64_t bytes = -1;
};

/// A zip archive; with zip64, all sizes and offsets are in Zip64 fields.
inline std::string zip_bytes(const std::vector<ZipMember>& members, bool zip64 = false) {
  std::string file;
  std::string directory;
  for (const ZipMember& member : members) {
    const std::string packed = member.deflated ? deflate_bytes(member.data, -15) : member.data;
    const uint64_t bytes =
        member.bytes < 0 ? member.data.size() : static_cast<uint64_t>(member.bytes);
    const uint64_t offset = file.size();
    const uint32_t crc =
        static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(member.data.data()),
                                    static_cast<uInt>(member.data.size())));
    const auto small = [&](uint64_t x) { return little(zip64 ? ~0U : static_cast<uint32_t>(x)); };
    const std::string common = little<uint16_t>(45) + little(member.flags) +
                               little<uint16_t>(member.deflated ? 8 : 0) + little<uint32_t>(0) +
                               little(crc) + small(packed.size()) + small(bytes) +
                               little(static_cast<uint16_t>(member.name.size()));
    const std::string sizes = little(bytes) + little<uint64_t>(packed.size());
    // numpy always writes the local Zip64 field.
    file += "PK\x03\x04" + common + little<uint16_t>(20) + member.name + little<uint16_t>(1) +
            little<uint16_t>(16) + sizes + packed;
    directory += "PK\x01\x02" + little<uint16_t>(45) + common + little<uint16_t>(zip64 ? 28 : 0) +
                 std::string(10, '\0') + small(offset) + member.name;
    if (zip64) directory += little<uint16_t>(1) + little<uint16_t>(24) + sizes + little(offset);
  }
  const uint64_t start = file.size();
  const uint64_t count = members.size();
  file += directory;
  if (zip64) {
    const uint64_t end = file.size();
    file += "PK\x06\x06" + little<uint64_t>(44) + little<uint32_t>(0x2D002D) + little<uint64_t>(0) +
            little(count) + little(count) + little<uint64_t>(directory.size()) + little(start);
    file += "PK\x06\x07" + little<uint32_t>(0) + little(end) + little<uint32_t>(1);
  }
  return file + "PK\x05\x06" + little<uint32_t>(0) + little(static_cast<uint16_t>(count)) +
         little(static_cast<uint16_t>(count)) +
         little(zip64 ? ~0U : static_cast<uint32_t>(directory.size())) +
         little(zip64 ? ~0U : static_cast<uint32_t>(start)) + little<uint16_t>(0);
}

/// Opens a spec with default options.
inline Dataset open_spec(const std::string& spec, const std::string& split = "test") {
  DataOptions options;
  options.spec = spec;
  options.split = split;
  return Dataset::open(options);
}

/// One sample of a data set.
inline std::vector<float> sample(const Dataset& data, int64_t index) {
  std::vector<float> values(static_cast<size_t>(element_count(data.sample_shape())));
  data.read(index, values.data());
  return values;
}

}  // namespace vigor
