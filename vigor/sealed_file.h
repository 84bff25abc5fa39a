// Result files: HDF5 behind a seal, written whole or not at all.
#pragma once

#include <filesystem>
#include <functional>

#include "hdf5_group.h"

namespace vigor {

/// Writes what `put` puts, under the name FILE.partial beside it first. Throws Error naming the
/// file and the reason.
void write_sealed(const std::filesystem::path& file,
                  const std::function<void(const Hdf5Group& root)>& put);

/// Hands the root of a file to `get`. What that throws, and files that are missing, cut or not
/// vigor's, are Errors that name the file.
void read_sealed(const std::filesystem::path& file,
                 const std::function<void(const Hdf5Group& root)>& get);

}  // namespace vigor
