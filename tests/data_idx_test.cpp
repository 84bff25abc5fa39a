#include <gmock/gmock.h>

#include <filesystem>

#include "data_bytes.h"
#include "error.h"
#include "test_data.h"

namespace vigor {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kImages =
    idx_bytes({2, 2, 3}, std::string("\0\1\2\3\4\5\xFA\xFB\xFC\xFD\xFE\xFF", 12));
const std::string kLabels = idx_bytes({2}, "\x07\x03");

void expect_error(const std::string& spec, const std::string& why) {
  EXPECT_THAT([&] { open_spec(spec); }, ThrowsMessage<Error>(HasSubstr(why))) << spec;
}

TEST(Idx, ReadsImagesAndLabels) {
  const TempDir dir;
  const Dataset data =
      open_spec("idx:" + dir.write("images", kImages) + "," + dir.write("labels", kLabels));
  EXPECT_EQ(data.size(), 2);
  EXPECT_EQ(data.sample_shape(), (Shape{1, 2, 3}));
  EXPECT_THAT(sample(data, 0), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(sample(data, 1), ElementsAre(250, 251, 252, 253, 254, 255));
  EXPECT_EQ(data.label(0), 7);
  EXPECT_EQ(data.label(1), 3);
  EXPECT_EQ(data.description(), "idx:images,labels");
  EXPECT_TRUE(data.class_names().empty());
  EXPECT_THROW(data.label(2), Error);
  EXPECT_THROW(sample(data, -1), Error);
}

TEST(Idx, ReadsGzipAndDoesWithoutLabels) {
  const TempDir dir;
  const Dataset data = open_spec("idx:" + dir.write("images.gz", deflate_bytes(kImages, 31)));
  EXPECT_THAT(sample(data, 1), ElementsAre(250, 251, 252, 253, 254, 255));
  EXPECT_FALSE(data.has_labels());
  EXPECT_EQ(data.label(0), -1);
}

TEST(Idx, RefusesEveryTruncation) {
  const TempDir dir;
  const std::string labels = dir.write("labels", kLabels);
  for (const std::string& whole : {kImages, deflate_bytes(kImages, 31)}) {
    for (size_t length = 0; length < whole.size(); ++length) {
      const std::string images = dir.write("images", whole.substr(0, length));
      EXPECT_THAT([&] { open_spec("idx:" + images + "," + labels); },
                  ThrowsMessage<Error>(HasSubstr(images)))
          << length;
    }
  }
  const std::string images = dir.write("images", kImages);
  for (size_t length = 0; length < kLabels.size(); ++length) {
    const std::string cut = dir.write("cut", kLabels.substr(0, length));
    EXPECT_THROW(open_spec("idx:" + images + "," + cut), Error) << length;
  }
}

TEST(Idx, RefusesDamagedGzip) {
  const TempDir dir;
  std::string packed = deflate_bytes(kImages, 31);
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // the checksum
  expect_error("idx:" + dir.write("images", packed), "damaged");
}

TEST(Idx, RefusesWrongHeaders) {
  const TempDir dir;
  const auto refuses = [&](const std::string& content, const std::string& why) {
    expect_error("idx:" + dir.write("images", content), why);
  };
  refuses("garbage, and a lot of it", "not an idx file");
  refuses(kLabels + std::string(20, 'x'), "in 1 dimensions");
  std::string floats = kImages;
  floats[2] = '\x0D';
  refuses(floats, "got idx type 0x0d");
  refuses(kImages + "x", "its header announces 28");
  refuses(idx_bytes({0, 2, 3}, ""), "is empty");
  refuses(idx_bytes({2, 0, 3}, ""), "is empty");
  const std::string some(100, 'x');
  refuses(idx_bytes({~0U, ~0U, ~0U}, some), "GiB");
  refuses(idx_bytes({1000, 1000, 1000}, some), "its header announces 1000000016");
  // A gzip file cannot hold that much either.
  refuses(deflate_bytes(idx_bytes({1000, 1000, 1000}, some), 31), "its header announces");
  refuses(deflate_bytes(idx_bytes({2, 2, 3}, some), 31), "more than the 28 bytes");
}

TEST(Idx, RefusesOtherNumberOfLabels) {
  const TempDir dir;
  const std::string images = dir.write("images", kImages);
  expect_error("idx:" + images + "," + dir.write("labels", idx_bytes({3}, "abc")),
               "got 3 labels, expected one for each of 2 samples");
}

TEST(Idx, RefusesPathsThatAreNoFiles) {
  const TempDir dir;
  expect_error("idx:" + dir.path("none"), "no such file");
  expect_error("idx:" + dir.path(), "not a regular file");
}

TEST(Mnist, ChoosesFilesBySplit) {
  const TempDir dir;
  dir.write("t10k-images-idx3-ubyte", kImages);
  dir.write("t10k-labels-idx1-ubyte.gz", deflate_bytes(kLabels, 31));
  dir.write("train-images-idx3-ubyte.gz", deflate_bytes(idx_bytes({1, 1, 1}, "a"), 31));
  dir.write("train-labels-idx1-ubyte", idx_bytes({1}, "\x05"));
  const Dataset test = open_spec("mnist:" + dir.path());
  EXPECT_EQ(test.size(), 2);
  EXPECT_EQ(test.description(),
            "mnist:t10k-images-idx3-ubyte,t10k-labels-idx1-ubyte.gz split=test");
  const Dataset train = open_spec("mnist:" + dir.path(), "train");
  EXPECT_EQ(train.size(), 1);
  EXPECT_EQ(train.label(0), 5);
  EXPECT_EQ(train.class_names()[5], "5");
}

TEST(FashionMnist, SaysWhatToInstall) {
  const TempDir dir;
  EXPECT_THAT([&] { open_spec("fashion-mnist:" + dir.path()); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("t10k-images-idx3-ubyte"), HasSubstr("dataset-fashion-mnist"))));
}

TEST(FashionMnist, ReadsDebiansPackage) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "Debian's package dataset-fashion-mnist is not installed";
  }
  const Dataset data = open_spec("fashion-mnist");
  EXPECT_EQ(data.size(), 10000);
  EXPECT_EQ(data.label(0), 9);
  EXPECT_EQ(data.class_names()[9], "Ankle boot");
  EXPECT_EQ(open_spec("fashion-mnist:", "train").size(), 60000);
}

TEST(Mnist, ReadsRealData) {
  const std::filesystem::path folder = data_dir() / "mnist";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no real data in " << data_dir();
  const Dataset data = open_spec("mnist:" + folder.string());
  EXPECT_EQ(data.size(), 10000);
  EXPECT_EQ(data.sample_shape(), (Shape{1, 28, 28}));
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 5; ++i) labels.push_back(data.label(i));
  EXPECT_THAT(labels, ElementsAre(7, 2, 1, 0, 4));
  EXPECT_EQ(sample(data, 0)[7 * 28 + 6], 84);  // The first pixel that is not 0.
}

}  // namespace
}  // namespace vigor
