#include "group.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace vigor {

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

std::string place(const Group& group) {
  return fmt::format("rank {} on {}", group.rank(), host_name());
}

}  // namespace vigor
