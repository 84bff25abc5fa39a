#include "csv.h"

#include <cerrno>
#include <system_error>

#include "partial_file.h"

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

namespace {

std::string target(const std::filesystem::path& file) {
  try {
    return written_file(file).string();
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

// The name, free for a new file: a link there would lead elsewhere.
std::string removed(const std::string& name) {
  std::error_code ignored;
  std::filesystem::remove(name, ignored);
  return name;
}

}  // namespace

CsvFile::CsvFile(const std::filesystem::path& file, std::string_view header)
    : name_(file.string()),
      file_(target(file)),
      partial_(removed(file_ + ".partial")),
      out_(partial_, std::ios::binary) {
  out_ << header << '\n';
  check();
}

CsvFile::~CsvFile() {
  std::error_code ignored;
  std::filesystem::remove(partial_, ignored);
}

void CsvFile::finish() {
  out_.close();
  check();
  std::error_code error;
  std::filesystem::rename(partial_, file_, error);
  if (error) fail(name_, "cannot be written: {}", error.message());
}

void CsvFile::check() const {
  if (!out_) fail(name_, "cannot be written: {}", std::generic_category().message(errno));
}

}  // namespace vigor
