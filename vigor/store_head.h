// What all result files hold alike: model, data, inputs, machine, and what a site is.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "hdf5_group.h"
#include "run.h"

namespace vigor {

/// The attribute `kind` of a file. Files without it are analyses.
inline constexpr std::string_view kAnalysisKind = "analysis";
inline constexpr std::string_view kInjectionKind = "injection";
inline constexpr std::string_view kMapKind = "map";
inline constexpr std::string_view kPartKind = "part";

/// All but `forward_macs`, which the group "model" holds, and the provenance.
void put_head(const Hdf5Group& root, const RunHead& head, std::string_view kind);
void put_provenance(const Hdf5Group& root, const Provenance& provenance);
void put_site_head(const Hdf5Group& group, const SiteHead& site);

std::string kind_of_file(const Hdf5Group& root);
/// Whether a result file is of this kind; throws where it is none of ours.
bool holds_kind(const std::filesystem::path& file, std::string_view kind);
/// Throws unless the file is of this program, no later version, and of this kind (or any).
void check_schema(const std::string& file, const Hdf5Group& root, std::string_view kind = "");
/// With forward_macs and the provenance.
void read_head(const Hdf5Group& root, RunHead& head);
SiteHead read_site_head(const Hdf5Group& group);

inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

/// The values, after a look at their bounds. Throws Error naming `what`.
template <typename T>
const std::vector<T>& within(const std::vector<T>& values, int64_t least, int64_t most,
                             const std::string& what) {
  for (const T value : values) {
    if (value < least || value > most) {
      throw Error(fmt::format("{}: got {}, expected {} to {}", what, value, least, most));
    }
  }
  return values;
}

inline int64_t within(int64_t value, int64_t least, int64_t most, const std::string& what) {
  return within(std::vector{value}, least, most, what).front();
}

}  // namespace vigor
