// SHA-256, to name files and results.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace vigor {

/// Incremental; hex() ends it.
class Sha256 {
 public:
  Sha256();
  void add(std::span<const char> bytes);
  /// 64 lower-case digits. Call once.
  std::string hex();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

std::string sha256(std::string_view bytes);

}  // namespace vigor
