#include "data_zip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

#include "error.h"
#include "printable.h"

namespace vigor {
namespace {

constexpr uint64_t kEndBytes = 22;
constexpr uint64_t kMaxComment = 65535;
constexpr uint64_t kLocatorBytes = 20;
constexpr uint64_t kEnd64Bytes = 56;
constexpr uint64_t kCentralBytes = 46;
constexpr uint64_t kLocalBytes = 30;
constexpr uint64_t kMaxDirectoryBytes = uint64_t{1} << 24;
constexpr uint64_t kChunk = uint64_t{1} << 24;

constexpr uint32_t kEnd = 0x06054b50;
constexpr uint32_t kEnd64Locator = 0x07064b50;
constexpr uint32_t kEnd64 = 0x06064b50;
constexpr uint32_t kCentral = 0x02014b50;
constexpr uint32_t kLocal = 0x04034b50;

constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

using Bytes = std::vector<uint8_t>;

// A little-endian number; the caller has checked the range.
template <typename T>
T number(const Bytes& bytes, uint64_t at) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  return static_cast<T>(value);
}

struct Directory {
  uint64_t offset;
  uint64_t bytes;
};

Directory find_directory(DataFile& file) {
  const uint64_t tail = std::min(file.size(), kEndBytes + kMaxComment + kLocatorBytes);
  const uint64_t base = file.size() - tail;
  const Bytes bytes = file.read(base, tail);
  if (tail < kEndBytes) fail(file.name(), "got {} bytes: truncated or not an npz file", tail);
  uint64_t at = tail - kEndBytes;
  while (at > 0 && number<uint32_t>(bytes, at) != kEnd) --at;
  if (number<uint32_t>(bytes, at) != kEnd) {
    fail(file.name(), "got no zip directory: truncated or not an npz file");
  }
  if (at < kLocatorBytes || number<uint32_t>(bytes, at - kLocatorBytes) != kEnd64Locator) {
    return {number<uint32_t>(bytes, at + 16), number<uint32_t>(bytes, at + 12)};
  }
  const Bytes end = file.read(number<uint64_t>(bytes, at - kLocatorBytes + 8), kEnd64Bytes);
  if (number<uint32_t>(end, 0) != kEnd64) fail(file.name(), "damaged Zip64 directory");
  return {number<uint64_t>(end, 48), number<uint64_t>(end, 40)};
}

// Fields of all ones are in the Zip64 extra field instead, in this order.
void read_zip64_extra(const Bytes& bytes, uint64_t begin, uint64_t end, const std::string& name,
                      ZipEntry& entry) {
  for (uint64_t at = begin; at + 4 <= end;) {
    const auto id = number<uint16_t>(bytes, at);
    const uint64_t stop = at + 4 + number<uint16_t>(bytes, at + 2);
    if (stop > end)
      fail(name, "damaged extra field of \"{}\" in the zip directory", printable(entry.name));
    at += 4;
    if (id == kZip64Extra) {
      for (uint64_t* field : {&entry.bytes, &entry.packed_bytes, &entry.header_offset}) {
        if (*field != 0xFFFFFFFF || at + 8 > stop) continue;
        *field = number<uint64_t>(bytes, at);
        at += 8;
      }
    }
    at = stop;
  }
}

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// Raw deflate data; the result grows with what is really there.
Bytes inflate_bytes(const Bytes& packed, uint64_t bytes, const std::string& where) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(where, "cannot start zlib");
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);
  Bytes result;
  uint64_t taken = 0;
  uint64_t made = 0;
  int code = Z_OK;
  while (code == Z_OK) {
    // One byte more than announced, so that a longer stream shows.
    if (made == result.size()) result.resize(std::min(bytes + 1, made + kChunk));
    const uint64_t input = std::min(packed.size() - taken, kChunk);
    const uint64_t room = std::min(result.size() - made, kChunk);
    stream.next_in = const_cast<Bytef*>(packed.data() + taken);
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = result.data() + made;
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    taken += input - stream.avail_in;
    made += room - stream.avail_out;
    if (made > bytes) break;
  }
  if (code != Z_STREAM_END || made != bytes) {
    fail(where, "damaged deflate data, expected {} bytes from {}", bytes, packed.size());
  }
  result.resize(bytes);
  return result;
}

