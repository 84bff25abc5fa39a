#include "final_layer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "error.h"
#include "printable.h"

namespace vigor {

namespace {

using Makers = std::unordered_map<std::string, const onnx::NodeProto*>;

const onnx::NodeProto* maker(const Makers& makers, const std::string& name,
                             std::initializer_list<std::string_view> types) {
  const auto found = makers.find(name);
  if (found == makers.end()) return nullptr;
  const onnx::NodeProto& node = *found->second;
  const bool plain = node.domain().empty() || node.domain() == "ai.onnx";
  const bool right = plain && node.input_size() > 0 && !node.input(0).empty() &&
                     std::ranges::find(types, node.op_type()) != types.end();
  return right ? &node : nullptr;
}

FinalLayer strip(const Makers& makers, const std::string& output) {
  FinalLayer final{output, {}, {}};
  for (std::string name = output;;) {
    if (const auto* node = maker(makers, name, {"Softmax", "LogSoftmax", "ArgMax"})) {
      name = node->input(0);
      final = {name, node->op_type(), {}};
      for (const auto& attribute : node->attribute()) {
        if (attribute.name() == "axis") final.axis = attribute.i();
      }
    } else if (const auto* view = maker(
                   makers, name,
                   {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout", "Cast"})) {
      name = view->input(0);
    } else {
      return final;
    }
  }
}

/// The class axis of the stripped layer covers all logits.
bool covers_classes(const FinalLayer& final, const Graph& graph) {
  const Shape& shape = graph.tensor(graph.logits).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const bool softmax = final.type != "ArgMax";
  const bool flattens = softmax && graph.opset < 13;  // then all axes from this one on
  int64_t axis = final.axis.value_or(!softmax ? 0 : flattens ? 1 : -1);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return false;
  const auto from = shape.begin() + axis;
  return element_count({from, flattens ? shape.end() : from + 1}) == graph.classes();
}

}  // namespace

FinalLayer strip_final_layer(const std::string& file, const onnx::GraphProto& graph) {
  Makers makers;
  for (const auto& node : graph.node()) {
    if (node.output_size() > 0) makers.emplace(node.output(0), &node);
  }
  FinalLayer final;
  std::vector<std::string> names;
  bool same = true;
  for (const auto& output : graph.output()) {
    names.push_back(printable(output.name()));
    const FinalLayer other = strip(makers, output.name());
    same = same && (names.size() == 1 || other.logits == final.logits);
    if (final.type.empty()) final = other;
  }
  if (!same) {
    fail(file, "got {} outputs ({}), expected one: the logits", names.size(),
         fmt::join(names, ", "));
  }
  return final;
}

void check_classifier(const std::string& file, const Graph& graph, const FinalLayer& final) {
  const Tensor& logits = graph.tensor(graph.logits);
  const std::string where = file + ": output " + logits.name;
  if (logits.size < 2) {
    int tensor = graph.logits;
    while (graph.tensor(tensor).producer >= 0) {
      const Node& node = graph.node(graph.tensor(tensor).producer);
      if (node.type == "Sigmoid") {
        fail(where, "a single sigmoid: export the two logits [0, z] in place of sigmoid(z)");
      }
      if (node.op->role() != Role::kView) break;
      tensor = node.inputs.front();
    }
    fail(where, "one class: nothing to misclassify");
  }
  if (std::ranges::count_if(logits.shape, [](int64_t extent) { return extent > 1; }) > 1) {
    fail(where, "got {}: segmentation, expected one class per sample", to_string(logits.shape));
  }
  if (!final.type.empty() && !covers_classes(final, graph)) {
    fail(where, "{} is not taken over the classes of {}", final.type, to_string(logits.shape));
  }
}

}  // namespace vigor
