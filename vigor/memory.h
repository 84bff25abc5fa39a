// What golden runs and the plans of probers take, and how much of it a limit leaves them. The rows
// that a batch itself touches are not counted: at worst every activation twice, in every lane.
#pragma once

#include <cstdint>

#include "graph.h"

namespace vigor {

/// Unless told otherwise: 2 GiB, or half of what the machine has where that is less.
int64_t default_memory();

/// Bytes of all activations of one golden block.
int64_t golden_bytes(const Graph& graph);

/// How many golden blocks at a time, at most `threads`, keep within `memory`.
int golden_blocks(const Graph& graph, int64_t memory, int threads);

/// Bytes that the region prober of each thread may keep beside one golden block (prober.h). It
/// changes no result. Throws Error where `memory` is too little for the network.
int64_t prober_cache(const Graph& graph, int64_t memory, int threads);

}  // namespace vigor
