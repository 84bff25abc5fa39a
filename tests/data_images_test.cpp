#include <gmock/gmock.h>
#include <png.h>

#include <cstdio>
// jpeglib.h needs FILE and size_t declared before.
#include <jpeglib.h>

#include <filesystem>

#include "data_bytes.h"
#include "error.h"
#include "test_data.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::string png_bytes(const std::vector<uint8_t>& pixels, unsigned width, unsigned height,
                      unsigned format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  png_alloc_size_t size = 0;
  png_image_write_get_memory_size(image, size, 0, pixels.data(), 0, nullptr);
  std::string bytes(size, '\0');
  png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr);
  bytes.resize(size);
  return bytes;
}

// All pixels of one value.
std::string jpeg_bytes(unsigned width, unsigned height, int components, uint8_t value) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = components;
  jpeg.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<uint8_t> row(size_t{width} * static_cast<size_t>(components), value);
  uint8_t* rows = row.data();
  while (jpeg.next_scanline < height) jpeg_write_scanlines(&jpeg, &rows, 1);
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string bytes(reinterpret_cast<char*>(memory), size);
  std::free(memory);
  return bytes;
}

const std::string kColour = png_bytes({1, 2, 3, 4, 5, 6}, 2, 1, PNG_FORMAT_RGB);
const std::string kGrey = png_bytes({7, 8}, 2, 1, PNG_FORMAT_GRAY);

void expect_error(const TempDir& dir, const std::string& why) {
  EXPECT_THAT([&] { open_spec("images:" + dir.path()); }, ThrowsMessage<Error>(HasSubstr(why)));
}

