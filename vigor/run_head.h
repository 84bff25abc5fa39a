// What all jobs on a network and its data share: checked inputs, golden runs, and what a result
// file says of both.
#pragma once

#include "dataset.h"
#include "execute.h"
#include "hash.h"
#include "run.h"

namespace vigor {

/// "data: got 3x32x32, expected 1x28x28" unless a sample has as many elements as the network's
/// input (equal counts are reshaped); labels must be classes of the network.
void check_data(const Graph& graph, const Dataset& data);

/// Inputs [first, first + count) of the data, one after the other.
std::vector<float> read_inputs(const Graph& graph, const Dataset& data, int64_t first,
                               int64_t count);

/// Golden run of these inputs; their bytes go into `hash` (may be null).
Golden golden_run(const Graph& graph, const Dataset& data, int64_t first, int64_t count,
                  Sha256* hash = nullptr);

/// Model, data and instruction set; no inputs yet.
RunHead describe_run(const Graph& graph, const Dataset& data);
SiteHead describe_site(const Graph& graph, const Site& site);
/// Notes the inputs of a golden block, which follows those noted before.
void add_inputs(RunHead& head, const Golden& golden, const Dataset& data);

}  // namespace vigor
