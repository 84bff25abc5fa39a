#include "fold.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>

namespace vigor {

namespace {

constexpr int64_t kMostFolded = int64_t{1} << 24;

Constant integers(const NodeView& node, Shape shape) {
  Constant made{std::move(shape), false, {}, {}};
  if (element_count(made.shape) > kMostFolded) {
    node.fail("got {} elements of shape arithmetic, expected at most 2^24", to_string(made.shape));
  }
  made.ints.resize(static_cast<size_t>(element_count(made.shape)));
  return made;
}

Constant vector_of(const NodeView& node, const std::vector<int64_t>& values) {
  Constant made = integers(node, {static_cast<int64_t>(values.size())});
  made.ints = values;
  return made;
}

std::vector<int64_t> row_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

/// The elements at base + index * strides, for every index of `shape`.
Constant strided(const NodeView& node, const std::vector<int64_t>& from, Shape shape, int64_t base,
                 const std::vector<int64_t>& strides) {
  Constant made = integers(node, std::move(shape));
  std::vector<int64_t> index(made.shape.size(), 0);
  int64_t at = base;
  for (int64_t& x : made.ints) {
    x = from[static_cast<size_t>(at)];
    for (size_t d = index.size(); d-- > 0;) {
      at += strides[d];
      if (++index[d] < made.shape[d]) break;
      at -= strides[d] * made.shape[d];
      index[d] = 0;
    }
  }
  return made;
}

Constant reshaped(const NodeView& node, size_t input, Shape shape) {
  Constant made{std::move(shape), false, {}, node.ints(input)};
  if (element_count(made.shape) != static_cast<int64_t>(made.ints.size())) {
    node.fail("got shape {}, expected {} elements", to_string(made.shape), made.ints.size());
  }
  return made;
}

/// Axes from the attribute (opset below 13) or from an input; absent: `otherwise`.
std::vector<int64_t> axes_of(NodeView& node, size_t input, const std::vector<int64_t>& otherwise,
                             size_t rank) {
  std::vector<int64_t> axes =
      node.has(input) ? node.ints(input) : node.attribute("axes", otherwise);
  for (int64_t& axis : axes) axis = normal_axis(node, axis, rank);
  std::vector<int64_t> sorted = axes;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) node.fail("axes: one is given twice");
  return axes;
}

Constant fold_shape(NodeView& node) {
  const Shape& shape = node.shape(0);
  const auto rank = static_cast<int64_t>(shape.size());
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamp(node.attribute("start", int64_t{0}));
  const int64_t end = std::max(start, clamp(node.attribute("end", rank)));
  return vector_of(node, {shape.begin() + start, shape.begin() + end});
}

Constant fold_constant(NodeView& node) {
  if (const Attribute* value = node.find("value")) {
    if (value->tensor) return *value->tensor;
  }
  if (const Attribute* value = node.find("value_float")) {
    if (value->f) return {{}, true, {*value->f}, {}};
  }
  if (const Attribute* value = node.find("value_floats")) {
    if (value->floats) return {{std::ssize(*value->floats)}, true, *value->floats, {}};
  }
  if (const Attribute* value = node.find("value_int")) {
    if (value->i) return {{}, false, {}, {*value->i}};
  }
  if (const Attribute* value = node.find("value_ints")) {
    if (value->ints) return vector_of(node, *value->ints);
  }
  node.fail("expected a tensor, number or list of numbers");
}

Constant fold_constant_of_shape(NodeView& node) {
  const Shape& shape = node.ints(0);
  Constant made = integers(node, shape);
  const Attribute* given = node.find("value");
  const ConstantPtr value = given ? given->tensor : nullptr;
  if (given && (!value || element_count(value->shape) != 1))
    node.fail("value: expected one element");
  made.is_float = !value || value->is_float;
  if (made.is_float) {
    made.floats.assign(made.ints.size(), value ? value->floats[0] : 0.0F);
    made.ints.clear();
  } else {
    made.ints.assign(made.ints.size(), value->ints[0]);
  }
  return made;
}

Constant fold_gather(NodeView& node) {
  const std::vector<int64_t>& data = node.ints(0);
  const std::vector<int64_t>& indices = node.ints(1);
  const Shape& from = node.shape(0);
  const auto axis = normal_axis(node, node.attribute("axis", int64_t{0}), from.size());
  const int64_t extent = from[static_cast<size_t>(axis)];
  Shape shape(from.begin(), from.begin() + axis);
  const int64_t outer = element_count(shape);
  shape.insert(shape.end(), node.shape(1).begin(), node.shape(1).end());
  shape.insert(shape.end(), from.begin() + axis + 1, from.end());
  const int64_t inner = element_count({from.begin() + axis + 1, from.end()});
  Constant made = integers(node, std::move(shape));
  auto to = made.ints.begin();
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t index : indices) {
      if (index < 0) index += extent;
      if (index < 0 || index >= extent) node.fail("index out of {}", extent);
      to = std::copy_n(data.begin() + (o * extent + index) * inner, inner, to);
    }
  }
  return made;
}

