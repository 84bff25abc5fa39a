#include "region_plan.h"

#include <algorithm>
#include <numeric>

namespace vigor {

namespace {

// An operator without a rule: whole operands in, whole output out, every lane.
class WholeStep final : public RegionStep {
 public:
  struct Operand {
    std::vector<RowSource> rows;  // of every element
    float* values;                // assembled
  };

  WholeStep(const Op& op, std::vector<Operand> operands, float* out, float* scratch, int stride)
      : op_(op), operands_(std::move(operands)), out_(out), scratch_(scratch), stride_(stride) {
    for (const Operand& operand : operands_) pointers_.push_back(operand.values);
  }

  void run(const LaneBatch& batch) const override {
    for (const Operand& operand : operands_) {
      float* values = operand.values;
      for (const RowSource& row : operand.rows) {
        if (row.changed) {
          std::copy_n(row.changed, stride_, values);
        } else {
          batch.gather(row.storage, row.element, values);
        }
        values += stride_;
      }
    }
    op_.forward_lanes(pointers_, out_, stride_, scratch_);
  }

  int64_t macs() const override { return op_.macs(); }
  int64_t bytes() const override {
    int64_t sum = 0;
    for (const Operand& operand : operands_) {
      sum += static_cast<int64_t>(operand.rows.size() * sizeof(RowSource));
    }
    return sum;
  }

 private:
  const Op& op_;
  std::vector<Operand> operands_;
  std::vector<const float*> pointers_;
  float* out_;
  float* scratch_;
  int stride_;
};

size_t index(int id) { return static_cast<size_t>(id); }

// Up to whole vectors, so that what follows in the arena is aligned.
int64_t padded(int64_t floats) { return (floats + kLaneStep - 1) / kLaneStep * kLaneStep; }

// Rows that a node's step may take: its output, the differences of its operands or these whole.
int64_t arena_floats_of(const Graph& graph, const Node& node, int lanes) {
  int64_t rows = node.op->size();
  for (const int input : node.inputs) rows += graph.tensor(input).size;
  return rows * lanes + padded(node.op->scratch_size(lanes));
}

}  // namespace

int64_t RegionState::rows() const {
  int64_t sum = 0;
  for (const ChangedElements& c : changed) sum += static_cast<int64_t>(c.elements.size());
  return sum;
}

RegionPlanner::RegionPlanner(const Graph& graph, int lanes, RowArena& arena)
    : graph_(graph),
      lanes_(lanes),
      arena_(arena),
      place_{0},
      last_reader_(graph.tensors.size(), 0),
      changed_(graph.tensors.size()) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    place_.push_back(place_.back() + arena_floats_of(graph, node, lanes));
    if (node.op->role() == Role::kView) continue;
    for (const int input : node.inputs) last_reader_[index(graph.tensor(input).storage)] = n;
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) relu_.push_back(relu_behind(n));
}

// The ReLU that alone reads the sums of a node: one step makes both.
std::optional<size_t> RegionPlanner::relu_behind(size_t position) const {
  const Node& node = graph_.nodes[position];
  const auto reads = [&](const Node& reader) {
    return reader.op->role() != Role::kView && std::ranges::any_of(reader.inputs, [&](int input) {
             return graph_.tensor(input).storage == node.output;
           });
  };
  if (!node.op->rectifies() || graph_.tensor(graph_.logits).storage == node.output) return {};
  const size_t last = last_reader_[index(node.output)];
  if (!graph_.nodes[last].op->is_relu() || !reads(graph_.nodes[last]) ||
      std::ranges::count_if(graph_.nodes, reads) != 1) {
    return {};
  }
  return last;
}

int64_t RegionPlanner::arena_floats(const Graph& graph, int lanes) {
  int64_t floats = 0;
  for (const Node& node : graph.nodes) floats += arena_floats_of(graph, node, lanes);
  return floats;
}

void RegionPlanner::start(int tensor, int64_t neuron, RegionState& state) const {
  state.position = 0;
  state.changed.resize(1);
  state.changed[0].storage = graph_.tensor(tensor).storage;
  state.changed[0].elements.assign(1, static_cast<int32_t>(neuron));
}

RegionTensor RegionPlanner::view(int storage) {
  Changed& changed = changed_[index(storage)];
  const int64_t size = graph_.tensor(storage).size;
  if (changed.row_of.empty()) changed.row_of.assign(static_cast<size_t>(size), -1);
  return {storage, changed.elements, changed.values, changed.row_of.data(), size, lanes_};
}

void RegionPlanner::change(int storage, std::vector<int32_t> elements, float* rows) {
  view(storage);
  Changed& changed = changed_[index(storage)];
  for (size_t i = 0; i < elements.size(); ++i) {
    changed.row_of[static_cast<size_t>(elements[i])] = static_cast<int32_t>(i);
  }
  changed.values = rows;
  changed.elements = std::move(elements);
  touched_.push_back(storage);
}

bool RegionPlanner::any_changed(const Node& node) const {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](int input) {
    return !changed_[index(graph_.tensor(input).storage)].elements.empty();
  });
}

