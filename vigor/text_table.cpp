#include "text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "printable.h"
#include "run.h"

namespace vigor {

namespace {

// Of UTF-8 text: bytes that begin a character.
size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string shortened(const std::string& name, size_t most) {
  std::string text = printable(name);
  if (width(text) <= most) return text;
  while (width(text) > most - 2 || (text.back() & 0xc0) == 0x80) text.pop_back();
  return text + "..";
}

std::string wrapped(std::string_view text) {
  std::string result, line;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && width(line) + 1 + width(word) > kColumns) {
      result += line + '\n';
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + line + '\n';
}

std::string table(const std::string& title, const std::vector<TableRow>& rows, size_t left) {
  std::vector<size_t> widths(rows.front().size());
  for (const TableRow& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string text = "\n" + title + "\n\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line, rule;
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string gap(widths[c] - width(rows[r][c]), ' ');
      line += "  " + (c < left ? rows[r][c] + gap : gap + rows[r][c]);
      rule += "  " + std::string(widths[c], '-');
    }
    text += line.erase(line.find_last_not_of(' ') + 1) + '\n';
    if (r == 0) text += rule + '\n';
  }
  return text;
}

std::string percent(double share) {
  const double value = 100 * share;
  return value != 0 && value < 0.01 ? fmt::format("{:.1g}", value) : fmt::format("{:.2f}", value);
}

std::string interval_text(Interval interval) {
  return fmt::format("{} % to {} %", percent(interval.low), percent(interval.high));
}

std::string bit_meaning(size_t bit) {
  if (bit == 31) return "sign";
  if (bit < 23) return fmt::format("mantissa {}", bit);
  return fmt::format("exponent {}", bit - 23);
}

}  // namespace vigor