Constant fold_concat(NodeView& node) {
  Shape shape = node.shape(0);
  const Attribute* given = node.find("axis");
  if (!given || !given->i) node.fail("attribute axis is missing");
  const auto axis = static_cast<size_t>(normal_axis(node, *given->i, shape.size()));
  shape[axis] = 0;
  for (size_t i = 0; i < node.inputs(); ++i) {
    Shape other = node.shape(i);
    if (other.size() != shape.size()) node.fail("inputs of different rank");
    const int64_t extent = std::exchange(other[axis], shape[axis]);
    if (other != shape) node.fail("inputs of different shape");
    shape[axis] += extent;
  }
  const int64_t outer = element_count({shape.begin(), shape.begin() + static_cast<int64_t>(axis)});
  Constant made = integers(node, std::move(shape));
  auto to = made.ints.begin();
  for (int64_t o = 0; o < outer; ++o) {
    for (size_t i = 0; i < node.inputs(); ++i) {
      const auto& data = node.ints(i);
      const int64_t run = static_cast<int64_t>(data.size()) / outer;
      to = std::copy_n(data.begin() + o * run, run, to);
    }
  }
  return made;
}

Constant fold_slice(NodeView& node) {
  const Shape& from = node.shape(0);
  std::vector<int64_t> starts, ends, axes, steps;
  const bool as_inputs = node.opset() >= 10;
  starts = as_inputs ? node.ints(1) : node.attribute("starts", starts);
  ends = as_inputs ? node.ints(2) : node.attribute("ends", ends);
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  axes = axes_of(node, as_inputs ? 3 : node.inputs(), axes, from.size());
  steps = as_inputs && node.has(4) ? node.ints(4) : std::vector<int64_t>(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    node.fail("starts, ends, axes and steps of different length");
  }
  Shape shape = from;
  std::vector<int64_t> strides = row_strides(from);
  int64_t base = 0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto d = static_cast<size_t>(axes[i]);
    const int64_t extent = from[d];
    const int64_t step = steps[i];
    constexpr int64_t kMostStep = std::numeric_limits<int64_t>::max() / 2;
    if (step == 0 || step < -kMostStep || step > kMostStep) node.fail("steps: got {}", step);
    const auto place = [&](int64_t at, int64_t low, int64_t high) {
      return std::clamp(at < 0 ? at + extent : at, low, high);
    };
    const int64_t start = step > 0 ? place(starts[i], 0, extent) : place(starts[i], 0, extent - 1);
    const int64_t end = step > 0 ? place(ends[i], 0, extent) : place(ends[i], -1, extent - 1);
    const int64_t distance = step > 0 ? end - start : start - end;
    const int64_t stride = step > 0 ? step : -step;
    shape[d] = distance > 0 ? (distance - 1) / stride + 1 : 0;
    base += start * strides[d];
    strides[d] = shape[d] > 1 ? strides[d] * step : 0;
  }
  return strided(node, node.ints(0), std::move(shape), base, strides);
}

Constant fold_reshape(NodeView& node) {
  Shape shape = node.ints(1);
  const Shape& from = node.shape(0);
  const bool zero_is_zero = node.attribute("allowzero", int64_t{0}) != 0;
  int64_t known = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !zero_is_zero && d < from.size()) shape[d] = from[d];
    if (shape[d] < -1 || (shape[d] > kMostFolded)) node.fail("shape: got {}", shape[d]);
    if (shape[d] != -1 && shape[d] != 0 && known <= kMostFolded) known *= shape[d];
  }
  if (const auto open = std::ranges::find(shape, -1); open != shape.end()) {
    *open = static_cast<int64_t>(node.ints(0).size()) / known;
  }
  return reshaped(node, 0, std::move(shape));
}

Constant fold_squeeze(NodeView& node) {
  const Shape& from = node.shape(0);
  std::vector<int64_t> ones;
  for (size_t d = 0; d < from.size(); ++d) {
    if (from[d] == 1) ones.push_back(static_cast<int64_t>(d));
  }
  const auto axes = axes_of(node, 1, ones, from.size());
  Shape shape;
  for (size_t d = 0; d < from.size(); ++d) {
    if (std::ranges::find(axes, static_cast<int64_t>(d)) == axes.end()) shape.push_back(from[d]);
  }
  return reshaped(node, 0, std::move(shape));
}

