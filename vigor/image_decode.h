// Internal to the images reader: PNG and JPEG files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "preprocess.h"

namespace vigor {

/// Extent of a PNG or JPEG file from its header; one channel for grey, else three. Throws Error
/// for other formats, damaged headers, CMYK, and more than kMaxImageValues.
ImageSize probe_image(const std::filesystem::path& path);

/// The pixels as uint8 [H,W,C]; `channels` is 3, or 1 for a grey file. `size` gets the extent.
/// Throws Error also for a damaged or truncated body.
std::vector<uint8_t> decode_image(const std::filesystem::path& path, int64_t channels,
                                  ImageSize& size);

}  // namespace vigor
