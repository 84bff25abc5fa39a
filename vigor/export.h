// What a run found out, for other programs: JSON and CSV (docs/results.md has the columns).
#pragma once

#include <filesystem>
#include <string>

#include "run.h"

namespace vigor {

/// Shares are numbers from 0 to 1; "interval" is [low, high], or null where all neurons were
/// analysed; "bvf" has the mean of every bit, bit 0 first:
///
///   {"model":  {"name", "sha256", "mvf": FACTOR, "bvf": [32], "weights", "probes_per_pair",
///               "forward_equivalents", "audited", "disagreements"},
///    "data":   {"name", "sha256", "inputs", "left_out"},
///    "sites":  [{"name", "tensor", "node", "kind", "shape", "neurons", "population",
///                "lvf": FACTOR, "bvf": [32], "far_class": {"below", "above"}, "contradictions",
///                "probes_per_pair", "forward_equivalents"}]}
///   FACTOR = {"low", "resolved", "high", "nan", "non_critical", "interval"}
std::string to_json(const Run& run);

/// Writes sites.csv, bits.csv and neurons.csv into `folder`, which is made if it is missing.
/// Throws Error naming the file that cannot be written.
void write_csv(const std::filesystem::path& folder, const Run& run);

/// Index (c, h, w) of a neuron in a tensor of `shape`: as many entries as the shape has dimensions,
/// at most three; what follows the second is flattened.
std::vector<int64_t> neuron_index(const Shape& shape, int64_t neuron);

}  // namespace vigor
