#include "csv.h"

namespace vigor {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) {
    result += c;
    if (c == '"') result += c;
  }
  return result + '"';
}

std::optional<std::vector<std::string>> split_row(std::string_view row) {
  std::vector<std::string> fields;
  while (true) {
    std::string& field = fields.emplace_back();
    if (row.starts_with('"')) {
      row.remove_prefix(1);
      while (true) {
        const size_t quote = row.find('"');
        if (quote == std::string_view::npos) return std::nullopt;
        field += row.substr(0, quote);
        row.remove_prefix(quote + 1);
        if (!row.starts_with('"')) break;
        field += '"';
        row.remove_prefix(1);
      }
      if (!row.empty() && row[0] != ',') return std::nullopt;
    } else {
      const size_t end = std::min(row.find(','), row.size());
      field = row.substr(0, end);
      row.remove_prefix(end);
    }
    if (row.empty()) return fields;
    row.remove_prefix(1);
  }
}

CsvFile::CsvFile(const std::filesystem::path& file, std::string_view header) try
    : name_(file.string()), partial_(file), pending_(header) {
  pending_ += '\n';
} catch (const Error& error) {
  fail(file.string(), "cannot be written: {}", error.what());
}

void CsvFile::finish() {
  write_pending();
  try {
    partial_.finish();
  } catch (const Error& error) {
    fail(name_, "cannot be written: {}", error.what());
  }
}

void CsvFile::write_pending() {
  try {
    partial_.write(pending_);
  } catch (const Error& error) {
    fail(name_, "cannot be written: {}", error.what());
  }
  pending_.clear();
}

}  // namespace vigor
