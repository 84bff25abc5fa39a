#include "memory.h"

#include <unistd.h>

#include <algorithm>

#include "error.h"
#include "execute.h"
#include "prober.h"

namespace vigor {

int64_t default_memory() {
  const int64_t machine = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return std::min(int64_t{2} << 30, machine / 2);
}

int64_t golden_bytes(const Graph& graph) {
  int64_t activations = 0;
  for (const Node& node : graph.nodes) {
    if (node.op->role() != Role::kView) activations += node.op->size();
  }
  return activations * inputs_per_block(graph) * static_cast<int64_t>(sizeof(float));
}

int golden_blocks(const Graph& graph, int64_t memory, int threads) {
  return static_cast<int>(std::clamp<int64_t>(memory / golden_bytes(graph), 1, threads));
}

int64_t prober_cache(const Graph& graph, int64_t memory, int threads) {
  constexpr int64_t kLeast = int64_t{1} << 20;
  const int64_t golden = golden_bytes(graph);
  const int64_t least = golden + threads * kLeast;
  if (memory < least) {
    fail("--memory", "got {} MiB, expected at least {} for {} threads", memory >> 20,
         (least >> 20) + 1, threads);
  }
  return std::min((memory - golden) / threads, kProberCache);
}

}  // namespace vigor
