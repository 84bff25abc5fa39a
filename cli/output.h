// What all commands that write a result file share.
#pragma once

#include <filesystem>
#include <vector>

#include "run.h"

namespace vigor {

/// Throws Error where a file could not be written (found out before hours are spent, not after),
/// and where it, or the file it is written to at first, is one of the command's other files, or
/// looks like a file of a data set in one of its folders.
void check_output(const std::filesystem::path& output,
                  const std::vector<std::filesystem::path>& others);

/// Both lists together.
inline std::vector<std::filesystem::path> joined(
    std::vector<std::filesystem::path> files, std::initializer_list<std::filesystem::path> more) {
  files.insert(files.end(), more);
  return files;
}

/// Machine, time and command line.
void describe_caller(Provenance& provenance);

}  // namespace vigor
