#include "shape.h"

#include <fmt/ranges.h>

#include "error.h"

namespace vigor {

int64_t element_count(const Shape& shape) {
  constexpr int64_t kMost = int64_t{1} << 40;
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0) fail("shape", "got extent {}, expected at least 0", extent);
    if (extent != 0 && count > kMost / extent) {
      fail("shape", "got more than 2^40 elements in {}", to_string(shape));
    }
    count *= extent;
  }
  return count;
}

std::string to_string(const Shape& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace vigor
