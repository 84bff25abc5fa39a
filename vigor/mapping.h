// What one analysis says of another number format or fault model: the contents of a map file
// (docs/results.md). Nothing is probed: thresholds or ranges that were found decide every fault.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "run.h"
#include "stored_faults.h"

namespace vigor {

/// Faults of one site by neuron: integers only. K neurons, B bins: the places of a fault model that
/// goes bit by bit, else one for all places together.
struct MapTally {
  MapTally(int64_t neurons, int64_t bins);

  /// [K, B] critical (input, fault) pairs: surely; by the nearest that is known; at most. Without
  /// thresholds `critical` counts those inside of the ranges alone, like `low`.
  std::vector<int64_t> low, critical, high;
  std::vector<int64_t> nan;     // [K] of `low`: the faulty value is NaN
  std::vector<int64_t> beyond;  // [K] faulty values infinite or beyond 2^100
  std::vector<int64_t> gap;     // [K] of the rest: between what is known to be safe and critical
  /// [K] inputs for which storing the value is critical without any fault; [K] faults that leave
  /// the value as it was.
  std::vector<int64_t> encoded_low, encoded_high, unchanged;
};

struct MapSite : SiteHead {
  MapTally tally{0, 0};
};

struct Mapping : RunHead {
  StoredKind stored;
  bool per_input = false;      // by the thresholds of every input, else by the ranges of its class
  int64_t bins = 0;            // B
  int64_t faults_per_bin = 1;  // of one neuron and input
  bool sampled = false;        // places were drawn: all bins together are a random sample
  std::vector<MapSite> sites;
};

/// Shares of (neuron, input, fault) triples. `resolved` is NaN without thresholds.
struct MapFactor {
  double low = 0, resolved = 0, high = 0;
  double nan = 0, beyond = 0, gap = 0, unchanged = 0;
  double encoded_low = 0, encoded_high = 0;  // of (neuron, input) pairs
};
MapFactor map_factor(const Mapping& mapping, const MapSite& site);
/// Sites weighted by their populations.
MapFactor map_factor(const Mapping& mapping);
/// The same of one bin over all sites; only low, resolved and high.
MapFactor map_bin(const Mapping& mapping, int64_t bin);

/// Like write_run and read_run.
void write_mapping(const std::filesystem::path& file, const Mapping& mapping);
Mapping read_mapping(const std::filesystem::path& file);
/// Like holds_injection.
bool holds_mapping(const std::filesystem::path& file);

/// The mapping with one site alone; throws Error with the names there are.
Mapping only_site(Mapping mapping, const std::string& name);
/// In plain words, then tables. Ends with a line break.
std::string to_text(const Mapping& mapping);
/// {"model": {"name", "sha256", "mvf": FACTOR, "bits": [FACTOR x B]}, "format", "fault", "bins",
///  "per_input", "sampled", "data": {"name", "sha256", "inputs"},
///  "sites": [{"name", "tensor", "node", "kind", "shape", "neurons", "population", "lvf": FACTOR}]}
///   FACTOR = {"low", "resolved", "high", "nan", "beyond", "gap", "unchanged", "encoded_low",
///             "encoded_high"}; resolved is null without thresholds
std::string to_json(const Mapping& mapping);

}  // namespace vigor
