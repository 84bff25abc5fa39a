#include "printable.h"

#include <cstdint>
#include <limits>

namespace vigor {

namespace {

/// Length of the well-formed, printable UTF-8 sequence that `text` begins with; 0 for none.
size_t sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  uint32_t code = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  // C1 controls, and the marks that reorder or break lines.
  const bool control =
      code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return code < kLeast[length] || code > 0x10ffff || surrogate || control ? 0 : length;
}

std::string safe_text(std::string_view text, size_t most) {
  std::string safe;
  while (!text.empty()) {
    const size_t length = sequence(text);
    if (safe.size() + (length ? length : 1) > most - 3) return safe + "...";
    if (length) {
      safe += text.substr(0, length);
    } else {
      safe += '?';
    }
    text.remove_prefix(length ? length : 1);
  }
  return safe;
}

}  // namespace

std::string one_line(std::string_view text) {
  return safe_text(text, std::numeric_limits<size_t>::max());
}

std::string printable(std::string_view text) { return safe_text(text, 200); }

}  // namespace vigor
