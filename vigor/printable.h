// Names out of files, made safe for terminals, tables and JSON.
#pragma once

#include <string>
#include <string_view>

namespace vigor {

/// Valid UTF-8 without control characters, at most 200 bytes: whatever else becomes '?'.
std::string printable(std::string_view text);

}  // namespace vigor
