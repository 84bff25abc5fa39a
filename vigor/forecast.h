// What an analysis will cost, before it runs.
#pragma once

#include "site.h"

namespace vigor {

struct Forecast {
  int64_t neurons = 0;
  double probes = 0;   // for all inputs
  double macs = 0;     // multiply-accumulates of these probes
  double seconds = 0;  // on this machine
  int64_t bytes = 0;   // peak memory: weights aside, what golden runs, batches and results take
};

/// Probes per cut and input: of the default search on LeNet-5 (where it takes 3 to 10), and of
/// amortised merging there (docs/search.md).
inline constexpr double kSearchProbes = 8, kAmortisedProbes = 5, kAmortisedInnerProbes = 3;

/// `probes`: per cut and input. Their time is that of one
/// batch of the region prober at the middle neuron of each site, on random pixels.
Forecast forecast(const Graph& graph, const std::vector<Site>& sites, int64_t inputs, int threads,
                  double probes = kSearchProbes);

/// Multiply-accumulates of the nodes that depend on the site.
int64_t suffix_macs(const Graph& graph, const Site& site);

}  // namespace vigor
