// Element-wise functions of one activation.
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

#include "ops/builders.h"
#include "ops/functions.h"
#include "ops/index.h"
#include "region.h"

namespace vigor {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

/// dy = f'(x) dx of (x, dx).
template <typename F>
class UnaryTangentOp final : public Op {
 public:
  UnaryTangentOp(const Shape& shape, F f)
      : Op(shape, {element_count(shape), element_count(shape)}), f_(f) {}

  void forward(std::span<const float* const> operands, float* out) const override {
    forward_lanes(operands, out, 1, nullptr);
  }
  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const F f = f_;
    for (int64_t i = 0; i < size() * lanes; ++i) out[i] = f.slope(operands[0][i]) * operands[1][i];
  }
  int64_t scratch_size(int) const override { return 0; }

 private:
  F f_;
};

struct Relu;

/// F maps a float to a float; F::limit(), if any, is the function f(s x) / s tends to, F::slope(x)
/// its derivative, and
/// F::monotone() is held against sweeps over the floats (tests/monotone_test.cpp).
template <typename F>
class UnaryOp final : public Op {
 public:
  UnaryOp(const Shape& shape, F f) : Op(shape, {element_count(shape)}), f_(f) {}

  Role role() const override { return Role::kActivation; }

  void forward(std::span<const float* const> operands, float* out) const override {
    apply(operands[0], out, size());
  }
  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    apply_lanes(operands[0], out, size() * lanes);
  }
  int64_t scratch_size(int) const override { return 0; }

  bool affected(size_t, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    elements.insert(elements.end(), changed.begin(), changed.end());
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    return make_element_step(operands[0], output, is_relu() ? NewNan::kNever : NewNan::kPossible,
                             [this](size_t, RowPointers sources, float* out, int count) {
                               apply_lanes(sources[0], out, count);
                             });
  }

  bool is_relu() const override { return std::is_same_v<F, Relu>; }

  bool monotone() const override {
    if constexpr (requires { f_.monotone(); }) return f_.monotone();
    return false;
  }

  std::shared_ptr<const Op> far_limit() const override {
    if constexpr (requires { f_.limit(); }) {
      using Limit = typename std::decay_t<decltype(f_.limit())>::value_type;
      if (const auto limit = f_.limit()) return std::make_shared<UnaryOp<Limit>>(shape(), *limit);
    }
    return nullptr;
  }

  std::shared_ptr<const Op> tangent() const override {
    if constexpr (requires { f_.slope(0.0F); }) {
      return std::make_shared<UnaryTangentOp<F>>(shape(), f_);
    }
    return nullptr;
  }

 private:
  void apply(const float* x, float* out, int64_t count) const {
    const F f = f_;
    for (int64_t i = 0; i < count; ++i) out[i] = f(x[i]);
  }
  void apply_lanes(const float* x, float* out, int64_t count) const {
    is_relu() ? kernels().rectify(x, out, count) : apply(x, out, count);
  }

  F f_;
};

template <typename F>
std::shared_ptr<const Op> unary(NodeView& node, F f) {
  return std::make_shared<UnaryOp<F>>(node.operand(0), f);
}

/// A function without parameters and without a limit.
template <float (*function)(float), bool rises = false>
struct Plain {
  float operator()(float x) const { return function(x); }
  bool monotone() const { return rises; }
};

struct Sigmoid : Plain<functions::sigmoid, true> {
  // As PyTorch computes it: 0 where the sigmoid is 0 or 1.
  float slope(float x) const {
    const float y = functions::sigmoid(x);
    return (1.0F - y) * y;
  }
};

struct Tanh : Plain<functions::tanh, true> {
  float slope(float x) const {
    const float y = functions::tanh(x);
    return 1.0F - y * y;
  }
};

// Comparisons are written so that NaN passes through.

struct Identity {
  float operator()(float x) const { return x; }
};

struct Relu {  // kernels().rectify in lanes
  float operator()(float x) const { return x < 0.0F ? 0.0F : x; }
  float slope(float x) const { return x > 0.0F ? 1.0F : 0.0F; }
  std::optional<Relu> limit() const { return *this; }
  bool monotone() const { return true; }
};

struct LeakyRelu {
  float alpha;
  float operator()(float x) const { return x < 0.0F ? alpha * x : x; }
  float slope(float x) const { return x > 0.0F ? 1.0F : alpha; }
  std::optional<LeakyRelu> limit() const { return *this; }
  bool monotone() const { return alpha >= 0.0F; }
};

struct ScaledRelu {
  float gamma;
  float operator()(float x) const { return x < 0.0F ? 0.0F : gamma * x; }
  std::optional<ScaledRelu> limit() const { return *this; }
};

struct Abs {
  float operator()(float x) const { return std::fabs(x); }
  std::optional<Abs> limit() const { return *this; }
};

struct Neg {
  float operator()(float x) const { return -x; }
  std::optional<Neg> limit() const { return *this; }
  bool monotone() const { return true; }
};

struct Ceil {
  float operator()(float x) const { return std::ceil(x); }
  std::optional<Identity> limit() const { return Identity{}; }
  bool monotone() const { return true; }
};

struct Floor {
  float operator()(float x) const { return std::floor(x); }
  std::optional<Identity> limit() const { return Identity{}; }
  bool monotone() const { return true; }
};

