// Run files: HDF5, schema 1. docs/results.md describes them field by field.
#pragma once

#include <filesystem>

#include "run.h"

namespace vigor {

inline constexpr int64_t kSchema = 1;

/// Writes `file` whole or not at all: under the name FILE.partial beside it first. Equal results
/// give files that differ in /provenance only. Throws Error naming the file and the reason.
void write_run(const std::filesystem::path& file, const Run& run);

/// Reads what write_run wrote; what is missing, damaged or inconsistent is an Error. Sites get no
/// node and tensor (-1). Rows of classes without input, and bounds over finite thresholds where
/// there are none, are NaN.
Run read_run(const std::filesystem::path& file);

}  // namespace vigor
