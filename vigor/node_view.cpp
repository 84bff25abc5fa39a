#include "node_view.h"

namespace vigor {

NodeView::NodeView(std::string where, std::string type, int64_t opset,
                   std::vector<NodeInput> inputs, std::map<std::string, Attribute> attributes,
                   size_t outputs)
    : where_(std::move(where)),
      type_(std::move(type)),
      opset_(opset),
      inputs_(std::move(inputs)),
      attributes_(std::move(attributes)),
      outputs_(outputs) {}

const Shape& NodeView::shape(size_t input) const {
  if (!has(input)) fail("input {} is missing", input);
  return inputs_[input].constant ? inputs_[input].constant->shape : inputs_[input].shape;
}

ConstantPtr NodeView::floats(size_t input) const {
  if (!is_constant(input)) fail("input {}: got an activation, expected a constant", input);
  if (!inputs_[input].constant->is_float) fail("input {}: got integers, expected float", input);
  return inputs_[input].constant;
}

const std::vector<int64_t>& NodeView::ints(size_t input) const {
  if (!is_constant(input)) fail("input {}: got an activation, expected constant integers", input);
  if (inputs_[input].constant->is_float) fail("input {}: got float, expected integers", input);
  return inputs_[input].constant->ints;
}

const Shape& NodeView::operand(size_t input) {
  const Shape& result = shape(input);
  if (is_constant(input)) floats(input);  // integers cannot be activations
  operands_.push_back(input);
  return result;
}

std::vector<int64_t> NodeView::operand_sizes() const {
  std::vector<int64_t> sizes;
  for (const size_t input : operands_) sizes.push_back(element_count(shape(input)));
  return sizes;
}

const Attribute* NodeView::find(const std::string& name) {
  const auto at = attributes_.find(name);
  if (at == attributes_.end()) return nullptr;
  read_.insert(name);
  return &at->second;
}

int64_t NodeView::attribute(const std::string& name, int64_t otherwise) {
  const Attribute* found = find(name);
  if (!found) return otherwise;
  if (!found->i) fail("attribute {}: expected an integer", name);
  return *found->i;
}

float NodeView::attribute(const std::string& name, float otherwise) {
  const Attribute* found = find(name);
  if (!found) return otherwise;
  if (!found->f) fail("attribute {}: expected a float", name);
  return *found->f;
}

std::string NodeView::attribute(const std::string& name, const std::string& otherwise) {
  const Attribute* found = find(name);
  if (!found) return otherwise;
  if (!found->s) fail("attribute {}: expected a string", name);
  return *found->s;
}

std::vector<int64_t> NodeView::attribute(const std::string& name,
                                         const std::vector<int64_t>& otherwise) {
  const Attribute* found = find(name);
  if (!found) return otherwise;
  if (!found->ints) fail("attribute {}: expected integers", name);
  return *found->ints;
}

void NodeView::refuse_unread_attributes() const {
  for (const auto& [name, value] : attributes_) {
    if (!read_.contains(name)) fail("attribute {} is not supported", name);
  }
}

int64_t normal_axis(const NodeView& node, int64_t axis, size_t rank) {
  const auto r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) node.fail("axis: got {}, expected one of rank {}", axis, rank);
  return axis < 0 ? axis + r : axis;
}

}  // namespace vigor
