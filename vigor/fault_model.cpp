#include "fault_model.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "error.h"
#include "printable.h"

namespace vigor {

const std::vector<std::string>& FaultModel::names() {
  static const std::vector<std::string> names{
      "flip", "stuck-0", "stuck-1", "burst-2", "burst-3", "burst-4", "two-bits", "zero", "random"};
  return names;
}

FaultModel FaultModel::parse(const std::string& name, int bits) {
  if (std::find(names().begin(), names().end(), name) == names().end()) {
    fail("fault", "got '{}', expected one of: {}", printable(name), fmt::join(names(), ", "));
  }
  FaultModel model(name, name == "stuck-0"                    ? Kind::kStuck0
                         : name == "stuck-1"                  ? Kind::kStuck1
                         : name == "zero" || name == "random" ? Kind::kReplace
                                                              : Kind::kFlip);
  if (name == "random") {
    model.places_ = int64_t{1} << bits;
    return model;
  }
  if (name == "zero") {
    model.masks_ = {0};
    return model;
  }
  if (name == "two-bits") {
    for (int high = 1; high < bits; ++high) {
      for (int low = 0; low < high; ++low) {
        model.masks_.push_back(uint32_t{1} << high | uint32_t{1} << low);
      }
    }
  } else {
    const int width = name.starts_with("burst-") ? name.back() - '0' : 1;
    if (width > bits) fail("fault", "got '{}', longer than the {} bits of a value", name, bits);
    model.by_bit_ = true;
    for (int low = 0; low + width <= bits; ++low) {
      model.masks_.push_back(((uint32_t{1} << width) - 1) << low);
    }
  }
  model.places_ = std::ssize(model.masks_);
  return model;
}

uint32_t FaultModel::apply(uint32_t pattern, int64_t place) const {
  const uint32_t mask =
      masks_.empty() ? static_cast<uint32_t>(place) : masks_[static_cast<size_t>(place)];
  switch (kind_) {
    case Kind::kFlip:
      return pattern ^ mask;
    case Kind::kStuck0:
      return pattern & ~mask;
    case Kind::kStuck1:
      return pattern | mask;
    default:
      return mask;
  }
}

}  // namespace vigor
