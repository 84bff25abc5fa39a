// What runs when one neuron of a site changes: the steps through the network, made once.
#pragma once

#include <memory>
#include <vector>

#include "graph.h"
#include "region.h"

namespace vigor {

/// The golden rows that a batch's lanes see: per storage tensor [size][lanes].
struct GoldenRows {
  std::vector<const float*> tensors;
  int lanes = 0;
};

class RegionPlan {
 public:
  struct Step {
    std::unique_ptr<RegionStep> work;
    const float* values = nullptr;  // rows that it makes
    int64_t rows = 0;
    bool mixes = false;
    /// Before a mixing layer, where differing lanes are looked for: the changed rows that it or a
    /// later step reads, each with its golden row.
    std::vector<std::pair<const float*, const float*>> compared;
  };

  const std::vector<Step>& steps() const { return steps_; }
  float* neuron() const { return neuron_; }  // the row of the faulty neuron
  const float* golden_neuron() const { return golden_neuron_; }
  const std::vector<const float*>& logits() const { return logits_; }  // rows
  int64_t bytes() const { return bytes_; }

 private:
  friend class RegionPlanner;
  std::vector<Step> steps_;
  float* neuron_ = nullptr;
  const float* golden_neuron_ = nullptr;
  std::vector<const float*> logits_;
  int64_t bytes_ = 0;
};

/// Makes plans for the neurons of one site. Not thread-safe.
class RegionPlanner {
 public:
  /// `arena` holds the rows of every plan; see arena_floats().
  RegionPlanner(const Graph& graph, int tensor, const GoldenRows& golden, RowArena& arena);

  std::unique_ptr<RegionPlan> plan(int64_t neuron);

  /// Floats that any plan may take.
  static int64_t arena_floats(const Graph& graph, int lanes);

 private:
  /// Changed elements of one storage tensor in the plan being made.
  struct Changed {
    std::vector<int32_t> elements;
    std::vector<int32_t> row_of;  // empty until first needed
    float* values = nullptr;
  };

  RegionTensor view(int storage) const;
  void change(int storage, std::vector<int32_t> elements);
  bool any_changed(const Node& node) const;
  std::vector<int32_t> affected_by(const Node& node, bool& rule) const;
  void add_comparisons(size_t position, RegionPlan::Step& step) const;

  const Graph& graph_;
  int site_;
  const GoldenRows& golden_;
  RowArena& arena_;
  std::vector<int> nodes_;           // that depend on the site, views left out
  std::vector<size_t> last_reader_;  // per storage tensor: position in nodes_
  std::vector<Changed> changed_;     // per storage tensor
  std::vector<int> touched_;         // storage tensors changed in the plan being made
};

}  // namespace vigor
