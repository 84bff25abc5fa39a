// Files that appear under their name whole or not at all.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace vigor {

/// The file that a result takes the place of: `file`, or what it links to. Throws Error with the
/// reason alone.
std::filesystem::path written_file(const std::filesystem::path& file);

/// FILE.partial beside the file to be written, removed again unless it takes its name; a link is
/// followed to its file. Throws Error with the reason alone (callers name the file): the system's,
/// or that another process is writing it.
class PartialFile {
 public:
  explicit PartialFile(const std::filesystem::path& file);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  void write(std::span<const char> bytes);
  /// Syncs and renames.
  void finish();

 private:
  std::filesystem::path file_;
  std::string partial_;
  int descriptor_;
};

/// A file of this content. Throws Error naming the file.
void write_whole(const std::filesystem::path& file, std::span<const char> content);

}  // namespace vigor
