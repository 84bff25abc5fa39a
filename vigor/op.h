// One operator of the network, its constants and attributes resolved.
//
// Adding one touches three places: a file in ops/, a row in ops/table.cpp, a test.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "shape.h"

namespace vigor {

class RegionStep;
struct RegionOutput;
struct RegionTensor;

/// What an operator does for the neurons of a weighted layer (sites are found by it, see site.h).
enum class Role {
  kWeighted,    // Conv, Gemm, MatMul with constant weights: makes neurons
  kAffine,      // element-wise with constants (bias, scale, batch norm): part of the neuron
  kActivation,  // element-wise function: ends the neuron
  kView,        // the same elements under another shape: shares its operand's memory
  kConstant,    // no operand: its output is the same for every input
  kOther,
};

/// Immutable and shared by threads. Its operands are the activations alone; constants live inside.
class Op {
 public:
  virtual ~Op() = default;
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  /// Output shape in ONNX order, the batch dimension being 1.
  const Shape& shape() const { return shape_; }
  int64_t size() const { return size_; }
  size_t operands() const { return operand_sizes_.size(); }

  virtual Role role() const { return Role::kOther; }

  /// Multiply-accumulates of one forward pass; trained constants.
  virtual int64_t macs() const { return 0; }
  virtual int64_t parameters() const { return 0; }

  /// The reference: one sample, ONNX order, plain loops. `operands` in the order of registration.
  virtual void forward(std::span<const float* const> operands, float* out) const = 0;

  /// The fast path: `lanes` samples side by side, element-major: x[element * lanes + lane].
  /// Bit for bit forward() of every lane, whatever the other lanes hold. The default unpacks and
  /// calls forward(). `scratch` holds scratch_size(lanes) floats.
  virtual void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                             float* scratch) const;
  virtual int64_t scratch_size(int lanes) const;

  /// Region rule (region.h). Appends the output elements that depend on some `changed` elements of
  /// an operand, in any order, repeats allowed. False: no rule, take all of them.
  virtual bool affected(size_t operand, std::span<const int32_t> changed,
                        std::vector<int32_t>& elements) const;
  /// A step that computes the changed elements of the output; for operators with a rule.
  virtual std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                                  const RegionOutput& output) const;

  /// plan_region() obeys RegionOutput::rectify.
  virtual bool rectifies() const { return false; }
  /// max(0, x) of one operand, NaN and -0 as they are.
  virtual bool is_relu() const { return false; }

  /// Every output element is, as computed, a non-decreasing or a non-increasing function of any one
  /// operand element, whatever the others are (METHOD section 4, "Cut collapse").
  virtual bool monotone() const { return false; }

  /// The operator that op(s x) / s tends to as s grows, exact for the far class (METHOD "far
  /// class"): without biases, every constant of lower order dropped. Null where there is none.
  virtual std::shared_ptr<const Op> far_limit() const { return nullptr; }

  /// Forward-mode derivative (slopes.h): the operator that makes the tangent of the output, of as
  /// many operands: their tangents; or of twice as many: their values, then their tangents. Null
  /// where none is known.
  virtual std::shared_ptr<const Op> tangent() const { return nullptr; }

 protected:
  Op(Shape shape, std::vector<int64_t> operand_sizes);

  const std::vector<int64_t>& operand_sizes() const { return operand_sizes_; }

 private:
  Shape shape_;
  int64_t size_;
  std::vector<int64_t> operand_sizes_;
};

}  // namespace vigor