std::vector<int32_t> RegionPlanner::affected_by(const Node& node, bool& rule) const {
  std::vector<int32_t> elements;
  rule = true;
  for (size_t i = 0; i < node.inputs.size() && rule; ++i) {
    const auto& changed = changed_[index(graph_.tensor(node.inputs[i]).storage)].elements;
    if (!changed.empty()) rule = node.op->affected(i, changed, elements);
  }
  if (!rule) {
    elements.resize(static_cast<size_t>(node.op->size()));
    std::iota(elements.begin(), elements.end(), 0);
    return elements;
  }
  if (!std::is_sorted(elements.begin(), elements.end())) {
    std::sort(elements.begin(), elements.end());
  }
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

// The rows of a node's step lie at a place that depends on the node and their number alone.
RegionSteps::Step RegionPlanner::step(size_t position, std::vector<int32_t> elements, bool rule) {
  const Node& node = graph_.nodes[position];
  arena_.seek(place_[position]);
  const auto count = static_cast<int64_t>(elements.size());
  float* rows = arena_.take(count * lanes_);
  std::vector<RegionTensor> operands;
  for (const int input : node.inputs) operands.push_back(view(graph_.tensor(input).storage));
  change(node.output, std::move(elements), rows);
  if (rule) {
    return {node.op->plan_region(operands, {node.output, changed_[index(node.output)].elements,
                                            rows, lanes_, &arena_, relu_[position].has_value()}),
            rows, count};
  }
  std::vector<WholeStep::Operand> whole;
  for (size_t i = 0; i < operands.size(); ++i) {
    const int64_t size = graph_.tensor(node.inputs[i]).size;
    whole.push_back({{}, arena_.take(size * lanes_)});
    for (int64_t e = 0; e < size; ++e) whole.back().rows.push_back(operands[i].row(e));
  }
  float* scratch = arena_.take(padded(node.op->scratch_size(lanes_)));
  return {std::make_unique<WholeStep>(*node.op, std::move(whole), rows, scratch, lanes_), rows,
          count};
}

// What has changed and is still read from a node on.
RegionState RegionPlanner::state_at(size_t position) const {
  const int logits = graph_.tensor(graph_.logits).storage;
  RegionState state{position, {}};
  for (const int storage : touched_) {
    if (last_reader_[index(storage)] < position && storage != logits) continue;
    state.changed.push_back({storage, changed_[index(storage)].elements});
  }
  return state;
}

// The steps from a node to the next mixing layer. `mixed`: the one before, if the segment has it.
RegionSteps RegionPlanner::rest(size_t position, std::optional<size_t> mixed) {
  RegionSteps rest;
  for (; position < graph_.nodes.size(); ++position) {
    const Node& node = graph_.nodes[position];
    if (node.op->role() == Role::kView || !any_changed(node)) continue;
    bool rule = false;
    std::vector<int32_t> elements = affected_by(node, rule);
    if (elements.empty()) continue;  // nothing reads the changed elements
    if (node.op->macs() > 0) break;
    if (mixed && relu_[*mixed] == position) {  // that step has made it
      const Changed& sums = changed_[index(graph_.nodes[*mixed].output)];
      change(node.output, sums.elements, sums.values);
      continue;
    }
    rest.steps.push_back(step(position, std::move(elements), rule));
  }
  if (position < graph_.nodes.size()) {
    rest.next = state_at(position);
    for (const auto& [storage, elements] : rest.next.changed) {
      const RegionTensor tensor = view(storage);
      for (const int32_t e : elements) rest.live.push_back({tensor.row(e).changed, storage, e});
    }
  } else {
    const RegionTensor answers = view(graph_.tensor(graph_.logits).storage);
    for (int64_t c = 0; c < graph_.classes(); ++c) rest.logits.push_back(answers.row(c));
  }
  rest.bytes =
      4 * rest.next.rows() + static_cast<int64_t>(rest.live.size() * sizeof(RegionSteps::Live));
  for (const RegionSteps::Step& s : rest.steps) rest.bytes += s.work->bytes();
  return rest;
}

std::shared_ptr<const RegionSteps> RegionPlanner::shared_rest(size_t position, size_t mixed) {
  auto& slot = shared_[state_at(position)];
  if (!slot) {
    slot = std::make_shared<const RegionSteps>(rest(position, mixed));
    shared_bytes_ += slot->bytes;
  }
  return slot;
}

void RegionPlanner::forget() {
  shared_.clear();
  shared_bytes_ = 0;
}

RegionSegment RegionPlanner::segment(const RegionState& state, float* rows) {
  for (const ChangedElements& c : state.changed) {
    change(c.storage, c.elements, rows);
    rows += static_cast<int64_t>(c.elements.size()) * lanes_;
  }
  RegionSegment segment;
  size_t position = state.position;
  if (position > 0) {  // before a mixing layer
    bool rule = false;
    std::vector<int32_t> elements = affected_by(graph_.nodes[position], rule);
    segment.mix = step(position++, std::move(elements), rule);
    segment.bytes = segment.mix->work->bytes();
  }
  const RegionState after = state_at(position);
  const bool shared = segment.mix && after.changed.size() == 1 &&
                      after.changed[0].storage == graph_.nodes[position - 1].output;
  if (shared) {
    segment.rest = shared_rest(position, position - 1);
  } else {
    const auto mixed = segment.mix ? std::optional(position - 1) : std::nullopt;
    segment.rest = std::make_shared<const RegionSteps>(rest(position, mixed));
    segment.bytes += segment.rest->bytes;
  }
  restore();
  return segment;
}

void RegionPlanner::restore() {
  for (const int storage : touched_) {
    Changed& changed = changed_[index(storage)];
    for (const int32_t e : changed.elements) changed.row_of[static_cast<size_t>(e)] = -1;
    changed.elements.clear();
  }
  touched_.clear();
}

}  // namespace vigor
