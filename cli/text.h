// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace vigor {

/// 1234567 -> "1,234,567".
std::string with_commas(int64_t number);
/// 0.34 -> "0.3 s", 250 -> "4 min 10 s", 9000 -> "2 h 30 min", beyond two days in days.
std::string duration(double seconds);
/// 1536 -> "1.5 KiB".
std::string bytes(double count);

}  // namespace vigor
