// Conv: one or two spatial dimensions, groups, strides, dilations, any padding.
#include <algorithm>
#include <limits>

#include "builders.h"
#include "fused.h"
#include "region.h"
#include "window.h"

namespace vigor {

namespace {

// Terms and output positions worked on together, so that operands stay in the caches: measured on
// 64 to 512 channels, 3x3 (bench/dense_rate).
constexpr int64_t kTermBlock = 1152;
constexpr int64_t kPositionBlock = 4;

class ConvOp final : public Op {
 public:
  // Weights and bias of every group.
  using Groups = std::vector<PackedRows>;

  ConvOp(const Window& window, std::shared_ptr<const Groups> groups, std::vector<float> bias,
         bool has_bias)
      : Op(window.output_shape(static_cast<int64_t>(bias.size())),
           {window.batch * window.channels * window.in_size()}),
        window_(window),
        packed_(std::move(groups)),
        bias_(std::move(bias)),
        has_bias_(has_bias),
        groups_(static_cast<int64_t>(packed_->size())),
        rows_(packed_->front().rows()),
        terms_(packed_->front().terms()),
        padded_rows_(padded(window.axes[0])),
        padded_columns_(padded(window.axes[1])) {
    const auto [r, c] = window_.axes;
    for (int64_t channel = 0; channel < window_.channels / groups_; ++channel) {
      for (int64_t y = 0; y < r.kernel; ++y) {
        for (int64_t x = 0; x < c.kernel; ++x) {
          offsets_.push_back(static_cast<int32_t>(
              (channel * padded_rows_ + y * r.dilation) * padded_columns_ + x * c.dilation));
        }
      }
    }
  }

  Role role() const override { return Role::kWeighted; }
  int64_t macs() const override { return size() * terms_; }
  int64_t parameters() const override { return groups_ * rows_ * (terms_ + (has_bias_ ? 1 : 0)); }

  void forward(std::span<const float* const> operands, float* out) const override {
    std::vector<float> input(static_cast<size_t>(padded_size()));
    const auto [r, c] = window_.axes;
    for (int64_t n = 0; n < window_.batch; ++n) {
      pad(operands[0] + n * window_.channels * window_.in_size(), input.data(), 1);
      for (int64_t o = 0; o < rows_ * groups_; ++o, out += window_.out_size()) {
        std::fill_n(out, window_.out_size(), bias_[static_cast<size_t>(o)]);
        const float* group = input.data() + o / rows_ * group_stride();
        const PackedRows& packed = (*packed_)[static_cast<size_t>(o / rows_)];
        for (int64_t k = 0; k < terms_; ++k) {
          const float weight = packed.at(o % rows_, k);
          for (int64_t y = 0; y < r.out; ++y) {
            fused_add(weight,
                      group + offsets_[static_cast<size_t>(k)] + y * r.stride * padded_columns_,
                      c.stride, out + y * c.out, c.out);
          }
        }
      }
    }
  }

  int64_t scratch_size(int lanes) const override {
    return needs_padding() ? padded_size() * lanes : 0;
  }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float* scratch) const override {
    for (int64_t n = 0; n < window_.batch; ++n) {
      const float* input = operands[0] + n * window_.channels * window_.in_size() * lanes;
      if (needs_padding()) {
        pad(input, scratch, lanes);
        input = scratch;
      }
      for (int64_t g = 0; g < groups_; ++g) {
        convolve_group(g, input + g * group_stride() * lanes, lanes,
                       out + (n * groups_ + g) * rows_ * window_.out_size() * lanes);
      }
    }
  }

  bool rectifies() const override { return true; }

