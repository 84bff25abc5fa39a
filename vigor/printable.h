// Names out of files, made safe for terminals, tables and JSON.
#pragma once

#include <string>
#include <string_view>

namespace vigor {

/// Valid UTF-8 without control characters: whatever else becomes '?'.
std::string one_line(std::string_view text);
/// The same, of at most 200 bytes.
std::string printable(std::string_view text);

}  // namespace vigor