uint32_t crc_of(const Bytes& bytes) {
  return static_cast<uint32_t>(crc32_z(crc32_z(0, nullptr, 0), bytes.data(), bytes.size()));
}

}  // namespace

std::vector<ZipEntry> zip_entries(DataFile& file) {
  const Directory directory = find_directory(file);
  if (directory.bytes > kMaxDirectoryBytes) {
    fail(file.name(), "got a zip directory of {} bytes, expected at most {}", directory.bytes,
         kMaxDirectoryBytes);
  }
  const Bytes bytes = file.read(directory.offset, directory.bytes);
  std::vector<ZipEntry> entries;
  for (uint64_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < kCentralBytes || number<uint32_t>(bytes, at) != kCentral) {
      fail(file.name(), "damaged zip directory at byte {}", directory.offset + at);
    }
    ZipEntry entry;
    entry.flags = number<uint16_t>(bytes, at + 8);
    entry.method = number<uint16_t>(bytes, at + 10);
    entry.crc = number<uint32_t>(bytes, at + 16);
    entry.packed_bytes = number<uint32_t>(bytes, at + 20);
    entry.bytes = number<uint32_t>(bytes, at + 24);
    entry.header_offset = number<uint32_t>(bytes, at + 42);
    const uint64_t extra = at + kCentralBytes + number<uint16_t>(bytes, at + 28);
    const uint64_t comment = extra + number<uint16_t>(bytes, at + 30);
    const uint64_t next = comment + number<uint16_t>(bytes, at + 32);
    if (next > bytes.size()) fail(file.name(), "damaged zip directory: an entry is cut off");
    entry.name.assign(bytes.begin() + static_cast<std::ptrdiff_t>(at + kCentralBytes),
                      bytes.begin() + static_cast<std::ptrdiff_t>(extra));
    read_zip64_extra(bytes, extra, comment, file.name(), entry);
    entries.push_back(std::move(entry));
    at = next;
  }
  return entries;
}

std::vector<uint8_t> read_entry(DataFile& file, const ZipEntry& entry) {
  const std::string where = file.name() + ":" + printable(entry.name);
  if ((entry.flags & kEncrypted) != 0) fail(where, "got an encrypted entry, expected a plain one");
  if (entry.method != kStored && entry.method != kDeflated) {
    fail(where, "got zip compression {}, expected 0 (stored) or 8 (deflated)", entry.method);
  }
  checked_bytes(entry.bytes, 1, where);
  if (entry.method == kStored && entry.bytes != entry.packed_bytes) {
    fail(where, "got a stored entry of {} bytes in {}", entry.bytes, entry.packed_bytes);
  }
  if (entry.bytes / kMaxDeflateRatio > entry.packed_bytes) {
    fail(where, "got {} bytes announced from {} compressed ones, which cannot be", entry.bytes,
         entry.packed_bytes);
  }
  const Bytes local = file.read(entry.header_offset, kLocalBytes);
  if (number<uint32_t>(local, 0) != kLocal) fail(where, "damaged zip entry header");
  const uint64_t begin =
      entry.header_offset + kLocalBytes + number<uint16_t>(local, 26) + number<uint16_t>(local, 28);
  Bytes bytes = file.read(begin, entry.packed_bytes);
  if (entry.method == kDeflated) bytes = inflate_bytes(bytes, entry.bytes, where);
  if (crc_of(bytes) != entry.crc) fail(where, "damaged: the checksum does not match");
  return bytes;
}

}  // namespace vigor
