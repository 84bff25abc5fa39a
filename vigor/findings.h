// What an analysis has found so far, by work units: into part files and out of them.
#pragma once

#include <map>
#include <vector>

#include "lattice.h"
#include "part.h"
#include "run.h"
#include "search.h"

namespace vigor {

/// A block of neurons of a site; with a block of inputs it makes a unit.
struct UnitNeurons {
  size_t site;
  std::vector<int64_t> numbers;  // of the neurons in the site
};

/// How large units are: at least so many neurons, and so many inputs.
struct UnitSize {
  size_t neurons;
  int64_t inputs;
};

/// Numbers the units (block by block of inputs, in a block site by site) and merges what they find.
/// One thread at a time.
class Findings {
 public:
  /// `run` has its inputs and empty tallies; it outlives this. `pending`: keeps apart what pack()
  /// takes.
  Findings(const Graph& graph, Run& run, UnitSize size, bool pending);

  const std::vector<UnitNeurons>& neurons() const { return neurons_; }
  int64_t units() const { return blocks_ * std::ssize(neurons_); }
  const UnitNeurons& neurons(int64_t unit) const {
    return neurons_[static_cast<size_t>(unit % std::ssize(neurons_))];
  }
  int64_t first_input(int64_t unit) const { return unit / std::ssize(neurons_) * block_; }
  int64_t inputs_of(int64_t unit) const;

  /// `thresholds`: [neuron, input, side].
  void add(int64_t unit, const SiteTally& tally, const std::vector<Threshold>& thresholds);
  /// What was added since the last call; the part has its units.
  void pack(Part& part);
  /// All that was added; the part has its units.
  void pack_all(Part& part);
  /// Throws Error, and changes nothing that counts, where the part does not fit.
  void unpack(const Part& part);

 private:
  float* kept(int64_t unit, int64_t k, int64_t input);
  void put_thresholds(Part& part);

  Run& run_;
  int64_t block_, blocks_;
  bool keeps_pending_;
  std::vector<UnitNeurons> neurons_;
  std::map<int64_t, SiteTally> pending_;  // by number in neurons_
};

}  // namespace vigor
