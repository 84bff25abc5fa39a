// What the builder of an operator sees of its ONNX node.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "error.h"
#include "op.h"

namespace vigor {

/// A constant of the file: floats, or integers (all ONNX integer types and bool).
struct Constant {
  Shape shape;
  bool is_float = true;
  std::vector<float> floats;
  std::vector<int64_t> ints;
};
using ConstantPtr = std::shared_ptr<const Constant>;

/// A node's input: a constant, or an activation of this shape, or absent.
struct NodeInput {
  ConstantPtr constant;
  Shape shape;
  bool present = false;
};

/// An attribute's value, already out of the protobuf.
struct Attribute {
  std::optional<int64_t> i;
  std::optional<float> f;
  std::optional<std::string> s;
  std::optional<std::vector<int64_t>> ints;
  std::optional<std::vector<float>> floats;
  ConstantPtr tensor;
};

class NodeView {
 public:
  NodeView(std::string where, std::string type, int64_t opset, std::vector<NodeInput> inputs,
           std::map<std::string, Attribute> attributes, size_t outputs);

  /// "FILE: node NAME (OP)", for errors.
  const std::string& where() const { return where_; }
  const std::string& type() const { return type_; }
  int64_t opset() const { return opset_; }
  size_t inputs() const { return inputs_.size(); }
  size_t outputs() const { return outputs_; }
  bool has(size_t input) const { return input < inputs_.size() && inputs_[input].present; }
  bool is_constant(size_t input) const { return has(input) && inputs_[input].constant; }
  /// A constant of integers or bool.
  bool is_integer(size_t input) const {
    return is_constant(input) && !inputs_[input].constant->is_float;
  }

  /// Shape of an input, constant or not. Throws Error when it is absent.
  const Shape& shape(size_t input) const;
  /// A float (integer) constant; throws Error when the input is none.
  ConstantPtr floats(size_t input) const;
  const std::vector<int64_t>& ints(size_t input) const;

  /// Registers an input as the op's next operand at run time and returns its shape.
  const Shape& operand(size_t input);
  const std::vector<size_t>& operands() const { return operands_; }
  std::vector<int64_t> operand_sizes() const;

  /// Attributes with their default. Reading one marks it as known.
  int64_t attribute(const std::string& name, int64_t otherwise);
  float attribute(const std::string& name, float otherwise);
  std::string attribute(const std::string& name, const std::string& otherwise);
  std::vector<int64_t> attribute(const std::string& name, const std::vector<int64_t>& otherwise);
  const Attribute* find(const std::string& name);

  /// Throws Error for attributes that were never read: what is not understood is not ignored.
  void refuse_unread_attributes() const;

  template <typename... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    vigor::fail(where_, format, std::forward<Args>(args)...);
  }

 private:
  std::string where_, type_;
  int64_t opset_;
  std::vector<NodeInput> inputs_;
  std::map<std::string, Attribute> attributes_;
  std::set<std::string> read_;
  std::vector<size_t> operands_;
  size_t outputs_;
};

/// -rank <= axis < rank, made non-negative. Throws Error naming the node.
int64_t normal_axis(const NodeView& node, int64_t axis, size_t rank);

}  // namespace vigor