Constant fold_unsqueeze(NodeView& node) {
  const Shape& from = node.shape(0);
  const size_t given = node.has(1) ? node.ints(1).size() : node.attribute("axes", Shape{}).size();
  const auto axes = axes_of(node, 1, {}, from.size() + given);
  Shape shape(from.size() + given, 0);
  for (const int64_t axis : axes) shape[static_cast<size_t>(axis)] = 1;
  auto next = from.begin();
  for (size_t d = 0; d < shape.size(); ++d) {
    if (std::ranges::find(axes, static_cast<int64_t>(d)) == axes.end()) shape[d] = *next++;
  }
  return reshaped(node, 0, std::move(shape));
}

Constant fold_transpose(NodeView& node) {
  const Shape& from = node.shape(0);
  std::vector<int64_t> order;
  for (size_t d = from.size(); d-- > 0;) order.push_back(static_cast<int64_t>(d));
  order = node.attribute("perm", order);
  if (!std::ranges::is_permutation(order, axes_of(node, node.inputs(), order, from.size())) ||
      order.size() != from.size()) {
    node.fail("perm: expected a permutation of {} axes", from.size());
  }
  const auto strides = row_strides(from);
  Shape shape;
  std::vector<int64_t> moved;
  for (const int64_t d : order) {
    shape.push_back(from[static_cast<size_t>(d)]);
    moved.push_back(strides[static_cast<size_t>(d)]);
  }
  return strided(node, node.ints(0), std::move(shape), 0, moved);
}

Shape broadcast_shape(const NodeView& node, const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (size_t d = 0; d < shape.size(); ++d) {
    const int64_t x = d < a.size() ? a[a.size() - 1 - d] : 1;
    const int64_t y = d < b.size() ? b[b.size() - 1 - d] : 1;
    if (x != y && x != 1 && y != 1) node.fail("got shapes {} and {}", to_string(a), to_string(b));
    shape[shape.size() - 1 - d] = x == 1 ? y : x;
  }
  return shape;
}

Constant broadcast(const NodeView& node, size_t input, const Shape& shape) {
  const Shape& from = node.shape(input);
  std::vector<int64_t> strides = row_strides(from);
  for (size_t d = 0; d < from.size(); ++d) {
    if (from[d] == 1) strides[d] = 0;
  }
  strides.insert(strides.begin(), shape.size() - from.size(), 0);
  return strided(node, node.ints(input), shape, 0, strides);
}

Constant fold_arithmetic(NodeView& node) {
  const Shape shape = broadcast_shape(node, node.shape(0), node.shape(1));
  Constant made = broadcast(node, 0, shape);
  const Constant other = broadcast(node, 1, shape);
  const std::string& type = node.type();
  for (size_t i = 0; i < made.ints.size(); ++i) {
    int64_t& x = made.ints[i];
    const int64_t y = other.ints[i];
    bool overflow = false;
    if (type == "Add") {
      overflow = __builtin_add_overflow(x, y, &x);
    } else if (type == "Sub") {
      overflow = __builtin_sub_overflow(x, y, &x);
    } else if (type == "Mul") {
      overflow = __builtin_mul_overflow(x, y, &x);
    } else if (type == "Equal") {
      x = x == y;
    } else if (y == 0 || (y == -1 && x == std::numeric_limits<int64_t>::min())) {
      node.fail("division of {} by {}", x, y);
    } else {
      x /= y;
    }
    if (overflow) node.fail("integer overflow");
  }
  return made;
}

Constant fold_neg(NodeView& node) {
  Constant made = reshaped(node, 0, node.shape(0));
  for (int64_t& x : made.ints) {
    if (__builtin_sub_overflow(int64_t{0}, x, &x)) node.fail("integer overflow");
  }
  return made;
}

Constant fold_where(NodeView& node) {
  const Shape shape =
      broadcast_shape(node, node.shape(0), broadcast_shape(node, node.shape(1), node.shape(2)));
  const Constant condition = broadcast(node, 0, shape);
  Constant made = broadcast(node, 1, shape);
  const Constant otherwise = broadcast(node, 2, shape);
  for (size_t i = 0; i < made.ints.size(); ++i) {
    if (!condition.ints[i]) made.ints[i] = otherwise.ints[i];
  }
  return made;
}

Constant fold_range(NodeView& node) {
  for (size_t i = 0; i < 3; ++i) {
    if (node.ints(i).size() != 1) node.fail("expected scalars");
  }
  const int64_t start = node.ints(0)[0];
  const int64_t limit = node.ints(1)[0];
  const int64_t step = node.ints(2)[0];
  if (step == 0) node.fail("a step of 0");
  std::vector<int64_t> values;
  for (int64_t x = start; step > 0 ? x < limit : x > limit;) {
    if (std::ssize(values) == kMostFolded) node.fail("more than 2^24 elements");
    values.push_back(x);
    if (__builtin_add_overflow(x, step, &x)) break;
  }
  return vector_of(node, values);
}

