#include "preprocess.h"

#include <gmock/gmock.h>

#include <cmath>

#include "error.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<float> apply(const Preprocessing& steps, const Image& image) {
  const Shape shape = output_shape(steps, image.size, "test");
  std::vector<float> out(static_cast<size_t>(element_count(shape)));
  preprocess(steps, image, out.data());
  return out;
}

// Pixels 0, 1, 2, ... in [C,H,W].
Image counting(int64_t channels, int64_t height, int64_t width) {
  Image image{{channels, height, width}, {}};
  for (int64_t i = 0; i < channels * height * width; ++i) {
    image.pixels.push_back(static_cast<float>(i));
  }
  return image;
}

TEST(ParseNumber, ReadsNumbersAndFractions) {
  EXPECT_EQ(parse_number("0.5"), 0.5F);
  EXPECT_EQ(parse_number("-3e2"), -300.0F);
  EXPECT_EQ(parse_number("1/255"), 1.0F / 255.0F);
  EXPECT_EQ(parse_fraction("1/255").numerator, 1.0F);
  EXPECT_EQ(parse_fraction("1/255").denominator, 255.0F);
  EXPECT_EQ(parse_fraction("2").denominator, 1.0F);
  EXPECT_THAT(parse_numbers("0.485,0.456,0.406"), ElementsAre(0.485F, 0.456F, 0.406F));
  EXPECT_THAT(parse_numbers("127.5"), ElementsAre(127.5F));
}

TEST(ParseNumber, RefusesGarbage) {
  for (const char* text : {"", " ", "x", "1x", "1 ", " 1", "/", "1/", "/2", "1/2/3", "1/0", "inf",
                           "nan", "1e99", "1/inf", "1,2", "1e38/1e-38", "0x10", "--1"}) {
    EXPECT_THROW(parse_number(text), Error) << text;
  }
  for (const char* text : {"", ",", "1,", ",1", "1,,2", "1, 2"}) {
    EXPECT_THROW(parse_numbers(text), Error) << text;
  }
  EXPECT_THAT([] { parse_number("abc", "--scale"); },
              ThrowsMessage<Error>(HasSubstr("[--scale] got \"abc\"")));
}

TEST(Preprocess, IdentityKeepsPixels) {
  const Image image = counting(3, 2, 2);
  EXPECT_EQ(apply({}, image), image.pixels);
  EXPECT_EQ(output_shape({}, image.size, "test"), (Shape{3, 2, 2}));
  EXPECT_TRUE(Preprocessing{}.is_identity());
}

// torch 1.13: x = tensor([[(7*r*r+13*c+3*r*c)%256 for c in range(28)] for r in range(28)])
// y = F.interpolate(x[None,None], size=(32,32), mode="bilinear", align_corners=False)[0,0]
TEST(Preprocess, ResizesUpAsPyTorch) {
  Image image{{1, 28, 28}, {}};
  for (int r = 0; r < 28; ++r) {
    for (int c = 0; c < 28; ++c) {
      image.pixels.push_back(static_cast<float>((7 * r * r + 13 * c + 3 * r * c) % 256));
    }
  }
  Preprocessing steps;
  steps.resize = {32, 32};
  const std::vector<float> out = apply(steps, image);
  const auto at = [&](size_t r, size_t c) { return out[r * 32 + c]; };
  EXPECT_FLOAT_EQ(at(0, 0), 0);
  EXPECT_FLOAT_EQ(at(0, 1), 10.5625F);
  EXPECT_FLOAT_EQ(at(1, 1), 18.2304688F);
  EXPECT_FLOAT_EQ(at(5, 17), 179.886719F);
  EXPECT_FLOAT_EQ(at(16, 16), 92.1367188F);
  EXPECT_FLOAT_EQ(at(20, 3), 137.550781F);
  EXPECT_FLOAT_EQ(at(31, 30), 140.625F);
  EXPECT_FLOAT_EQ(at(31, 31), 217);
}

// torch 1.13: x = tensor([[(5*r+11*c)%256 for c in range(5)] for r in range(4)]), size=(3,2).
TEST(Preprocess, ResizesDownAsPyTorch) {
  Image image{{1, 4, 5}, {}};
  for (int r = 0; r < 4; ++r) {
    for (int c = 0; c < 5; ++c) image.pixels.push_back(static_cast<float>(5 * r + 11 * c));
  }
  Preprocessing steps;
  steps.resize = {3, 2};
  const std::vector<float> expected = {9.08333397F, 36.5833321F, 15.75F,
                                       43.25F,      22.416666F,  49.9166679F};
  const std::vector<float> out = apply(steps, image);
  ASSERT_EQ(out.size(), expected.size());
  for (size_t i = 0; i < out.size(); ++i) EXPECT_FLOAT_EQ(out[i], expected[i]);
}