  bool affected(size_t, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    // Output positions of each (sample, group), marked once.
    const auto [r, c] = window_.axes;
    const int64_t positions = window_.out_size();
    const int64_t group_inputs = window_.channels / groups_ * window_.in_size();
    std::vector<bool> marked(static_cast<size_t>(window_.batch * groups_ * positions), false);
    for (const int32_t element : changed) {
      const int64_t set = element / group_inputs;
      const int64_t at = element % window_.in_size();
      const auto [y_first, y_last] = covering(r, at / c.in);
      const auto [x_first, x_last] = covering(c, at % c.in);
      for (int64_t y = y_first; y <= y_last; ++y) {
        for (int64_t x = x_first; x <= x_last; ++x) {
          marked[static_cast<size_t>(set * positions + y * c.out + x)] = true;
        }
      }
    }
    for (int64_t set = 0; set < window_.batch * groups_; ++set) {
      for (int64_t o = 0; o < rows_; ++o) {
        for (int64_t p = 0; p < positions; ++p) {
          if (!marked[static_cast<size_t>(set * positions + p)]) continue;
          elements.push_back(static_cast<int32_t>((set * rows_ + o) * positions + p));
        }
      }
    }
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    // The changed elements of a sample's group are `rows_` runs of the same positions.
    MixPlan plan(operands[0], output);
    const int64_t positions = window_.out_size();
    const int64_t group_outputs = rows_ * positions;
    std::vector<int32_t> set_of(static_cast<size_t>(window_.batch * groups_ * positions), -1);
    for (size_t i = 0; i < output.changed.size();) {
      const int64_t group = output.changed[i] / group_outputs;
      size_t run = 0;
      while (i + run < output.changed.size() &&
             output.changed[i + run] < group * group_outputs + positions) {
        ++run;
      }
      const int64_t weights = group % groups_;
      for (size_t p = 0; p < run; ++p) {
        const int64_t first = output.changed[i + p];
        set_of[static_cast<size_t>(group * positions + first % positions)] =
            plan.begin({&(*packed_)[static_cast<size_t>(weights)], bias_.data() + weights * rows_,
                        static_cast<int64_t>(i + p), static_cast<int64_t>(run), first, positions});
      }
      i += run * static_cast<size_t>(rows_);
    }
    for (const int32_t element : operands[0].changed) add_readers(plan, set_of, element);
    if (plan.anew()) {
      for (size_t s = 0; s < set_of.size(); ++s) {
        if (set_of[s] >= 0) add_terms(plan, set_of[s], static_cast<int64_t>(s));
      }
    }
    return plan.finish();
  }

  std::shared_ptr<const Op> far_limit() const override {
    return std::make_shared<ConvOp>(window_, packed_, std::vector<float>(bias_.size()), false);
  }
  // Affine: the linear part.
  std::shared_ptr<const Op> tangent() const override { return far_limit(); }

 private:
  // Rows or columns that windows read: real ones, padding, and what ceil_mode adds never.
  static int64_t padded(const WindowAxis& a) { return a.pad_begin + a.in + a.pad_end; }

  bool needs_padding() const {
    return padded_rows_ != window_.axes[0].in || padded_columns_ != window_.axes[1].in;
  }
  int64_t padded_size() const { return window_.channels * padded_rows_ * padded_columns_; }
  int64_t group_stride() const {
    return window_.channels / groups_ * padded_rows_ * padded_columns_;
  }

  // One changed element as a term of each output position that reads it.
  void add_readers(MixPlan& plan, const std::vector<int32_t>& set_of, int64_t element) const {
    const auto [r, c] = window_.axes;
    const int64_t group_channels = window_.channels / groups_;
    const int64_t group = element / (group_channels * window_.in_size());
    const int64_t channel = element / window_.in_size() % group_channels;
    const int64_t at_y = element % window_.in_size() / c.in;
    const int64_t at_x = element % c.in;
    const auto [y_first, y_last] = covering(r, at_y);
    const auto [x_first, x_last] = covering(c, at_x);
    for (int64_t y = y_first; y <= y_last; ++y) {
      const int64_t ky = at_y + r.pad_begin - y * r.stride;
      if (ky % r.dilation != 0) continue;
      for (int64_t x = x_first; x <= x_last; ++x) {
        const int64_t kx = at_x + c.pad_begin - x * c.stride;
        if (kx % c.dilation != 0) continue;
        const int64_t term = (channel * r.kernel + ky / r.dilation) * c.kernel + kx / c.dilation;
        plan.add_changed(set_of[static_cast<size_t>(group * window_.out_size() + y * c.out + x)],
                         term, element);
      }
    }
  }

  // All terms of one output position (of a sample's group), in the order of the weights.
  void add_terms(MixPlan& plan, int32_t set, int64_t group_position) const {
    const auto [r, c] = window_.axes;
    const int64_t position = group_position % window_.out_size();
    const int64_t corner_y = position / c.out * r.stride - r.pad_begin;
    const int64_t corner_x = position % c.out * c.stride - c.pad_begin;
    const int64_t group_channels = window_.channels / groups_;
    int64_t map = group_position / window_.out_size() * group_channels * window_.in_size();
    int64_t term = 0;
    for (int64_t channel = 0; channel < group_channels; ++channel) {
      for (int64_t ky = 0; ky < r.kernel; ++ky) {
        for (int64_t kx = 0; kx < c.kernel; ++kx, ++term) {
          const int64_t y = corner_y + ky * r.dilation;
          const int64_t x = corner_x + kx * c.dilation;
          const bool inside = y >= 0 && y < r.in && x >= 0 && x < c.in;
          plan.add(set, term, inside ? map + y * c.in + x : -1);
        }
      }
      map += window_.in_size();
    }
  }

