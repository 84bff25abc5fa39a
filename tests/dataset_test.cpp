#include "dataset.h"

#include <gmock/gmock.h>

#include <thread>

#include "data_bytes.h"
#include "error.h"
#include "test_data.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Two samples of 2x2 pixels with the labels 0 and 2.
DataOptions small_data(const TempDir& dir) {
  DataOptions options;
  options.spec = "idx:" + dir.write("images", idx_bytes({2, 2, 2}, "abcdefgh")) + "," +
                 dir.write("labels", idx_bytes({2}, std::string("\0\2", 2)));
  return options;
}

void expect_error(const DataOptions& options, const std::string& why) {
  EXPECT_THAT([&] { Dataset::open(options); }, ThrowsMessage<Error>(HasSubstr(why)));
}

TEST(Dataset, RefusesUnknownSpecs) {
  for (const char* spec : {"", ":", "foo:bar", "mnist", "mnist:", "idx:", "npz", "IDX:a"}) {
    EXPECT_THROW(open_spec(spec), Error) << spec;
  }
  EXPECT_THAT([] { open_spec("foo:bar"); }, ThrowsMessage<Error>(HasSubstr("\"foo\", expected")));
  EXPECT_THAT([] { open_spec("npz"); }, ThrowsMessage<Error>(HasSubstr("npz:PATH")));
  EXPECT_THAT([] { open_spec("npz:x", "val"); }, ThrowsMessage<Error>(HasSubstr("\"val\"")));
}

TEST(Dataset, ShiftsLabelsAndTheirNames) {
  const TempDir dir;
  DataOptions options = small_data(dir);
  options.class_names_file = dir.write("names", "zero\none\ntwo\n");
  options.label_offset = 1;
  const Dataset up = Dataset::open(options);
  EXPECT_EQ(up.label(0), 1);
  EXPECT_EQ(up.label(1), 3);
  EXPECT_THAT(up.class_names(), ElementsAre("", "zero", "one", "two"));
  options.label_offset = -1;
  expect_error(options, "got label 0 with offset -1 for sample 0");
  options.label_offset = INT64_MIN;
  expect_error(options, "label offset got");
  options.spec = options.spec.substr(0, options.spec.find(','));
  options.label_offset = -5;
  EXPECT_TRUE(Dataset::open(options).class_names().empty());
}

TEST(Dataset, RefusesClassNamesThatAreNoText) {
  const TempDir dir;
  DataOptions options = small_data(dir);
  options.class_names_file = dir.write("names", std::string("a\0b", 3));
  expect_error(options, "control character 0 in line 1");
  options.class_names_file = dir.write("names", "\n\n");
  expect_error(options, "is empty");
  options.class_names_file = dir.path("none");
  expect_error(options, "no such file");
}

// A result file pads them to the longest.
TEST(Dataset, RefusesClassNamesThatNoResultFileHolds) {
  const TempDir dir;
  DataOptions options = small_data(dir);
  const auto names = [&](size_t longest) {
    std::string text(longest, 'x');
    for (int i = 1; i < 4096; ++i) text += "\nname";
    return dir.write("names", text);
  };
  options.class_names_file = names(4096);
  EXPECT_EQ(Dataset::open(options).class_names().size(), 4096U);
  options.class_names_file = names(4097);
  expect_error(options, "names] got 4096 class names of up to 4097 bytes");
  options.class_names_file = names(4096);
  options.label_offset = 1;
  expect_error(options, "got 4097 class names");
}

TEST(Dataset, AppliesAndRecordsPreprocessing) {
  const TempDir dir;
  DataOptions options = small_data(dir);
  options.preprocessing.pad = 1;
  options.preprocessing.scale = {2, 1};
  const Dataset data = Dataset::open(options);
  EXPECT_EQ(data.sample_shape(), (Shape{1, 4, 4}));
  EXPECT_EQ(sample(data, 1)[5], 2 * 'e');
  EXPECT_EQ(data.preprocessing_json(), to_json(options.preprocessing));
  options.preprocessing.crop = {3, 3};
  expect_error(options, "crop got 3x3");
}

TEST(Dataset, ReadsFromManyThreads) {
  const TempDir dir;
  const Dataset data = Dataset::open(small_data(dir));
  std::vector<std::jthread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([data, t] {
      for (int i = 0; i < 100; ++i) EXPECT_EQ(sample(data, t % 2)[0], t % 2 == 0 ? 'a' : 'e');
    });
  }
}

}  // namespace
}  // namespace vigor
