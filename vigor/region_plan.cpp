#include "region_plan.h"

#include <algorithm>
#include <numeric>

namespace vigor {

namespace {

// An operator without a rule: whole operands in, whole output out, every lane.
class WholeStep final : public RegionStep {
 public:
  struct Operand {
    const float* golden;
    int64_t size;
    std::vector<std::pair<int64_t, const float*>> changed;  // element, row
    float* values;                                          // assembled
  };

  WholeStep(const Op& op, std::vector<Operand> operands, float* out, float* scratch, int stride)
      : op_(op), operands_(std::move(operands)), out_(out), scratch_(scratch), stride_(stride) {
    for (const Operand& operand : operands_) pointers_.push_back(operand.values);
  }

  void run(const LaneRange&) const override {
    for (const Operand& operand : operands_) {
      std::copy_n(operand.golden, operand.size * stride_, operand.values);
      for (const auto& [element, row] : operand.changed) {
        std::copy_n(row, stride_, operand.values + element * stride_);
      }
    }
    op_.forward_lanes(pointers_, out_, stride_, scratch_);
  }

  int64_t macs() const override { return op_.macs(); }
  int64_t bytes() const override {
    int64_t sum = 0;
    for (const Operand& operand : operands_) {
      sum += static_cast<int64_t>(operand.changed.size() * sizeof(operand.changed[0]));
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

}  // namespace

RegionPlanner::RegionPlanner(const Graph& graph, int tensor, const GoldenRows& golden,
                             RowArena& arena)
    : graph_(graph),
      site_(graph.tensor(tensor).storage),
      golden_(golden),
      arena_(arena),
      last_reader_(graph.tensors.size(), 0),
      changed_(graph.tensors.size()) {
  const std::vector<bool> dependent = depends_on(graph, site_);
  for (size_t n = 0; n < dependent.size(); ++n) {
    if (!dependent[n] || graph.nodes[n].op->role() == Role::kView) continue;
    for (const int input : graph.nodes[n].inputs) {
      last_reader_[index(graph.tensor(input).storage)] = nodes_.size();
    }
    nodes_.push_back(static_cast<int>(n));
  }
}

int64_t RegionPlanner::arena_floats(const Graph& graph, int lanes) {
  // Changed rows and their differences; whole operands and scratch of operators without a rule.
  int64_t rows = 1;
  int64_t scratch = 0;
  for (const Node& node : graph.nodes) {
    rows += 2 * node.op->size();
    scratch += node.op->scratch_size(lanes);
    for (const int input : node.inputs) rows += graph.tensor(input).size;
  }
  return rows * lanes + scratch;
}

RegionTensor RegionPlanner::view(int storage) const {
  const Changed& changed = changed_[index(storage)];
  return {golden_.tensors[index(storage)], changed.elements, changed.values, changed.row_of.data(),
          golden_.lanes};
}

void RegionPlanner::change(int storage, std::vector<int32_t> elements) {
  Changed& changed = changed_[index(storage)];
  for (size_t i = 0; i < elements.size(); ++i) {
    changed.row_of[static_cast<size_t>(elements[i])] = static_cast<int32_t>(i);
  }
  changed.values = arena_.take(static_cast<int64_t>(elements.size()) * golden_.lanes);
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
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

void RegionPlanner::add_comparisons(size_t position, RegionPlan::Step& step) const {
  const int logits = graph_.tensor(graph_.logits).storage;
  for (const int storage : touched_) {
    if (last_reader_[index(storage)] < position && storage != logits) continue;
    const RegionTensor tensor = view(storage);
    for (size_t i = 0; i < tensor.changed.size(); ++i) {
      step.compared.emplace_back(tensor.values + static_cast<int64_t>(i) * tensor.stride,
                                 tensor.golden_row(tensor.changed[i]));
    }
  }
}

std::unique_ptr<RegionPlan> RegionPlanner::plan(int64_t neuron) {
  auto plan = std::make_unique<RegionPlan>();
  arena_.clear();
  touched_.clear();
  const auto make_changeable = [&](int storage) {
    Changed& changed = changed_[index(storage)];
    if (changed.row_of.empty()) {
      changed.row_of.assign(static_cast<size_t>(graph_.tensor(storage).size), -1);
    }
  };
  make_changeable(site_);
  change(site_, {static_cast<int32_t>(neuron)});
  plan->neuron_ = changed_[index(site_)].values;
  plan->golden_neuron_ = view(site_).golden_row(neuron);
  bool mixed = false;
  for (size_t position = 0; position < nodes_.size(); ++position) {
    const Node& node = graph_.node(nodes_[position]);
    if (!any_changed(node)) continue;
    bool rule = false;
    std::vector<int32_t> elements = affected_by(node, rule);
    if (elements.empty()) continue;  // nothing reads the changed elements
    RegionPlan::Step step;
    step.mixes = node.op->macs() > 0;
    if (step.mixes && mixed) add_comparisons(position, step);
    mixed = mixed || step.mixes;
    std::vector<RegionTensor> operands;
    for (const int input : node.inputs) {
      const int storage = graph_.tensor(input).storage;
      make_changeable(storage);
      operands.push_back(view(storage));
    }
    make_changeable(node.output);
    change(node.output, std::move(elements));
    const Changed& made = changed_[index(node.output)];
    if (rule) {
      step.work =
          node.op->plan_region(operands, {golden_.tensors[index(node.output)], made.elements,
                                          made.values, golden_.lanes, &arena_});
    } else {
      std::vector<WholeStep::Operand> whole;
      for (size_t i = 0; i < operands.size(); ++i) {
        const int64_t size = graph_.tensor(node.inputs[i]).size;
        whole.push_back({operands[i].golden, size, {}, arena_.take(size * golden_.lanes)});
        for (const int32_t e : operands[i].changed) {
          whole.back().changed.emplace_back(e, operands[i].row(e));
        }
      }
      float* scratch = arena_.take(node.op->scratch_size(golden_.lanes));
      step.work = std::make_unique<WholeStep>(*node.op, std::move(whole), made.values, scratch,
                                              golden_.lanes);
    }
    step.values = made.values;
    step.rows = static_cast<int64_t>(made.elements.size());
    plan->bytes_ += step.work->bytes() + static_cast<int64_t>(step.compared.size()) * 16;
    plan->steps_.push_back(std::move(step));
  }
  const int logits = graph_.tensor(graph_.logits).storage;
  make_changeable(logits);
  const RegionTensor answers = view(logits);
  for (int64_t c = 0; c < graph_.classes(); ++c) plan->logits_.push_back(answers.row(c));
  for (const int storage : touched_) {
    Changed& changed = changed_[index(storage)];
    for (const int32_t e : changed.elements) changed.row_of[static_cast<size_t>(e)] = -1;
    changed.elements.clear();
  }
  return plan;
}

}  // namespace vigor