// torch 1.13: ((arange(256) / 255 - .1307) / .3081)[[0, 1, 127, 254, 255]], printed with %.9g.
TEST(Preprocess, NormalisesWithPyTorchsBits) {
  Preprocessing steps;
  steps.scale = parse_fraction("1/255");
  steps.mean = {0.1307F};
  steps.std = {0.3081F};
  const std::vector<float> out = apply(steps, counting(1, 16, 16));
  EXPECT_EQ(out[0], -0.424212962F);
  EXPECT_EQ(out[1], -0.411484718F);
  EXPECT_EQ(out[127], 1.19227266F);
  EXPECT_EQ(out[254], 2.8087585F);
  EXPECT_EQ(out[255], 2.82148671F);
}

TEST(Preprocess, CropsTheCentre) {
  Preprocessing steps;
  steps.crop = {2, 1};
  // Of 5 rows the 2nd and 3rd, of 4 columns the 2nd.
  EXPECT_THAT(apply(steps, counting(1, 5, 4)), ElementsAre(5, 9));
}

TEST(Preprocess, PadsWithRawZeroBeforeNormalising) {
  Preprocessing steps;
  steps.pad = 1;
  steps.mean = {2};
  EXPECT_THAT(apply(steps, counting(2, 1, 1)), ElementsAre(-2, -2, -2, -2, -2, -2, -2, -2, -2,  //
                                                           -2, -2, -2, -2, -1, -2, -2, -2, -2));
}

TEST(Preprocess, SwapsChannelsBeforeMean) {
  Preprocessing steps;
  steps.channels = Channels::bgr;
  steps.mean = {100, 200, 300};
  steps.std = {1, 2, 4};
  EXPECT_THAT(apply(steps, counting(3, 1, 1)), ElementsAre(-98, -99.5F, -75));
}

TEST(Preprocess, HandsOverNhwc) {
  Preprocessing steps;
  steps.layout = Layout::nhwc;
  EXPECT_EQ(output_shape(steps, {2, 1, 3}, "test"), (Shape{1, 3, 2}));
  EXPECT_THAT(apply(steps, counting(2, 1, 3)), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Preprocess, CropsThenResizesThenPads) {
  Preprocessing steps;
  steps.crop = {2, 2};
  steps.resize = {1, 1};
  steps.pad = 1;
  // The mean of the middle pixels 5, 6, 9, 10.
  EXPECT_THAT(apply(steps, counting(1, 4, 4)), ElementsAre(0, 0, 0, 0, 7.5F, 0, 0, 0, 0));
}

TEST(Preprocess, RefusesWhatDoesNotFit) {
  const auto refuses = [](auto change, const char* why) {
    Preprocessing steps;
    change(steps);
    EXPECT_THAT(
        [&] {
          output_shape(steps, {1, 4, 4}, "a file");
        },
        ThrowsMessage<Error>(testing::AllOf(HasSubstr("[a file]"), HasSubstr(why))));
  };
  refuses([](auto& s) { s.crop = {5, 4}; }, "crop got 5x4");
  refuses([](auto& s) { s.crop = {0, 4}; }, "crop got 0x4");
  refuses([](auto& s) { s.resize = {4, -1}; }, "resize got 4x-1");
  refuses([](auto& s) { s.resize = {int64_t{1} << 62, 4}; }, "resize got");
  refuses([](auto& s) { s.resize = {65536, 65536}; }, "at most");
  refuses([](auto& s) { s.pad = -1; }, "pad got -1");
  refuses([](auto& s) { s.pad = int64_t{1} << 62; }, "pad got");
  refuses([](auto& s) { s.channels = Channels::bgr; }, "bgr got 1 channels");
  refuses([](auto& s) { s.mean = {1, 2, 3}; }, "mean got 3 values");
  refuses([](auto& s) { s.std = {1, 2, 3}; }, "std got 3 values");
  refuses([](auto& s) { s.std = {0}; }, "std got 0");
  refuses([](auto& s) { s.std = {NAN}; }, "std got");
  refuses([](auto& s) { s.scale.denominator = 0; }, "scale got");
  EXPECT_THROW(output_shape({}, {1, 0, 4}, "a file"), Error);
  EXPECT_THROW(output_shape({}, {3, 65536, 65536}, "a file"), Error);
}

TEST(Preprocess, RecordsAllStepsAsJson) {
  EXPECT_EQ(to_json({}), R"({"crop":null,"resize":null,"pad":0,"channels":"rgb","scale":[1.0,1.0],)"
                         R"("mean":[],"std":[],"layout":"nchw"})");
  Preprocessing steps;
  steps.crop = {224, 225};
  steps.resize = {32, 33};
  steps.pad = 2;
  steps.channels = Channels::bgr;
  steps.scale = parse_fraction("1/255");
  steps.mean = {0.1307F};
  steps.std = {0.3081F};
  steps.layout = Layout::nhwc;
  EXPECT_EQ(to_json(steps),
            R"({"crop":[224,225],"resize":[32,33],"pad":2,"channels":"bgr","scale":[1.0,255.0],)"
            R"("mean":[0.1307],"std":[0.3081],"layout":"nhwc"})");
}

}  // namespace
}  // namespace vigor
