// Comma-separated values: rows out, fields in.
#pragma once

#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "partial_file.h"

namespace vigor {

/// A field as it stands in a row: in quotes where it has to be.
std::string quoted(const std::string& text);

/// Fields of one row, unquoted; nothing where a quote is not closed or text follows it.
std::optional<std::vector<std::string>> split_row(std::string_view row);

/// A CSV file, rows at a time, so that no table has to fit into memory; whole or not there, like
/// PartialFile. Throws Error naming the file where it cannot be written.
class CsvFile {
 public:
  CsvFile(const std::filesystem::path& file, std::string_view header);

  template <typename... Fields>
  void row(const Fields&... fields) {
    (fmt::format_to(std::back_inserter(pending_), "{},", fields), ...);
    pending_.back() = '\n';
    if (pending_.size() >= kBlock) write_pending();
  }

  void finish();

 private:
  static constexpr size_t kBlock = size_t{1} << 16;
  void write_pending();

  std::string name_;
  PartialFile partial_;
  std::string pending_;
};

}  // namespace vigor
