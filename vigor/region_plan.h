// What runs when neurons of a site change: the way through the network, made once, in segments that
// end where it pays to look which lanes have become golden again: before a mixing layer.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
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

struct RegionSegment {
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
  /// Unless the segment is the last one: where the next one starts, and the rows of its changed
  /// elements, in order, as these steps leave them.
  RegionState next;
  std::vector<Live> live;
  std::vector<RowSource> logits;  // of the last segment
  int64_t bytes = 0;              // of all tables

  bool last() const { return !logits.empty(); }
};

/// Makes segments. Not thread-safe.
class RegionPlanner {
 public:
  /// `arena` holds the rows of all segments; see arena_floats(). Rows of a segment stay as they are
  /// while later ones run.
  RegionPlanner(const Graph& graph, int lanes, RowArena& arena);

  /// A neuron of a site's tensor.
  RegionState start(int tensor, int64_t neuron) const;

  /// `rows` holds the changed elements of `state`, [state.rows()][lanes].
  RegionSegment segment(const RegionState& state, float* rows);

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
  RegionSegment::Step step(const Node& node, std::vector<int32_t> elements, bool rule);
  void restore();
  void end_before(size_t position, RegionSegment& segment);

  const Graph& graph_;
  int lanes_;
  RowArena& arena_;
  std::vector<int64_t> place_;       // of each node's rows in the arena
  std::vector<size_t> last_reader_;  // per storage tensor: its last node
  std::vector<Changed> changed_;     // per storage tensor
  std::vector<int> touched_;         // storage tensors changed in the segment being made
};

}  // namespace vigor