  // Real zeros around the input: 0 times an infinite weight is NaN, as it should be.
  void pad(const float* x, float* y, int64_t lanes) const {
    const auto [r, c] = window_.axes;
    std::fill_n(y, padded_size() * lanes, 0.0F);
    for (int64_t row = 0; row < window_.channels * r.in; ++row) {
      const int64_t target =
          (row / r.in * padded_rows_ + r.pad_begin + row % r.in) * padded_columns_ + c.pad_begin;
      std::copy_n(x + row * c.in * lanes, c.in * lanes, y + target * lanes);
    }
  }

  void convolve_group(int64_t group, const float* x, int lanes, float* out) const {
    const PackedRows& packed = (*packed_)[static_cast<size_t>(group)];
    const auto [r, c] = window_.axes;
    const int64_t positions = window_.out_size();
    const Kernels& set = kernels();
    for (int64_t p = 0; p < positions; p += kPositionBlock) {
      const int64_t p_end = std::min(p + kPositionBlock, positions);
      for (int64_t k = 0; k < terms_; k += kTermBlock) {
        const int64_t terms = std::min(kTermBlock, terms_ - k);
        for (int64_t b = 0; b < packed.blocks(); ++b) {
          const auto [first, rows, weights] = packed.block(b);
          const float* bias = k == 0 ? bias_.data() + group * rows_ + first : nullptr;
          for (int64_t q = p; q < p_end; ++q) {
            const int64_t corner = q / c.out * r.stride * padded_columns_ + q % c.out * c.stride;
            set.multiply(weights + k * rows, bias, rows, x + corner * lanes, offsets_.data() + k,
                         terms, out + (first * positions + q) * lanes, positions * lanes, lanes);
          }
        }
      }
    }
  }

  Window window_;
  std::shared_ptr<const Groups> packed_;
  std::vector<float> bias_;
  bool has_bias_;
  int64_t groups_, rows_, terms_, padded_rows_, padded_columns_;
  std::vector<int32_t> offsets_;  // of the terms, from a window's corner
};

}  // namespace

std::shared_ptr<const Op> build_conv(NodeView& node) {
  const Shape& input = node.operand(0);
  const ConstantPtr weights = node.floats(1);
  if (weights->shape.size() != input.size() || input.size() < 3) {
    node.fail("got weights {} for an input {}", to_string(weights->shape), to_string(input));
  }
  const Window window =
      read_window(node, input, {weights->shape.begin() + 2, weights->shape.end()});
  const int64_t groups = node.attribute("group", int64_t{1});
  const int64_t rows = weights->shape[0];
  if (groups < 1 || rows < 1 || rows % groups != 0 ||
      weights->shape[1] * groups != window.channels || window.channels < 1) {
    node.fail("got weights {} in {} groups for {} input channels", to_string(weights->shape),
              groups, window.channels);
  }
  std::vector<float> bias(static_cast<size_t>(rows), 0.0F);
  if (node.has(2)) {
    const ConstantPtr given = node.floats(2);
    if (given->shape != Shape{rows}) {
      node.fail("bias: got {}, expected {}", to_string(given->shape), rows);
    }
    bias = given->floats;
  }
  int64_t padded = window.channels;
  for (const WindowAxis& a : window.axes) {
    if (__builtin_mul_overflow(padded, a.pad_begin + a.in + a.pad_end, &padded) ||
        padded > std::numeric_limits<int32_t>::max()) {
      node.fail("got an input {} of more than 2^31 padded elements", to_string(input));
    }
  }
  const int64_t terms = element_count(weights->shape) / rows;
  auto packed = std::make_shared<ConvOp::Groups>();
  for (int64_t g = 0; g < groups; ++g) {
    packed->emplace_back(weights->floats.data() + g * (rows / groups) * terms, rows / groups, terms,
                         terms, 1);
  }
  return std::make_shared<ConvOp>(window, std::move(packed), std::move(bias), node.has(2));
}

}  // namespace vigor