TEST(Images, LabelsBySortedFolder) {
  const TempDir dir;
  dir.write("set/dog/b.png", kGrey);
  dir.write("set/dog/a.png", kColour);
  dir.write("set/cat/z.JPG", jpeg_bytes(2, 1, 3, 100));
  dir.write("set/empty/notes.txt", "ignored");
  dir.write("set/.hidden/a.png", "ignored");
  dir.write("set/cat/.a.png", "ignored");
  const Dataset data = open_spec("images:" + dir.path("set") + "/");
  EXPECT_EQ(data.size(), 3);
  EXPECT_EQ(data.sample_shape(), (Shape{3, 1, 2}));
  EXPECT_THAT(data.class_names(), ElementsAre("cat", "dog", "empty"));
  EXPECT_EQ(data.label(0), 0);
  EXPECT_EQ(data.label(1), 1);
  EXPECT_EQ(data.label(2), 1);
  EXPECT_THAT(sample(data, 0), ElementsAre(100, 100, 100, 100, 100, 100));
  EXPECT_THAT(sample(data, 1), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(sample(data, 2), ElementsAre(7, 8, 7, 8, 7, 8));
  EXPECT_EQ(data.description(), "images:set");
}

TEST(Images, StaysGreyWhenAllAre) {
  const TempDir dir;
  dir.write("a/1.png", kGrey);
  dir.write("a/2.jpeg", jpeg_bytes(2, 1, 1, 50));
  const Dataset data = open_spec("images:" + dir.path());
  EXPECT_EQ(data.sample_shape(), (Shape{1, 1, 2}));
  EXPECT_THAT(sample(data, 0), ElementsAre(7, 8));
  EXPECT_THAT(sample(data, 1), ElementsAre(50, 50));
  dir.write("a/3.png", kColour);
  expect_error(dir, "3.png] got a colour image, expected grey as 1.png");
}

TEST(Images, DropsAlphaAndGreyJpegTurnsColour) {
  const TempDir dir;
  dir.write("a/1.png", png_bytes({1, 2, 3, 0, 4, 5, 6, 128}, 2, 1, PNG_FORMAT_RGBA));
  dir.write("a/2.jpg", jpeg_bytes(2, 1, 1, 50));
  const Dataset data = open_spec("images:" + dir.path());
  EXPECT_THAT(sample(data, 0), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(sample(data, 1), ElementsAre(50, 50, 50, 50, 50, 50));
}

TEST(Images, StayWhatTheyWere) {
  const TempDir dir;
  dir.write("a/1.png", kGrey);
  dir.write("a/2.png", kGrey);
  const Dataset data = open_spec("images:" + dir.path());
  EXPECT_THAT(sample(data, 0), ElementsAre(7, 8));
  dir.write("a/1.png", png_bytes({7, 9}, 2, 1, PNG_FORMAT_GRAY));
  dir.write("a/2.png", png_bytes({7, 9}, 2, 1, PNG_FORMAT_GRAY));
  EXPECT_THAT([&] { sample(data, 0); }, ThrowsMessage<Error>(HasSubstr("1.png] was changed")));
  EXPECT_THAT(sample(data, 1), ElementsAre(7, 9));  // not seen before
  dir.write("a/1.png", kGrey);
  EXPECT_THAT(sample(data, 0), ElementsAre(7, 8));
}

TEST(Images, WantsOneSize) {
  const TempDir dir;
  dir.write("a/1.png", kColour);
  dir.write("b/2.jpg", jpeg_bytes(4, 3, 3, 9));
  expect_error(dir, "2.jpg] got 3x3x4 after preprocessing, expected 3x1x2 as 1.png");
  DataOptions options;
  options.spec = "images:" + dir.path();
  options.preprocessing.resize = {2, 2};
  EXPECT_EQ(sample(Dataset::open(options), 1)[0], 9);
  options.preprocessing.resize.reset();
  options.preprocessing.crop = {1, 2};
  EXPECT_EQ(Dataset::open(options).sample_shape(), (Shape{3, 1, 2}));
}

TEST(Images, RefusesOtherContent) {
  const TempDir dir;
  EXPECT_THROW(open_spec("images:" + dir.path("none")), Error);
  expect_error(dir, "is empty");
  dir.write("1.png", kColour);
  expect_error(dir, "is empty");
  dir.write("a/1.png", "GIF89a, rather");
  expect_error(dir, "neither PNG nor JPEG");
  dir.write("a/1.png", jpeg_bytes(4, 4, 4, 9));
  expect_error(dir, "CMYK");
  std::string huge = kColour;
  huge[16] = '\x7F';  // The width; the header's checksum is wrong then, too.
  dir.write("a/1.png", huge);
  expect_error(dir, "1.png] damaged image");
  std::string wide = jpeg_bytes(4, 4, 3, 9);
  const size_t frame = wide.find("\xFF\xC0");
  wide.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  dir.write("a/1.png", wide);
  expect_error(dir, "1.png] got an image of 65500 by 65500");
}

// Opening or reading must report each truncated file.
TEST(Images, RefusesEveryTruncation) {
  const TempDir dir;
  for (const std::string& whole : {kColour, jpeg_bytes(20, 20, 3, 77)}) {
    // The last bytes of a file that ends with its image data may be missing: JPEG's end marker.
    for (size_t length = 0; length + 2 < whole.size(); ++length) {
      dir.write("a/1.png", whole.substr(0, length));
      EXPECT_THROW(sample(open_spec("images:" + dir.path()), 0), Error) << length;
    }
  }
}

TEST(Images, SurvivesEveryDamagedByte) {
  const TempDir dir;
  for (const std::string& whole : {kColour, jpeg_bytes(20, 20, 3, 77)}) {
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const char value : {'\x00', '\xFF', static_cast<char>(whole[at] ^ 1)}) {
        std::string damaged = whole;
        damaged[at] = value;
        dir.write("a/1.png", damaged);
        try {
          // Only small ones: an accepted large extent takes long to decode.
          const Dataset data = open_spec("images:" + dir.path());
          if (element_count(data.sample_shape()) < 1 << 20) sample(data, 0);
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("1.png"));
        }
      }
    }
  }
}

TEST(Images, NoticesAFileThatChanged) {
  const TempDir dir;
  dir.write("a/1.png", kColour);
  const Dataset data = open_spec("images:" + dir.path());
  dir.write("a/1.png", png_bytes({1, 2, 3, 4, 5, 6}, 1, 2, PNG_FORMAT_RGB));
  EXPECT_THROW(sample(data, 0), Error);
  std::filesystem::remove(dir.path("a/1.png"));
  EXPECT_THROW(sample(data, 0), Error);
}

}  // namespace
}  // namespace vigor
