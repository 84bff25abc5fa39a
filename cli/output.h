// What all commands that write a result file share.
#pragma once

#include <filesystem>

#include "run.h"

namespace vigor {

/// Throws Error where a file could not be written: found out before hours are spent, not after.
void check_output(const std::filesystem::path& output, const std::filesystem::path& model);

/// Machine, time and command line.
void describe_caller(Provenance& provenance);

}  // namespace vigor
