// The data of a report as the page reads them (docs/report.md): a JSON text and named arrays,
// gzip'ed, as base64.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vigor {

class ReportPack {
 public:
  /// Names are of letters and underscores. Elements: float, uint32_t, int32_t, uint8_t.
  template <typename T>
  void add(const std::string& name, const std::vector<T>& values) {
    static_assert(std::endian::native == std::endian::little);
    constexpr char kind = std::is_floating_point_v<T> ? 'f' : std::is_signed_v<T> ? 'i' : 'u';
    add(name, kind, sizeof(T),
        {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }

  /// base64 of gzip of: uint32 number of bytes of the JSON text that follows; that text,
  /// {"arrays": {NAME: {"type": "f4", "at", "count"}}, "content": `json`}; the arrays, `at` bytes
  /// after the text, each as its first bytes, then its second bytes, and so on (which packs
  /// better).
  std::string text(std::string_view json) const;

 private:
  void add(const std::string& name, char kind, size_t size, std::string_view bytes);

  std::string directory_;
  std::string bytes_;
};

}  // namespace vigor
