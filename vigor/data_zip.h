// Internal to the data readers: entries of a zip archive as numpy writes it, Zip64 included.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data_file.h"

namespace vigor {

/// One line of the archive's central directory; nothing in it is to be trusted.
struct ZipEntry {
  std::string name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t packed_bytes = 0;
  uint64_t bytes = 0;
  uint64_t header_offset = 0;
};

/// All entries in the directory's order. Throws Error for a file that is no zip archive.
std::vector<ZipEntry> zip_entries(DataFile& file);

/// The content of an entry, stored or deflated. Throws Error when it is encrypted, otherwise
/// compressed, damaged, or larger than the data in the file can be.
std::vector<uint8_t> read_entry(DataFile& file, const ZipEntry& entry);

}  // namespace vigor
