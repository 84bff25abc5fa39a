// The block of text before the HDF5 part of a run file (HDF5 calls it a user block). It makes cut
// and damaged files known before HDF5, which does not survive all of them, opens them.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace vigor {

inline constexpr size_t kSealBytes = 512;

/// Kind of file, length and SHA-256 of `content`, as lines of text padded to kSealBytes.
std::string make_seal(std::span<const char> content);

/// Throws Error naming the file: not readable, not a vigor run file, truncated or damaged.
void check_seal(const std::filesystem::path& file);

}  // namespace vigor
