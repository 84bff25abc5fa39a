// Element-wise functions of several inputs with numpy broadcasting.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "ops/builders.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "ops/move.h"
#include "region.h"

namespace vigor {
namespace {

/// An input broadcast to the output: a constant, or an operand.
struct Side {
  ConstantPtr constant;
  size_t operand = 0;
  IndexMap map;  // empty: element by element

  int64_t index(int64_t e) const { return map.empty() ? e : map[static_cast<size_t>(e)]; }
};

/// What f(s a, s b) / s tends to when a constant side is not scaled.
enum class Far {
  kNone,
  kZeroConstants,  // homogeneous in both: the same with finite constants dropped
  kOneActivation,  // homogeneous in either one alone
  kFirst,          // homogeneous in the first alone
};

struct Add {
  static constexpr Far kFar = Far::kZeroConstants;
  static constexpr bool kMonotone = true;
  static constexpr Role kRole = Role::kAffine;
  float operator()(float a, float b) const { return functions::one_nan(a + b); }
};
struct Sub {
  static constexpr Far kFar = Far::kZeroConstants;
  static constexpr bool kMonotone = true;
  static constexpr Role kRole = Role::kAffine;
  float operator()(float a, float b) const { return functions::one_nan(a - b); }
};
struct Mul {
  static constexpr Far kFar = Far::kOneActivation;
  static constexpr bool kMonotone = true;
  static constexpr Role kRole = Role::kAffine;
  float operator()(float a, float b) const { return functions::one_nan(a * b); }
};
struct Div {
  static constexpr Far kFar = Far::kFirst;
  static constexpr Role kRole = Role::kAffine;
  float operator()(float a, float b) const { return functions::one_nan(a / b); }
};
struct Min {
  static constexpr Far kFar = Far::kZeroConstants;
  static constexpr bool kMonotone = true;
  static constexpr Role kRole = Role::kActivation;
  float operator()(float a, float b) const { return functions::minimum(a, b); }
};
struct Max {
  static constexpr Far kFar = Far::kZeroConstants;
  static constexpr bool kMonotone = true;
  static constexpr Role kRole = Role::kActivation;
  float operator()(float a, float b) const { return functions::maximum(a, b); }
};
struct PRelu {
  static constexpr Far kFar = Far::kFirst;
  static constexpr Role kRole = Role::kActivation;
  static constexpr bool kTrained = true;
  float operator()(float x, float slope) const { return x < 0.0F ? slope * x : x; }
};
struct Pow {
  static constexpr Far kFar = Far::kNone;
  static constexpr Role kRole = Role::kActivation;
  static constexpr bool kIntegerSecond = true;
  float operator()(float a, float b) const { return functions::pow(a, b); }
};

/// Combines its sides from left to right by F.
template <typename F>
class ElementwiseOp final : public Op {
 public:
  ElementwiseOp(Shape shape, std::vector<int64_t> operand_sizes, std::vector<Side> sides, Role role)
      : Op(std::move(shape), std::move(operand_sizes)), sides_(std::move(sides)), role_(role) {}

  Role role() const override { return role_; }

  int64_t parameters() const override {
    if constexpr (F::kRole != Role::kAffine && !requires { F::kTrained; }) return 0;
    return std::accumulate(
        sides_.begin(), sides_.end(), int64_t{0}, [](int64_t sum, const Side& s) {
          return sum + (s.constant ? static_cast<int64_t>(s.constant->floats.size()) : 0);
        });
  }

  void forward(std::span<const float* const> operands, float* out) const override {
    for (int64_t e = 0; e < size(); ++e) {
      float y = source(sides_[0], operands)[sides_[0].index(e)];
      for (size_t i = 1; i < sides_.size(); ++i) {
        y = F{}(y, source(sides_[i], operands)[sides_[i].index(e)]);
      }
      out[e] = y;
    }
  }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const bool whole = std::all_of(sides_.begin(), sides_.end(),
                                   [](const Side& s) { return !s.constant && s.map.empty(); });
    const int64_t rows = whole ? 1 : size();
    const int64_t width = whole ? size() * lanes : lanes;
    for (int64_t e = 0; e < rows; ++e) {
      float* y = out + e * width;
      Row a = row(sides_[0], operands, e, lanes);
      for (size_t i = 1; i < sides_.size(); ++i) {
        a = combine(a, row(sides_[i], operands, e, lanes), y, width);
      }
    }
  }
  int64_t scratch_size(int) const override { return 0; }

  bool affected(size_t operand, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    for (const Side& side : sides_) {
      if (side.constant || side.operand != operand) continue;
      if (side.map.empty()) {
        elements.insert(elements.end(), changed.begin(), changed.end());
        continue;
      }
      for (int64_t e = 0; e < size(); ++e) {
        if (std::binary_search(changed.begin(), changed.end(), side.index(e))) {
          elements.push_back(static_cast<int32_t>(e));
        }
      }
    }
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    // Every side is a source: null where it is a constant.
    std::vector<RowSource> sources;
    std::vector<size_t> begin{0};
    for (const int32_t e : output.changed) {
      for (const Side& side : sides_) {
        sources.push_back(side.constant ? RowSource{} : operands[side.operand].row(side.index(e)));
      }
      begin.push_back(sources.size());
    }
    const std::vector<int32_t> elements(output.changed.begin(), output.changed.end());
    return make_row_step(output, std::move(sources), std::move(begin), NewNan::kPossible,
                         [this, elements](size_t i, RowPointers rows, float* out, int count) {
                           const auto side = [&](size_t s) -> Row {
                             if (rows[s]) return {rows[s], 0.0F};
                             const auto at = static_cast<size_t>(sides_[s].index(elements[i]));
                             return {nullptr, sides_[s].constant->floats[at]};
                           };
                           Row a = side(0);
                           for (size_t s = 1; s < rows.size(); ++s)
                             a = combine(a, side(s), out, count);
                         });
  }

