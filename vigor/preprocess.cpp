#include "preprocess.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "error.h"

namespace vigor {
namespace {

constexpr int64_t kMaxSide = 1 << 16;

// nlohmann's JSON with float numbers, so that 0.1f prints as 0.1.
using FloatJson = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool,
                                       int64_t, uint64_t, float>;

float parse_plain(std::string_view text, std::string_view whole, std::string_view where) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    fail(where, "got \"{}\", expected a number such as 0.5 or 1/255", whole);
  }
  return value;
}

int64_t count_values(const ImageSize& size) { return size.channels * size.height * size.width; }

void check_sides(const std::array<int64_t, 2>& sides, std::string_view step,
                 std::string_view where) {
  for (const int64_t side : sides) {
    if (side < 1 || side > kMaxSide) {
      fail(where, "{} got {}x{}, expected sides from 1 to {}", step, sides[0], sides[1], kMaxSide);
    }
  }
}

// Size after crop, resize and pad.
ImageSize output_size(const Preprocessing& preprocessing, ImageSize size, std::string_view where) {
  if (const auto& crop = preprocessing.crop) {
    check_sides(*crop, "crop", where);
    if ((*crop)[0] > size.height || (*crop)[1] > size.width) {
      fail(where, "crop got {}x{}, expected at most the image's {}x{}", (*crop)[0], (*crop)[1],
           size.height, size.width);
    }
    size = {size.channels, (*crop)[0], (*crop)[1]};
  }
  if (const auto& resize = preprocessing.resize) {
    check_sides(*resize, "resize", where);
    size = {size.channels, (*resize)[0], (*resize)[1]};
  }
  if (preprocessing.pad < 0 || preprocessing.pad > kMaxSide) {
    fail(where, "pad got {}, expected 0 to {}", preprocessing.pad, kMaxSide);
  }
  size.height += 2 * preprocessing.pad;
  size.width += 2 * preprocessing.pad;
  return size;
}

void check_per_channel(const std::vector<float>& values, int64_t channels, std::string_view step,
                       std::string_view where) {
  const size_t count = values.size();
  if (count > 1 && count != static_cast<size_t>(channels)) {
    fail(where, "{} got {} values, expected 1 or one for each of {} channels", step, count,
         channels);
  }
}

float per_channel(const std::vector<float>& values, int64_t channel, float otherwise) {
  if (values.empty()) return otherwise;
  return values.size() == 1 ? values[0] : values[static_cast<size_t>(channel)];
}

// An image of zeros.
Image blank(const ImageSize& size) {
  return {size, std::vector<float>(static_cast<size_t>(count_values(size)))};
}

Image crop_centre(const Image& image, int64_t height, int64_t width) {
  Image result = blank({image.size.channels, height, width});
  const int64_t top = (image.size.height - height) / 2;
  const int64_t left = (image.size.width - width) / 2;
  float* out = result.pixels.data();
  for (int64_t c = 0; c < image.size.channels; ++c) {
    for (int64_t y = 0; y < height; ++y) {
      const int64_t row = c * image.size.height + top + y;
      out = std::copy_n(image.pixels.data() + row * image.size.width + left, width, out);
    }
  }
  return result;
}

// Where one output row or column comes from: two neighbours and their weights.
struct Tap {
  int64_t first;
  int64_t second;
  float first_weight;
  float second_weight;
};

// The float32 steps are PyTorch's, see area_pixel_compute_source_index.
std::vector<Tap> bilinear_taps(int64_t from, int64_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Tap> taps;
  taps.reserve(static_cast<size_t>(to));
  for (int64_t i = 0; i < to; ++i) {
    const float source = std::max(0.0F, scale * (static_cast<float>(i) + 0.5F) - 0.5F);
    const int64_t first = std::min(static_cast<int64_t>(source), from - 1);
    const float weight = std::clamp(source - static_cast<float>(first), 0.0F, 1.0F);
    taps.push_back({first, std::min(first + 1, from - 1), 1.0F - weight, weight});
  }
  return taps;
}

Image resize_bilinear(const Image& image, int64_t height, int64_t width) {
  Image result = blank({image.size.channels, height, width});
  const std::vector<Tap> rows = bilinear_taps(image.size.height, height);
  const std::vector<Tap> columns = bilinear_taps(image.size.width, width);
  float* out = result.pixels.data();
  for (int64_t c = 0; c < image.size.channels; ++c) {
    const float* plane = image.pixels.data() + c * image.size.height * image.size.width;
    for (const Tap& y : rows) {
      const float* upper = plane + y.first * image.size.width;
      const float* lower = plane + y.second * image.size.width;
      for (const Tap& x : columns) {
        const float above = x.first_weight * upper[x.first] + x.second_weight * upper[x.second];
        const float below = x.first_weight * lower[x.first] + x.second_weight * lower[x.second];
        *out++ = y.first_weight * above + y.second_weight * below;
      }
    }
  }
  return result;
}

