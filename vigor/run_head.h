// What all jobs on a network and its data share: checked inputs, golden runs, and what a result
// file says of both.
#pragma once

#include "dataset.h"
#include "execute.h"
#include "group.h"
#include "run.h"

namespace vigor {

/// "[data] got samples of 32x32x3, expected 3x32x32" unless a sample has the shape of the network's
/// input, up to dimensions of 1, or one of the two is flat and they have as many elements; labels
/// must be classes of the network.
void check_data(const Graph& graph, const Dataset& data);

/// Inputs [first, first + count) of the data, one after the other.
std::vector<float> read_inputs(const Graph& graph, const Dataset& data, int64_t first,
                               int64_t count);

/// SHA-256 of the first `inputs` of the data, preprocessed: RunHead::data_sha256.
std::string hash_inputs(const Graph& graph, const Dataset& data, int64_t inputs);

/// Golden run of the block of inputs from `first` on, of the first `inputs` of the data.
Golden golden_block(const Graph& graph, const Dataset& data, int64_t first, int64_t inputs);

/// Model, instruction set, and the first `inputs` of the data: their hash, labels, golden classes.
/// Throws Error where the golden run of none is finite.
RunHead describe_run(const Graph& graph, const Dataset& data, int64_t inputs, int threads);
/// Ranks, and the threads of all of them. All ranks call it.
void describe_group(Provenance& provenance, Group& group, int threads);
SiteHead describe_site(const Graph& graph, const Site& site);

/// Throws Error, with both hashes, unless the network is the one that a result file is of.
void check_model(const RunHead& head, const Graph& graph);

/// The run's neurons, as sites of its network. Throws Error where the network is another.
std::vector<Site> sites_of_run(const Run& run, const Graph& graph);

}  // namespace vigor
