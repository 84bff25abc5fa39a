#include "random.h"

#include <gmock/gmock.h>

namespace vigor {
namespace {

using testing::ElementsAre;

// Known answers of the authors' Random123 library (philox4x32-10).
TEST(Philox, KnownAnswers) {
  EXPECT_THAT(Philox(0).block(0, 0), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(Philox(~uint64_t{0}).block(~uint64_t{0}, ~uint64_t{0}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(Philox(0x299f31d0a4093822).block(0x85a308d3243f6a88, 0x0370734413198a2e),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(Philox, StaysInRange) {
  const Philox random(7);
  for (uint64_t i = 0; i < 10000; ++i) {
    EXPECT_LT(random.below(3, i), 3U);
    EXPECT_GE(random.uniform(i), 0.0);
    EXPECT_LT(random.uniform(i), 1.0);
  }
}

}  // namespace
}  // namespace vigor
