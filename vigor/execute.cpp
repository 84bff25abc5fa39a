#include "execute.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "error.h"
#include "kernels/kernels.h"

namespace vigor {

namespace {

size_t index(int id) { return static_cast<size_t>(id); }

std::vector<int> all_nodes(const Graph& graph) {
  std::vector<int> nodes(graph.nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  return nodes;
}

// First fit with holes; freed places are merged. Sizes and offsets in floats.
class Arena {
 public:
  int64_t take(int64_t size) {
    for (auto hole = holes_.begin(); hole != holes_.end(); ++hole) {
      if (hole->size < size) continue;
      const int64_t place = hole->place;
      hole->place += size;
      hole->size -= size;
      if (hole->size == 0) holes_.erase(hole);
      return place;
    }
    const int64_t place = end_;
    end_ += size;
    return place;
  }
  void free(int64_t place, int64_t size) {
    auto at = std::find_if(holes_.begin(), holes_.end(),
                           [&](const Hole& hole) { return hole.place > place; });
    at = holes_.insert(at, {place, size});
    if (const auto next = at + 1; next != holes_.end() && at->place + at->size == next->place) {
      at->size += next->size;
      holes_.erase(next);
    }
    if (at != holes_.begin() && (at - 1)->place + (at - 1)->size == at->place) {
      (at - 1)->size += at->size;
      holes_.erase(at);
    }
  }
  int64_t size() const { return end_; }

 private:
  struct Hole {
    int64_t place, size;
  };
  std::vector<Hole> holes_;
  int64_t end_ = 0;
};

}  // namespace

int lanes_for(int64_t count) {
  return static_cast<int>((count + kLaneStep - 1) / kLaneStep * kLaneStep);
}

LaneRunner::LaneRunner(const Graph& graph, std::vector<int> nodes, int lanes, bool keep_all)
    : graph_(graph),
      nodes_(std::move(nodes)),
      lanes_(lanes),
      place_(graph.tensors.size(), -1),
      outside_(graph.tensors.size(), nullptr) {
  plan(keep_all);
  arena_.resize(static_cast<size_t>(arena_size_));
  scratch_.resize(static_cast<size_t>(scratch_size_));
}

void LaneRunner::plan(bool keep_all) {
  std::vector<size_t> last_use(graph_.tensors.size(), 0);
  std::vector<bool> made(graph_.tensors.size(), false);
  for (size_t n = 0; n < nodes_.size(); ++n) {
    for (const int input : graph_.node(nodes_[n]).inputs) {
      const int storage = graph_.tensor(input).storage;
      last_use[index(storage)] = n;
      if (!made[index(storage)] &&
          std::find(bound_.begin(), bound_.end(), storage) == bound_.end()) {
        bound_.push_back(storage);
      }
    }
    made[index(graph_.tensor(graph_.node(nodes_[n]).output).storage)] = true;
  }
  last_use[index(graph_.tensor(graph_.logits).storage)] = nodes_.size();
  Arena arena;
  for (size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = graph_.node(nodes_[n]);
    macs_ += node.op->macs();
    if (node.op->role() == Role::kView) continue;
    const int64_t size = graph_.tensor(node.output).size * lanes_;
    place_[index(node.output)] = arena.take(size);
    scratch_size_ = std::max(scratch_size_, node.op->scratch_size(lanes_));
    if (keep_all) continue;
    for (size_t t = 0; t < place_.size(); ++t) {
      if (place_[t] >= 0 && made[t] && last_use[t] == n && static_cast<int>(t) != node.output) {
        arena.free(place_[t], graph_.tensors[t].size * lanes_);
        made[t] = false;
      }
    }
  }
  arena_size_ = arena.size();
}

void LaneRunner::bind(int tensor, const float* values) {
  outside_[index(graph_.tensor(tensor).storage)] = values;
}

const float* LaneRunner::values(int tensor) const {
  const size_t storage = index(graph_.tensor(tensor).storage);
  return place_[storage] >= 0 ? arena_.data() + place_[storage] : outside_[storage];
}

void LaneRunner::run(const std::function<void(int tensor)>& after) {
  const float* operands[64];
  for (const int n : nodes_) {
    const Node& node = graph_.node(n);
    if (node.op->role() == Role::kView) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) operands[i] = values(node.inputs[i]);
    float* out = arena_.data() + place_[index(node.output)];
    node.op->forward_lanes({operands, node.inputs.size()}, out, lanes_, scratch_.data());
    if (after) after(node.output);
  }
}

Answer read_logits(const float* logits, int64_t classes, int64_t stride, int32_t golden) {
  Answer answer;
  float best = -std::numeric_limits<float>::infinity();
  for (int64_t c = 0; c < classes; ++c) {
    const float logit = logits[c * stride];
    if (std::isnan(logit)) answer.nan = true;
    if (std::isinf(logit)) answer.inf = true;
    if (answer.top < 0 || logit > best) {
      best = logit;
      answer.top = static_cast<int32_t>(c);
    }
  }
  if (answer.nan || classes == 0) {
    answer.top = -1;
    answer.margin = std::numeric_limits<float>::quiet_NaN();
    return answer;
  }
  const int32_t t = golden < 0 ? answer.top : golden;
  const float own = logits[t * stride];
  float rival = -std::numeric_limits<float>::infinity();
  answer.rank = 0;
  for (int32_t c = 0; c < classes; ++c) {
    if (c == t) continue;
    const float logit = logits[c * stride];
    rival = std::max(rival, logit);
    if (logit > own || (logit == own && c < t)) ++answer.rank;
  }
  answer.margin = own == rival ? 0.0F : own - rival;
  return answer;
}

Golden::Golden(const Graph& graph, std::vector<float> inputs, int64_t first)
    : graph_(graph),
      first_(first),
      inputs_(std::move(inputs)),
      runner_(graph, all_nodes(graph),
              lanes_for(static_cast<int64_t>(inputs_.size()) / graph.tensor(graph.input).size),
              true),
      lane_count_(runner_.lanes()) {
  const int64_t size = graph.tensor(graph.input).size;
  const int64_t count = static_cast<int64_t>(inputs_.size()) / size;
  const int64_t lanes = lane_count_;
  if (lanes > kMostLanes) {
    fail("golden run", "got {} inputs in a block, expected at most {}", count, kMostLanes);
  }
  lanes_.resize(static_cast<size_t>(size * lanes));
  for (int64_t lane = 0; lane < lanes; ++lane) {
    const float* sample = inputs_.data() + (lane % count) * size;
    for (int64_t e = 0; e < size; ++e) lanes_[static_cast<size_t>(e * lanes + lane)] = sample[e];
  }
  runner_.bind(graph.input, lanes_.data());
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    values_.push_back(runner_.values(static_cast<int>(t)));
  }
  std::vector<uint8_t> bad(static_cast<size_t>(lanes), 0);
  const auto check = [&](int tensor) {
    const float* x = values(tensor);
    for (int64_t e = 0; e < graph.tensor(tensor).size; ++e) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        bad[static_cast<size_t>(lane)] |= !std::isfinite(x[e * lanes + lane]);
      }
    }
  };
  check(graph.input);
  runner_.run(check);
  for (int64_t i = 0; i < count; ++i) {
    answers_.push_back(read_logits(values(graph.logits) + i, graph.classes(), lanes, -1));
    classes_.push_back(bad[static_cast<size_t>(i)] ? -1 : answers_.back().top);
  }
}

std::span<const float> Golden::input(int64_t index) const {
  const int64_t size = graph_.tensor(graph_.input).size;
  return {inputs_.data() + index * size, static_cast<size_t>(size)};
}

int64_t inputs_per_block(const Graph& graph) {
  constexpr int64_t kMostFloats = int64_t{256} << 20;  // 1 GiB
  int64_t elements = 0;
  for (const Node& node : graph.nodes) {
    if (node.op->role() != Role::kView) elements += node.op->size();
  }
  for (int64_t count = 64; count > kLaneStep; count /= 2) {
    if (elements * count <= kMostFloats) return count;
  }
  return kLaneStep;
}

}  // namespace vigor
