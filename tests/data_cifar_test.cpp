#include <gmock/gmock.h>

#include <filesystem>

#include "data_bytes.h"
#include "error.h"
#include "test_data.h"

namespace vigor {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// One record: labels, then planes filled with r, g, b.
std::string record(const std::string& labels, char r, char g, char b) {
  return labels + std::string(1024, r) + std::string(1024, g) + std::string(1024, b);
}

void expect_error(const std::string& spec, const std::string& why,
                  const std::string& split = "test") {
  EXPECT_THAT([&] { open_spec(spec, split); }, ThrowsMessage<Error>(HasSubstr(why))) << spec;
}

TEST(Cifar, ReadsTen) {
  const TempDir dir;
  dir.write("test_batch.bin", record("\x03", 1, 2, 3) + record("\x09", 4, 5, 6));
  dir.write("batches.meta.txt", "airplane\r\nbird\n\n");
  const Dataset data = open_spec("cifar10:" + dir.path());
  EXPECT_EQ(data.size(), 2);
  EXPECT_EQ(data.sample_shape(), (Shape{3, 32, 32}));
  EXPECT_EQ(data.label(0), 3);
  EXPECT_EQ(data.label(1), 9);
  const std::vector<float> values = sample(data, 1);
  EXPECT_EQ(values[0], 4);
  EXPECT_EQ(values[1024], 5);
  EXPECT_EQ(values[3071], 6);
  EXPECT_THAT(data.class_names(), testing::ElementsAre("airplane", "bird"));
  EXPECT_EQ(data.description(), "cifar10:test_batch.bin split=test");
}

TEST(Cifar, ReadsFineLabelsOfHundred) {
  const TempDir dir;
  const std::string file = dir.write("some.bin", record("\x13\x63", 1, 2, 3));
  const Dataset data = open_spec("cifar100:" + file);
  EXPECT_EQ(data.label(0), 99);
  EXPECT_EQ(sample(data, 0)[0], 1);
  EXPECT_EQ(data.description(), "cifar100:some.bin");
}

TEST(Cifar, ReadsTrainingBatchesInOrder) {
  const TempDir dir;
  for (char i = 1; i <= 5; ++i) {
    dir.write("data_batch_" + std::to_string(i) + ".bin", record({i}, i, i, i));
  }
  dir.write("train_few.bin", record("\x09", 9, 9, 9));
  const Dataset data = open_spec("cifar10:" + dir.path(), "train");
  EXPECT_EQ(data.size(), 5);
  EXPECT_EQ(data.label(4), 5);
  EXPECT_EQ(sample(data, 4)[0], 5);
  std::filesystem::remove(dir.path("data_batch_3.bin"));
  expect_error("cifar10:" + dir.path(), "data_batch_3.bin] no such file", "train");
}

TEST(Cifar, TakesTheOnlyTrainingFile) {
  const TempDir dir;
  expect_error("cifar100:" + dir.path(), "got 0 files train*.bin", "train");
  dir.write("train_few.bin", record("\x01\x02", 9, 9, 9));
  EXPECT_EQ(open_spec("cifar100:" + dir.path(), "train").description(),
            "cifar100:train_few.bin split=train");
  dir.write("train_more.bin", record("\x01\x02", 9, 9, 9));
  expect_error("cifar100:" + dir.path(), "got 2 files train*.bin", "train");
  expect_error("cifar100:" + dir.path(), "test.bin] no such file");
}

TEST(Cifar, RefusesDamagedFiles) {
  const TempDir dir;
  expect_error("cifar10:" + dir.write("a.bin", ""), "is empty");
  const std::string whole = record("\x03", 1, 2, 3);
  for (const size_t length : {1U, 2U, 1024U, 1025U, 3071U, 3072U}) {
    EXPECT_THROW(open_spec("cifar10:" + dir.write("a.bin", whole.substr(0, length))), Error);
  }
  expect_error("cifar100:" + dir.write("a.bin", whole), "expected a multiple of 3074");
  expect_error("cifar10:" + dir.write("a.bin", whole + record("\x0A", 1, 2, 3)),
               "got label 10 in record 1, expected less than 10");
  expect_error("cifar100:" + dir.write("a.bin", record("\x14\x01", 1, 2, 3)), "got label 20");
  expect_error("cifar100:" + dir.write("a.bin", record("\x01\x64", 1, 2, 3)), "got label 100");
}

TEST(Cifar, ReadsRealData) {
  if (!std::filesystem::exists(data_dir() / "cifar10")) {
    GTEST_SKIP() << "no real data in " << data_dir();
  }
  const Dataset ten = open_spec("cifar10:" + (data_dir() / "cifar10").string());
  EXPECT_EQ(ten.size(), 10000);
  EXPECT_EQ(ten.class_names()[static_cast<size_t>(ten.label(0))], "cat");
  const Dataset train = open_spec("cifar10:" + (data_dir() / "cifar10").string(), "train");
  EXPECT_EQ(train.class_names()[static_cast<size_t>(train.label(0))], "frog");
  const Dataset hundred = open_spec("cifar100:" + (data_dir() / "cifar100").string());
  EXPECT_EQ(hundred.class_names()[static_cast<size_t>(hundred.label(0))], "mountain");
}

}  // namespace
}  // namespace vigor
