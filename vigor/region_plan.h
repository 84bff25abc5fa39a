// What runs when neurons of a site change: the way through the network, made once, in segments that
// end where it pays to look which lanes have become golden again: before a mixing layer.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "graph.h"
#include "region.h"

namespace vigor {

/// Changed elements of a tensor (its storage), ascending.
struct ChangedElements {
  int storage = 0;
  std::vector<int32_t> elements;
  auto operator<=>(const ChangedElements&) const = default;
};

/// A place on the way: what has changed and is still read from there on. All neurons that come by
/// with the same elements share everything after it.
struct RegionState {
  size_t position = 0;  // of the next node of the graph
  std::vector<ChangedElements> changed;
  auto operator<=>(const RegionState&) const = default;

  int64_t rows() const;
};

/// Steps that may be shared, and what is left after them.
struct RegionSteps {
  struct Step {
    std::unique_ptr<RegionStep> work;
    const float* values;  // rows that it makes
    int64_t rows;
  };
  struct Live {
    const float* row;
    int32_t storage, element;
  };
  std::vector<Step> steps;
  /// Unless these are the last ones: where the next segment starts, and the rows of its changed
  /// elements, in order, as these steps leave them.
  RegionState next;
  std::vector<Live> live;
  std::vector<RowSource> logits;  // of the last ones
  int64_t bytes = 0;              // of all tables

  bool last() const { return !logits.empty(); }
};

/// A mixing layer has a step for each set of elements that changes before it; what comes behind
/// depends on its changed outputs alone, and neurons at one position change the same.
struct RegionSegment {
  std::optional<RegionSteps::Step> mix;
  std::shared_ptr<const RegionSteps> rest;
  int64_t bytes = 0;  // of what is its own
};

/// Makes segments. Not thread-safe.
class RegionPlanner {
 public:
  /// `arena` holds the rows of all segments; see arena_floats(). Rows of a segment stay as they are
  /// while later ones run.
  RegionPlanner(const Graph& graph, int lanes, RowArena& arena);

  /// A neuron of a site's tensor.
  void start(int tensor, int64_t neuron, RegionState& state) const;

  /// `rows` holds the changed elements of `state`, [state.rows()][lanes].
  RegionSegment segment(const RegionState& state, float* rows);

  /// Bytes of the steps that segments share. forget() them once no segment is left.
  int64_t shared_bytes() const { return shared_bytes_; }
  void forget();

  /// Floats that the segments may take.
  static int64_t arena_floats(const Graph& graph, int lanes);

 private:
  /// Changed elements of one storage tensor in the segment being made.
  struct Changed {
    std::vector<int32_t> elements;
    std::vector<int32_t> row_of;  // empty until first needed
    float* values = nullptr;
  };

  RegionTensor view(int storage);
  void change(int storage, std::vector<int32_t> elements, float* rows);
  bool any_changed(const Node& node) const;
  std::vector<int32_t> affected_by(const Node& node, bool& rule) const;
  RegionSteps::Step step(size_t position, std::vector<int32_t> elements, bool rule);
  RegionSteps rest(size_t position, std::optional<size_t> mixed);
  std::shared_ptr<const RegionSteps> shared_rest(size_t position, size_t mixed);
  std::optional<size_t> relu_behind(size_t position) const;
  RegionState state_at(size_t position) const;
  void restore();

  const Graph& graph_;
  int lanes_;
  RowArena& arena_;
  std::vector<int64_t> place_;               // of each node's rows in the arena
  std::vector<size_t> last_reader_;          // per storage tensor: its last node
  std::vector<std::optional<size_t>> relu_;  // per node: the ReLU that its sums end in
  std::vector<Changed> changed_;             // per storage tensor
  std::vector<int> touched_;                 // storage tensors changed in the segment being made
  std::map<RegionState, std::shared_ptr<const RegionSteps>> shared_;
  int64_t shared_bytes_ = 0;
};

}  // namespace vigor