struct Elu {
  float alpha;
  float operator()(float x) const {
    const auto below = static_cast<float>(alpha * functions::expm1_double(x));
    return x < 0.0F ? below : x;
  }
  std::optional<Relu> limit() const { return Relu{}; }
  bool monotone() const { return alpha >= 0.0F; }
};

struct Celu {
  float alpha;
  float operator()(float x) const {
    const double a = alpha;
    const auto below = static_cast<float>(a * functions::expm1_double(x / a));
    return x < 0.0F ? below : x;
  }
  std::optional<Relu> limit() const { return Relu{}; }
  bool monotone() const { return alpha > 0.0F; }
};

struct Selu {
  float alpha, gamma;
  float operator()(float x) const {
    const double scale = static_cast<double>(gamma) * alpha;
    const auto below = static_cast<float>(scale * functions::expm1_double(x));
    return x < 0.0F ? below : gamma * x;
  }
  std::optional<ScaledRelu> limit() const { return ScaledRelu{gamma}; }
  bool monotone() const { return alpha >= 0.0F && gamma >= 0.0F; }
};

struct Softplus {
  float operator()(float x) const { return functions::softplus(x); }
  std::optional<Relu> limit() const { return Relu{}; }
  bool monotone() const { return true; }
};

/// The lower bound first, as ONNX orders them; without a bound it is an infinity.
struct Clip {
  float low, high;
  float operator()(float x) const {
    const float y = x < low ? low : x;
    return y > high ? high : y;
  }
  std::optional<Clip> limit() const {
    const bool below = low > -kLargest, above = high < kLargest;
    if (below && above) return std::nullopt;
    return Clip{below ? 0.0F : -kInfinity, above ? 0.0F : kInfinity};
  }
  bool monotone() const { return true; }
};

struct HardSigmoid {
  float alpha, beta;
  float operator()(float x) const { return Clip{0.0F, 1.0F}(alpha * x + beta); }
  bool monotone() const { return true; }
};

struct HardSwish {
  float operator()(float x) const { return x * HardSigmoid{1.0F / 6.0F, 0.5F}(x); }
  std::optional<Relu> limit() const { return Relu{}; }
};

float softsign(float x) { return x / (1.0F + std::fabs(x)); }
float reciprocal(float x) { return 1.0F / x; }
float square_root(float x) { return std::sqrt(x); }
float logarithm(float x) { return static_cast<float>(std::log(static_cast<double>(x))); }
float error_function(float x) { return static_cast<float>(std::erf(static_cast<double>(x))); }

float bound(NodeView& node, size_t input, const std::string& name, float otherwise) {
  if (node.opset() < 11) return node.attribute(name, otherwise);
  return node.has(input) ? scalar(node, input) : otherwise;
}

}  // namespace

std::shared_ptr<const Op> build_abs(NodeView& node) { return unary(node, Abs{}); }
std::shared_ptr<const Op> build_ceil(NodeView& node) { return unary(node, Ceil{}); }
std::shared_ptr<const Op> build_celu(NodeView& node) {
  return unary(node, Celu{node.attribute("alpha", 1.0F)});
}
std::shared_ptr<const Op> build_clip(NodeView& node) {
  const float low = bound(node, 1, "min", -kLargest);
  return unary(node, Clip{low, bound(node, 2, "max", kLargest)});
}
std::shared_ptr<const Op> build_elu(NodeView& node) {
  return unary(node, Elu{node.attribute("alpha", 1.0F)});
}
std::shared_ptr<const Op> build_erf(NodeView& node) { return unary(node, Plain<error_function>{}); }
std::shared_ptr<const Op> build_exp(NodeView& node) {
  return unary(node, Plain<functions::exp, true>{});
}
std::shared_ptr<const Op> build_floor(NodeView& node) { return unary(node, Floor{}); }
std::shared_ptr<const Op> build_hard_sigmoid(NodeView& node) {
  const float alpha = node.attribute("alpha", 0.2F);
  return unary(node, HardSigmoid{alpha, node.attribute("beta", 0.5F)});
}
std::shared_ptr<const Op> build_hard_swish(NodeView& node) { return unary(node, HardSwish{}); }
std::shared_ptr<const Op> build_leaky_relu(NodeView& node) {
  return unary(node, LeakyRelu{node.attribute("alpha", 0.01F)});
}
std::shared_ptr<const Op> build_log(NodeView& node) { return unary(node, Plain<logarithm>{}); }
std::shared_ptr<const Op> build_neg(NodeView& node) { return unary(node, Neg{}); }
std::shared_ptr<const Op> build_reciprocal(NodeView& node) {
  return unary(node, Plain<reciprocal>{});
}
std::shared_ptr<const Op> build_relu(NodeView& node) { return unary(node, Relu{}); }
std::shared_ptr<const Op> build_selu(NodeView& node) {
  const float alpha = node.attribute("alpha", 1.67326319217681884765625F);
  return unary(node, Selu{alpha, node.attribute("gamma", 1.05070102214813232421875F)});
}
std::shared_ptr<const Op> build_sigmoid(NodeView& node) { return unary(node, Sigmoid{}); }
std::shared_ptr<const Op> build_softplus(NodeView& node) { return unary(node, Softplus{}); }
std::shared_ptr<const Op> build_softsign(NodeView& node) { return unary(node, Plain<softsign>{}); }
std::shared_ptr<const Op> build_sqrt(NodeView& node) { return unary(node, Plain<square_root>{}); }
std::shared_ptr<const Op> build_tanh(NodeView& node) { return unary(node, Tanh{}); }

}  // namespace vigor