Image pad_zero(const Image& image, int64_t pad) {
  const ImageSize& size = image.size;
  Image result = blank({size.channels, size.height + 2 * pad, size.width + 2 * pad});
  for (int64_t c = 0; c < size.channels; ++c) {
    for (int64_t y = 0; y < size.height; ++y) {
      std::copy_n(
          image.pixels.data() + (c * size.height + y) * size.width, size.width,
          result.pixels.data() + (c * result.size.height + pad + y) * result.size.width + pad);
    }
  }
  return result;
}

}  // namespace

Fraction parse_fraction(std::string_view text, std::string_view where) {
  const size_t slash = text.find('/');
  Fraction result;
  result.numerator = parse_plain(text.substr(0, slash), text, where);
  if (slash != std::string_view::npos) {
    result.denominator = parse_plain(text.substr(slash + 1), text, where);
  }
  if (result.denominator == 0) fail(where, "got \"{}\", expected a divisor other than 0", text);
  if (!std::isfinite(result.value())) fail(where, "got \"{}\", expected a float32 value", text);
  return result;
}

float parse_number(std::string_view text, std::string_view where) {
  return parse_fraction(text, where).value();
}

std::vector<float> parse_numbers(std::string_view text, std::string_view where) {
  std::vector<float> numbers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    numbers.push_back(parse_number(text.substr(begin, end - begin), where));
    begin = end + 1;
  }
  return numbers;
}

bool Preprocessing::is_identity() const {
  return !crop && !resize && pad == 0 && channels == Channels::rgb && scale.numerator == 1 &&
         scale.denominator == 1 && mean.empty() && std.empty() && layout == Layout::nchw;
}

std::string to_json(const Preprocessing& preprocessing) {
  FloatJson json;
  json["crop"] = preprocessing.crop ? FloatJson(*preprocessing.crop) : FloatJson();
  json["resize"] = preprocessing.resize ? FloatJson(*preprocessing.resize) : FloatJson();
  json["pad"] = preprocessing.pad;
  json["channels"] = preprocessing.channels == Channels::rgb ? "rgb" : "bgr";
  json["scale"] = {preprocessing.scale.numerator, preprocessing.scale.denominator};
  json["mean"] = preprocessing.mean;
  json["std"] = preprocessing.std;
  json["layout"] = preprocessing.layout == Layout::nchw ? "nchw" : "nhwc";
  return json.dump();
}

Shape output_shape(const Preprocessing& preprocessing, const ImageSize& size,
                   std::string_view where) {
  if (size.height < 1 || size.width < 1 || size.height > kMaxSide || size.width > kMaxSide ||
      count_values(size) > kMaxImageValues) {
    fail(where, "got images of {} by {}, expected sides from 1 to {} and at most {} values",
         size.height, size.width, kMaxSide, kMaxImageValues);
  }
  const ImageSize result = output_size(preprocessing, size, where);
  Shape shape = preprocessing.layout == Layout::nchw
                    ? Shape{result.channels, result.height, result.width}
                    : Shape{result.height, result.width, result.channels};
  if (element_count(shape) > kMaxImageValues) {
    fail(where, "got a preprocessed image of {}, expected at most {} values", to_string(shape),
         kMaxImageValues);
  }
  if (preprocessing.channels == Channels::bgr && result.channels != 3) {
    fail(where, "channel order bgr got {} channels, expected 3", result.channels);
  }
  check_per_channel(preprocessing.mean, result.channels, "mean", where);
  check_per_channel(preprocessing.std, result.channels, "std", where);
  const auto is_usable = [](float x) { return std::isfinite(x) && x != 0; };
  if (!std::all_of(preprocessing.std.begin(), preprocessing.std.end(), is_usable)) {
    fail(where, "std got 0 or a value that is not finite, expected finite values other than 0");
  }
  if (!is_usable(preprocessing.scale.denominator)) {
    fail(where, "scale got a divisor of {}, expected a finite value other than 0",
         preprocessing.scale.denominator);
  }
  return shape;
}

void preprocess(const Preprocessing& preprocessing, Image image, float* out) {
  if (const auto& crop = preprocessing.crop) image = crop_centre(image, (*crop)[0], (*crop)[1]);
  if (const auto& resize = preprocessing.resize) {
    image = resize_bilinear(image, (*resize)[0], (*resize)[1]);
  }
  if (preprocessing.pad > 0) image = pad_zero(image, preprocessing.pad);

  const int64_t channels = image.size.channels;
  const int64_t plane = image.size.height * image.size.width;
  const bool planar = preprocessing.layout == Layout::nchw;
  const Fraction scale = preprocessing.scale;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t from = preprocessing.channels == Channels::bgr ? channels - 1 - c : c;
    const float* source = image.pixels.data() + from * plane;
    float* target = planar ? out + c * plane : out + c;
    const int64_t stride = planar ? 1 : channels;
    const float mean = per_channel(preprocessing.mean, c, 0);
    const float deviation = per_channel(preprocessing.std, c, 1);
    for (int64_t i = 0; i < plane; ++i) {
      const float scaled = source[i] * scale.numerator / scale.denominator;
      target[i * stride] = (scaled - mean) / deviation;
    }
  }
}

}  // namespace vigor
