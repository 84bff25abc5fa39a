// From raw pixels to network input. All arithmetic is float32, so that results equal PyTorch's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shape.h"

namespace vigor {

/// A factor kept as a fraction: x * numerator / denominator, so that "1/255" divides by 255.
struct Fraction {
  float numerator = 1;
  float denominator = 1;
  float value() const { return numerator / denominator; }
};

/// "0.5" or "1/255", both parts plain finite decimal numbers. Throws Error on anything else, on a
/// zero denominator and on a value beyond float; `where` names the option at fault.
Fraction parse_fraction(std::string_view text, std::string_view where = "number");

/// The value of parse_fraction.
float parse_number(std::string_view text, std::string_view where = "number");

/// Comma-separated parse_number, at least one: "0.485,0.456,0.406".
std::vector<float> parse_numbers(std::string_view text, std::string_view where = "number");

enum class Layout { nchw, nhwc };
enum class Channels { rgb, bgr };

/// Steps from the raw pixel (0..255) to the network input, applied in the order of the members.
struct Preprocessing {
  /// Centre crop to HxW; an odd rest leaves the larger margin at the bottom and right.
  std::optional<std::array<int64_t, 2>> crop;
  /// HxW, bilinear with half-pixel centres: PyTorch's interpolate(mode="bilinear",
  /// align_corners=False, antialias=False) on float32; nothing is rounded back to whole pixels.
  std::optional<std::array<int64_t, 2>> resize;
  /// Pixels of raw value 0 added on each of the four sides.
  int64_t pad = 0;
  /// bgr swaps the first and third of three channels.
  Channels channels = Channels::rgb;
  /// x * scale.numerator / scale.denominator.
  Fraction scale;
  /// (x - mean) / std per channel, in the order after `channels`. One value serves all channels;
  /// none means mean 0 and std 1.
  std::vector<float> mean;
  std::vector<float> std;
  /// Order in which a sample is handed to the network.
  Layout layout = Layout::nchw;

  /// True when nothing is changed.
  bool is_identity() const;
};

/// The record of all steps as a JSON object on one line; floats have their shortest exact form.
std::string to_json(const Preprocessing& preprocessing);

/// Extent of an image.
struct ImageSize {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  bool operator==(const ImageSize&) const = default;
};

/// Largest number of values in one image, raw or preprocessed.
constexpr int64_t kMaxImageValues = int64_t{1} << 27;

/// One image as planes: pixels[(channel * height + row) * width + column].
struct Image {
  ImageSize size;
  std::vector<float> pixels;
};

/// Shape of a preprocessed image: {C,H,W}, or {H,W,C} for nhwc. Throws Error naming `where` when
/// an option is out of range or does not fit an image of this size.
Shape output_shape(const Preprocessing& preprocessing, const ImageSize& size,
                   std::string_view where);

/// Applies all steps and writes element_count(output_shape) values to `out`. The image's size must
/// have passed output_shape.
void preprocess(const Preprocessing& preprocessing, Image image, float* out);

}  // namespace vigor
