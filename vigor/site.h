// Sites: the tensors whose elements are the neurons under analysis (METHOD section 1).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph.h"

namespace vigor {

enum class SiteKind { kPostActivation, kPreActivation, kSum, kLogits, kOther };
std::string_view to_string(SiteKind kind);

struct Site {
  std::string name;  // short, unique, stable: the same in every command
  SiteKind kind;
  int node;    // the weighted layer (or what else makes the tensor)
  int tensor;  // whose elements are the neurons
  int64_t population;
  std::vector<int64_t> neurons;  // flat indices under analysis, ascending; all of them by default
};

/// The neurons of these numbers.
std::vector<int64_t> elements(const Site& site, std::span<const int64_t> numbers);

/// Every site of the network in graph order, whatever its kind.
std::vector<Site> all_sites(const Graph& graph);

/// Sites by `selection`: post-activation, pre-activation, logits, all, or names, comma-separated.
/// Throws Error naming what is unknown, with the names there are.
std::vector<Site> select_sites(const Graph& graph, const std::string& selection);

/// Keeps a random sample of each site's neurons, without replacement: "200" of each (or all where
/// there are fewer) or "5%" (rounded up). The same seed gives the same neurons whatever other sites
/// are selected. Throws Error for anything else.
void sample_neurons(std::vector<Site>& sites, const std::string& sample, uint64_t seed);

/// select_sites, then sample_neurons unless `sample` is empty.
std::vector<Site> choose_sites(const Graph& graph, const std::string& selection,
                               const std::string& sample, uint64_t seed);

}  // namespace vigor
