// Runs nodes of the network on a batch in lane layout, and the golden (fault-free) run.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "aligned.h"
#include "graph.h"

namespace vigor {

/// Lanes for `count` samples: the next multiple of kLaneStep.
int lanes_for(int64_t count);

/// Runs a fixed list of nodes on `lanes` samples. Tensors from outside of the list are bound; those
/// made by it live in one arena that is reused as soon as a tensor's last reader has run (or kept).
class LaneRunner {
 public:
  LaneRunner(const Graph& graph, std::vector<int> nodes, int lanes, bool keep_all);

  int lanes() const { return lanes_; }
  /// Tensors that the nodes read but do not make.
  const std::vector<int>& bound() const { return bound_; }
  void bind(int tensor, const float* values);
  /// Values of a tensor, [size][lanes]; after run() only what is kept or made last (the logits) is
  /// valid.
  const float* values(int tensor) const;
  /// Runs all nodes. `after` (may be empty) sees every node's output tensor as soon as it is made.
  void run(const std::function<void(int tensor)>& after = {});
  int64_t macs() const { return macs_; }

 private:
  void plan(bool keep_all);

  const Graph& graph_;
  std::vector<int> nodes_, bound_;
  int lanes_;
  int64_t macs_ = 0;
  std::vector<int64_t> place_;         // per storage tensor: offset in the arena, -1 outside
  std::vector<const float*> outside_;  // per storage tensor, bound
  LaneFloats arena_, scratch_;
  int64_t arena_size_ = 0, scratch_size_ = 0;
};

/// What the logits of one sample say (METHOD section 1).
struct Answer {
  int32_t top = -1;   // argmax, lowest index on ties; -1 with a NaN or without logits
  float margin = 0;   // E_t - max over j != t of E_j, for the class t asked about
  int32_t rank = -1;  // how many classes stand before t
  bool nan = false, inf = false;
};

/// Reads logits at logits[class * stride]. `golden` < 0: t is the top class itself.
Answer read_logits(const float* logits, int64_t classes, int64_t stride, int32_t golden);

/// The golden run of one block of inputs: every activation, kept in lane layout.
class Golden {
 public:
  /// `inputs` holds `count` samples (at least one), each of the network's input size, in ONNX
  /// order. `first` is the number of the first one among the inputs of the analysis.
  Golden(const Graph& graph, std::vector<float> inputs, int64_t first);

  int64_t first() const { return first_; }
  int64_t count() const { return static_cast<int64_t>(answers_.size()); }
  int lanes() const { return lane_count_; }

  /// [size][lanes()] of any tensor. Lane l holds input l modulo count(): input i is lane i.
  const float* values(int tensor) const { return values_[static_cast<size_t>(tensor)]; }
  float value(int tensor, int64_t element, int64_t input) const {
    return values(tensor)[element * lanes() + input];
  }
  const Answer& answer(int64_t input) const { return answers_[static_cast<size_t>(input)]; }
  /// Golden class, -1 where the golden run holds a NaN or infinity: such inputs are left out.
  int32_t golden_class(int64_t input) const { return classes_[static_cast<size_t>(input)]; }
  /// One sample of the network's input.
  std::span<const float> input(int64_t index) const;

 private:
  const Graph& graph_;
  int64_t first_;
  std::vector<float> inputs_;  // [count][size]
  LaneFloats lanes_;           // the network's input in lane layout
  LaneRunner runner_;
  int lane_count_;
  std::vector<const float*> values_;  // of the tensors
  std::vector<Answer> answers_;
  std::vector<int32_t> classes_;
};

/// How many inputs a golden block holds, from the network's size alone.
int64_t inputs_per_block(const Graph& graph);

}  // namespace vigor