/// Over all axes, which is how exporters count elements.
Constant fold_reduce_prod(NodeView& node) {
  const Shape& from = node.shape(0);
  std::vector<int64_t> all;
  for (size_t d = 0; d < from.size(); ++d) all.push_back(static_cast<int64_t>(d));
  if (axes_of(node, 1, all, from.size()).size() != all.size()) {
    node.fail("axes: expected all of them");
  }
  const bool keep = node.attribute("keepdims", int64_t{1}) != 0;
  Constant made = integers(node, Shape(keep ? from.size() : 0, 1));
  made.ints[0] = 1;
  for (const int64_t x : node.ints(0)) {
    if (__builtin_mul_overflow(made.ints[0], x, made.ints.data())) node.fail("integer overflow");
  }
  return made;
}

// Values of onnx::TensorProto::DataType.
enum : int64_t { kFloat = 1, kInt32 = 6, kInt64 = 7, kBool = 9 };

Constant fold_cast(NodeView& node) {
  const int64_t to = node.attribute("to", int64_t{0});
  if (to != kFloat && to != kInt32 && to != kInt64 && to != kBool) {
    node.fail("to: got type {}, expected float32, int32, int64 or bool", to);
  }
  const bool from_float = !node.is_integer(0);
  Constant made{node.shape(0), to == kFloat, {}, {}};
  if (from_float && to == kFloat) {
    made.floats = node.floats(0)->floats;
  } else if (from_float) {
    for (const float x : node.floats(0)->floats) {
      if (to != kBool && !(std::fabs(x) < 0x1p62F)) node.fail("{} is no integer", x);
      made.ints.push_back(to == kBool ? x != 0 : static_cast<int64_t>(x));
    }
  } else if (to == kFloat) {
    for (const int64_t x : node.ints(0)) made.floats.push_back(static_cast<float>(x));
  } else {
    made.ints = node.ints(0);
    for (int64_t& x : made.ints) {
      if (to == kInt32) x = static_cast<int32_t>(x);
      if (to == kBool) x = x != 0;
    }
  }
  return made;
}

Constant fold_rounding(NodeView& node) {
  Constant made = *node.floats(0);
  for (float& x : made.floats) x = node.type() == "Floor" ? std::floor(x) : std::ceil(x);
  return made;
}

bool all_integers(const NodeView& node) {
  for (size_t i = 0; i < node.inputs(); ++i) {
    if (node.has(i) && !node.is_integer(i)) return false;
  }
  return true;
}
bool constant_input(const NodeView& node) { return node.is_constant(0); }
bool float_constant(const NodeView& node) { return node.is_constant(0) && !node.is_integer(0); }
bool always(const NodeView&) { return true; }

struct Rule {
  std::string_view type;
  bool (*applies)(const NodeView&);
  Constant (*fold)(NodeView&);
};

constexpr std::array kRules = std::to_array<Rule>({
    {"Add", all_integers, fold_arithmetic},
    {"Cast", constant_input, fold_cast},
    {"Ceil", float_constant, fold_rounding},
    {"Concat", all_integers, fold_concat},
    {"Constant", always, fold_constant},
    {"ConstantOfShape", all_integers, fold_constant_of_shape},
    {"Div", all_integers, fold_arithmetic},
    {"Equal", all_integers, fold_arithmetic},
    {"Floor", float_constant, fold_rounding},
    {"Gather", all_integers, fold_gather},
    {"Identity", all_integers, [](NodeView& node) { return reshaped(node, 0, node.shape(0)); }},
    {"Mul", all_integers, fold_arithmetic},
    {"Neg", all_integers, fold_neg},
    {"Range", all_integers, fold_range},
    {"ReduceProd", all_integers, fold_reduce_prod},
    {"Reshape", all_integers, fold_reshape},
    {"Shape", always, fold_shape},
    {"Size", always,
     [](NodeView& node) {
       return Constant{{}, false, {}, {element_count(node.shape(0))}};
     }},
    {"Slice", all_integers, fold_slice},
    {"Squeeze", all_integers, fold_squeeze},
    {"Sub", all_integers, fold_arithmetic},
    {"Transpose", all_integers, fold_transpose},
    {"Unsqueeze", all_integers, fold_unsqueeze},
    {"Where", all_integers, fold_where},
});

const Rule* find_rule(std::string_view type) {
  const auto rule = std::ranges::find(kRules, type, &Rule::type);
  return rule == kRules.end() ? nullptr : &*rule;
}

}  // namespace

bool folds(std::string_view type) { return find_rule(type) != nullptr; }

std::optional<Constant> fold(NodeView& node) {
  const Rule* rule = find_rule(node.type());
  if (!rule || !rule->applies(node)) return std::nullopt;
  Constant made = rule->fold(node);
  node.refuse_unread_attributes();
  return made;
}

}  // namespace vigor