  bool monotone() const override {
    return requires { F::kMonotone; };
  }

  std::shared_ptr<const Op> far_limit() const override {
    const size_t operands = operand_sizes().size();
    const bool exists = F::kFar == Far::kZeroConstants ||
                        (F::kFar == Far::kOneActivation && operands == 1) ||
                        (F::kFar == Far::kFirst && operands == 1 && !sides_[0].constant);
    if (!exists) return nullptr;
    std::vector<Side> sides = sides_;
    if (F::kFar == Far::kZeroConstants) {
      for (Side& side : sides) {
        if (side.constant) side.constant = without_finite(*side.constant);
      }
    }
    return std::make_shared<ElementwiseOp>(shape(), operand_sizes(), std::move(sides), role_);
  }
  // Of sums, and of products with constants: the linear part.
  std::shared_ptr<const Op> tangent() const override {
    return F::kRole == Role::kAffine ? far_limit() : nullptr;
  }

 private:
  /// One element in all lanes: a row of memory, or a scalar where there is none.
  struct Row {
    const float* row = nullptr;
    float scalar = 0.0F;
  };

  static const float* source(const Side& side, std::span<const float* const> operands) {
    return side.constant ? side.constant->floats.data() : operands[side.operand];
  }

  static Row row(const Side& side, std::span<const float* const> operands, int64_t e, int lanes) {
    if (side.constant) return {nullptr, side.constant->floats[static_cast<size_t>(side.index(e))]};
    return {operands[side.operand] + side.index(e) * lanes, 0.0F};
  }

  static Row combine(Row a, Row b, float* y, int64_t width) {
    const F f;
    if (!a.row && !b.row) return {nullptr, f(a.scalar, b.scalar)};
    if (!a.row) {
      for (int64_t i = 0; i < width; ++i) y[i] = f(a.scalar, b.row[i]);
    } else if (!b.row) {
      for (int64_t i = 0; i < width; ++i) y[i] = f(a.row[i], b.scalar);
    } else {
      for (int64_t i = 0; i < width; ++i) y[i] = f(a.row[i], b.row[i]);
    }
    return {y, 0.0F};
  }

  static ConstantPtr without_finite(const Constant& constant) {
    auto result = std::make_shared<Constant>(constant);
    for (float& value : result->floats) value = std::isfinite(value) ? 0.0F : value;
    return result;
  }

  std::vector<Side> sides_;
  Role role_;
};

/// Affine, an activation, or neither: an element-wise function needs exactly one activation, of the
/// output's shape.
template <typename F>
Role role_of(const NodeView& node, const Shape& out) {
  if (node.operands().size() != 1 || node.inputs() < 2) return Role::kOther;
  const size_t activation = node.operands()[0];
  if (node.shape(activation) != out) return Role::kOther;
  return F::kFar == Far::kFirst && activation != 0 ? Role::kActivation : F::kRole;
}

ConstantPtr as_floats(const NodeView& node, size_t input) {
  auto floats = std::make_shared<Constant>();
  floats->shape = node.shape(input);
  for (const int64_t x : node.ints(input)) floats->floats.push_back(static_cast<float>(x));
  return floats;
}

template <typename F>
std::shared_ptr<const Op> variadic(NodeView& node) {
  if (node.inputs() == 1) return make_view(node, node.shape(0));
  Shape out = node.shape(0);
  for (size_t i = 1; i < node.inputs(); ++i) out = broadcast(node, out, node.shape(i));
  const bool fold = all_constant(node);
  std::vector<Side> sides(node.inputs());
  for (size_t i = 0; i < sides.size(); ++i) {
    if (element_count(node.shape(i)) != element_count(out)) {
      sides[i].map = broadcast_map(node.shape(i), out);
    }
    if (requires { F::kIntegerSecond; } && i == 1 && node.is_integer(i)) {
      sides[i].constant = as_floats(node, i);
    } else if (node.is_constant(i) && !fold) {
      sides[i].constant = node.floats(i);
    } else {
      sides[i].operand = node.operands().size();
      node.operand(i);
    }
  }
  return std::make_shared<ElementwiseOp<F>>(out, node.operand_sizes(), std::move(sides),
                                            role_of<F>(node, out));
}

template <typename F>
std::shared_ptr<const Op> binary(NodeView& node) {
  if (node.inputs() != 2) node.fail("got {} inputs, expected 2", node.inputs());
  return variadic<F>(node);
}

}  // namespace

std::shared_ptr<const Op> build_add(NodeView& node) { return binary<Add>(node); }
std::shared_ptr<const Op> build_div(NodeView& node) { return binary<Div>(node); }
std::shared_ptr<const Op> build_max(NodeView& node) { return variadic<Max>(node); }
std::shared_ptr<const Op> build_min(NodeView& node) { return variadic<Min>(node); }
std::shared_ptr<const Op> build_mul(NodeView& node) { return binary<Mul>(node); }
std::shared_ptr<const Op> build_pow(NodeView& node) { return binary<Pow>(node); }
std::shared_ptr<const Op> build_prelu(NodeView& node) {
  auto op = binary<PRelu>(node);
  if (op->shape() != node.shape(0)) {
    node.fail("slope: got shape {}, expected one that broadcasts to {}", to_string(node.shape(1)),
              to_string(node.shape(0)));
  }
  return op;
}
std::shared_ptr<const Op> build_sub(NodeView& node) { return binary<Sub>(node); }
std::shared_ptr<const Op> build_sum(NodeView& node) { return variadic<Add>(node); }

}  // namespace vigor
