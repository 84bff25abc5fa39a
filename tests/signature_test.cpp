// One number for all results, whatever the machine and the options that must not matter.
#include "signature.h"

#include <gtest/gtest.h>

namespace vigor {
namespace {

constexpr uint64_t kRecorded = 8131669191322076690U;

TEST(ParallelSignature, SameForAnyThreadsBatchAndMemory) {
  struct Setting {
    int threads, lanes;
    int64_t mebibytes;
  };
  for (const auto& [threads, lanes, mebibytes] :
       {Setting{1, 16, 7}, Setting{2, 64, 2048}, Setting{3, 208, 7}, Setting{4, 16, 2048}}) {
    AnalyzeOptions options;
    options.threads = threads;
    options.lanes = lanes;
    options.memory = mebibytes << 20;
    EXPECT_EQ(signature(options), kRecorded) << threads << ' ' << lanes << ' ' << mebibytes;
  }
}

TEST(Signature, SeesTheSeed) {
  AnalyzeOptions options;
  options.seed = 1;
  EXPECT_NE(signature(options), kRecorded);
}

}  // namespace
}  // namespace vigor
