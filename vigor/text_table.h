// Text of less than 100 columns for people: tables, paragraphs, shares.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "interval.h"

namespace vigor {

inline constexpr size_t kColumns = 98;

/// At most this many characters, without control characters.
std::string shortened(const std::string& name, size_t most);

/// Lines of at most kColumns.
std::string wrapped(std::string_view text);

using TableRow = std::vector<std::string>;
/// The first row names the columns. The first `left` columns are aligned to the left, the others to
/// the right.
std::string table(const std::string& title, const std::vector<TableRow>& rows, size_t left);

/// "1.90": two decimals, more where a share would read as nothing.
std::string percent(double share);
/// "1.20 % to 1.31 %".
std::string interval_text(Interval interval);
/// "sign", "exponent 7", "mantissa 22".
std::string bit_meaning(size_t bit);

}  // namespace vigor
