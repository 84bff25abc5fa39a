// Comma-separated values: rows out, fields in.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace vigor {

/// A field as it stands in a row: in quotes where it has to be.
std::string quoted(const std::string& text);

/// Fields of one row, unquoted; nothing where a quote is not closed or text follows it.
std::optional<std::vector<std::string>> split_row(std::string_view row);

/// A CSV file: each row at once, so that no table has to fit into memory. It takes its name when it
/// is finished; until then there is only FILE.partial, which goes away if it never is.
class CsvFile {
 public:
  CsvFile(const std::filesystem::path& file, std::string_view header);
  ~CsvFile();
  CsvFile(const CsvFile&) = delete;
  CsvFile& operator=(const CsvFile&) = delete;

  template <typename... Fields>
  void row(const Fields&... fields) {
    std::string line;
    (fmt::format_to(std::back_inserter(line), "{},", fields), ...);
    line.back() = '\n';
    out_ << line;
  }

  /// Throws Error unless all rows were written.
  void finish();

 private:
  void check() const;

  std::string name_, file_, partial_;
  std::ofstream out_;
};

}  // namespace vigor
