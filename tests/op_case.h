// A node built directly, without a file, for the operator tests.
#pragma once

#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "node_view.h"
#include "ops/table.h"

namespace vigor {

inline NodeInput activation(Shape shape) { return {nullptr, std::move(shape), true}; }

inline NodeInput constant(Shape shape, std::vector<float> values) {
  auto result = std::make_shared<Constant>();
  result->shape = std::move(shape);
  result->floats = std::move(values);
  return {result, {}, true};
}

inline NodeInput integers(std::vector<int64_t> values) {
  auto result = std::make_shared<Constant>();
  result->shape = {static_cast<int64_t>(values.size())};
  result->is_float = false;
  result->ints = std::move(values);
  return {result, {}, true};
}

inline Attribute value(int64_t i) {
  return {.i = i, .f = {}, .s = {}, .ints = {}, .floats = {}, .tensor = {}};
}
inline Attribute value(float f) {
  return {.i = {}, .f = f, .s = {}, .ints = {}, .floats = {}, .tensor = {}};
}
inline Attribute value(std::string s) {
  return {.i = {}, .f = {}, .s = std::move(s), .ints = {}, .floats = {}, .tensor = {}};
}
inline Attribute value(std::vector<int64_t> v) {
  return {.i = {}, .f = {}, .s = {}, .ints = std::move(v), .floats = {}, .tensor = {}};
}

struct OpCase {
  std::string type;
  int64_t opset;
  std::vector<NodeInput> inputs;
  std::map<std::string, Attribute> attributes = {};
  size_t outputs = 1;
};

/// For gtest's messages.
inline void PrintTo(const OpCase& c, std::ostream* out) { *out << c.type; }

struct BuiltOp {
  std::shared_ptr<const Op> op;
  std::vector<int64_t> operand_sizes;
};

inline BuiltOp build(const OpCase& c) {
  const OpRow* row = find_op(c.type);
  if (!row) fail(c.type, "not in the table");
  NodeView node("test", c.type, c.opset, c.inputs, c.attributes, c.outputs);
  auto op = row->build(node);
  node.refuse_unread_attributes();
  return {std::move(op), node.operand_sizes()};
}

/// forward() of the operands' values.
inline std::vector<float> run(const Op& op, const std::vector<std::vector<float>>& operands) {
  std::vector<const float*> pointers;
  for (const auto& operand : operands) pointers.push_back(operand.data());
  std::vector<float> out(static_cast<size_t>(op.size()));
  op.forward(pointers, out.data());
  return out;
}

inline std::vector<float> run(const OpCase& c, const std::vector<std::vector<float>>& operands) {
  return run(*build(c).op, operands);
}

}  // namespace vigor
