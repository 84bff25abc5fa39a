// Cuts: behind a chain of element-wise monotone steps the network is a function of one value, the
// cut, shared by all neurons that feed it (METHOD section 4, "Cut collapse").
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "execute.h"
#include "graph.h"
#include "region.h"
#include "site.h"

namespace vigor {

/// The steps from a tensor to its cut. Each is non-decreasing or non-increasing as computed, takes
/// each element to at most one, and is the only reader of what it reads.
struct CutChain {
  struct Step {
    int node;
    size_t operand;  // which of its operands comes from the step before
  };
  int tensor;               // of the cuts; the one asked about where there is no step
  std::vector<Step> steps;  // views left out

  /// The cut that an element of the first tensor feeds; -1 where nothing reads it (the remainder of
  /// a pool).
  int64_t element(const Graph& graph, int64_t neuron) const;
};
CutChain find_cut(const Graph& graph, int tensor);

/// How many cuts the neurons of a site feed.
int64_t count_cuts(const Graph& graph, const Site& site);

/// The sites, followed by one site for the cuts of each, in order: what a prober is made for.
std::vector<Site> with_cut_sites(const Graph& graph, const std::vector<Site>& sites);

/// Takes values of neurons to values of their cuts, by the kernels of the region prober.
class CutMap {
 public:
  /// For some neurons of a site and one golden block. `golden` outlives it.
  CutMap(const Graph& graph, const CutChain& chain, std::span<const int64_t> neurons,
         const Golden& golden);

  /// Of neuron number k, which feeds a cut: cut values of these values, one per lane of the golden
  /// block. Valid until the next call.
  const float* run(size_t k, const float* values);

 private:
  using Plan = std::vector<std::unique_ptr<RegionStep>>;
  Plan plan(int64_t neuron);

  const Graph& graph_;
  const CutChain& chain_;
  const Golden& golden_;
  int lanes_;
  std::vector<int32_t> inputs_;           // of the lanes
  std::vector<LaneFloats> rows_;          // the neuron's, then one per step
  std::vector<int32_t> no_row_, row_of_;  // all -1; all -1 but while a step is planned
  RowArena arena_;
  std::vector<Plan> plans_;  // per neuron
};

}  // namespace vigor
