// Gemm and MatMul. With a constant right-hand matrix they make neurons; otherwise plain products.
#include <algorithm>
#include <numeric>

#include "builders.h"
#include "fused.h"
#include "region.h"

namespace vigor {

namespace {

// y[row][n] = bias[row][n] + sum over k of x[row][k] w[k][n]; x may be stored transposed.
class DenseOp final : public Op {
 public:
  DenseOp(Shape shape, int64_t rows, bool transposed_input,
          std::shared_ptr<const PackedRows> weights, std::vector<float> bias /* [rows][columns] */,
          int64_t parameters)
      : Op(std::move(shape), {rows * weights->terms()}),
        rows_(rows),
        terms_(weights->terms()),
        columns_(weights->rows()),
        parameters_(parameters),
        transposed_input_(transposed_input),
        weights_(std::move(weights)),
        bias_(std::move(bias)),
        offsets_(static_cast<size_t>(terms_)) {
    for (int64_t k = 0; k < terms_; ++k) {
      offsets_[static_cast<size_t>(k)] = static_cast<int32_t>(transposed_input_ ? k * rows_ : k);
    }
  }

  Role role() const override { return Role::kWeighted; }
  int64_t macs() const override { return rows_ * terms_ * columns_; }
  int64_t parameters() const override { return parameters_; }

  void forward(std::span<const float* const> operands, float* out) const override {
    for (int64_t row = 0; row < rows_; ++row, out += columns_) {
      std::copy_n(bias_.data() + row * columns_, columns_, out);
      const float* x = operands[0] + row * row_stride();
      for (int64_t b = 0; b < weights_->blocks(); ++b) {
        const auto [first, rows, weights] = weights_->block(b);
        for (int64_t k = 0; k < terms_; ++k) {
          fused_add(x[offsets_[static_cast<size_t>(k)]], weights + k * rows, 1, out + first, rows);
        }
      }
    }
  }

  int64_t scratch_size(int) const override { return 0; }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const Kernels& set = kernels();
    for (int64_t row = 0; row < rows_; ++row, out += columns_ * lanes) {
      for (int64_t b = 0; b < weights_->blocks(); ++b) {
        const auto [first, rows, weights] = weights_->block(b);
        set.multiply(weights, bias_.data() + row * columns_ + first, rows,
                     operands[0] + row * row_stride() * lanes, offsets_.data(), terms_,
                     out + first * lanes, lanes, lanes);
      }
    }
  }

  bool rectifies() const override { return true; }

  bool affected(size_t, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    for (const int32_t element : changed) {
      const int64_t row = transposed_input_ ? element % rows_ : element / terms_;
      // The same row often comes again: its outputs are there already.
      if (!elements.empty() && elements.back() == (row + 1) * columns_ - 1) continue;
      for (int64_t c = 0; c < columns_; ++c) {
        elements.push_back(static_cast<int32_t>(row * columns_ + c));
      }
    }
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    MixPlan plan(operands[0], output);
    std::vector<int32_t> set_of(static_cast<size_t>(rows_), -1);
    for (size_t i = 0; i < output.changed.size(); i += static_cast<size_t>(columns_)) {
      const int64_t row = output.changed[i] / columns_;
      set_of[static_cast<size_t>(row)] =
          plan.begin({weights_.get(), bias_.data() + row * columns_, static_cast<int64_t>(i), 1,
                      row * columns_, 1});
    }
    for (const int32_t element : operands[0].changed) {
      const int64_t row = transposed_input_ ? element % rows_ : element / terms_;
      const int64_t term = transposed_input_ ? element / rows_ : element % terms_;
      plan.add_changed(set_of[static_cast<size_t>(row)], term, element);
    }
    if (plan.anew()) {
      for (int64_t row = 0; row < rows_; ++row) {
        if (set_of[static_cast<size_t>(row)] < 0) continue;
        for (int64_t k = 0; k < terms_; ++k) {
          plan.add(set_of[static_cast<size_t>(row)], k,
                   row * row_stride() + offsets_[static_cast<size_t>(k)]);
        }
      }
    }
    return plan.finish();
  }

  std::shared_ptr<const Op> far_limit() const override {
    return std::make_shared<DenseOp>(shape(), rows_, transposed_input_, weights_,
                                     std::vector<float>(bias_.size()), parameters_);
  }
  // Affine: the linear part.
  std::shared_ptr<const Op> tangent() const override { return far_limit(); }

 private:
  int64_t row_stride() const { return transposed_input_ ? 1 : terms_; }

  int64_t rows_, terms_, columns_, parameters_;
  bool transposed_input_;
  std::shared_ptr<const PackedRows> weights_;  // a row per column of the matrix
  std::vector<float> bias_;
  std::vector<int32_t> offsets_;  // of the terms, from a row's first
};

// numpy's matmul of two activations: plain loops.
class ProductOp final : public Op {
 public:
  ProductOp(Shape shape, const Shape& a, const Shape& b)
      : Op(std::move(shape), {element_count(a), element_count(b)}),
        rows_(a[a.size() - 2]),
        terms_(a.back()),
        columns_(b.back()) {
    const Shape lead(this->shape().begin(), this->shape().end() - 2);
    for (int64_t i = 0; i < element_count(lead); ++i) {
      slices_.emplace_back(slice(i, lead, a) * rows_ * terms_,
                           slice(i, lead, b) * terms_ * columns_);
    }
  }

  int64_t macs() const override { return size() * terms_; }

  void forward(std::span<const float* const> operands, float* out) const override {
    for (const auto& [a, b] : slices_) {
      for (int64_t row = 0; row < rows_; ++row, out += columns_) {
        std::fill_n(out, columns_, 0.0F);
        for (int64_t k = 0; k < terms_; ++k) {
          fused_add(operands[0][a + row * terms_ + k], operands[1] + b + k * columns_, 1, out,
                    columns_);
        }
      }
    }
  }

 private:
  // Which matrix of `operand` the i-th matrix of the broadcast batch reads.
  static int64_t slice(int64_t i, const Shape& lead, const Shape& operand) {
    int64_t index = 0;
    int64_t stride = 1;
    for (size_t d = 1; d <= lead.size(); ++d) {
      const int64_t at = i % lead[lead.size() - d];
      i /= lead[lead.size() - d];
      if (d + 2 > operand.size()) continue;
      const int64_t extent = operand[operand.size() - 2 - d];
      if (extent != 1) index += at * stride;
      stride *= extent;
    }
    return index;
  }

  int64_t rows_, terms_, columns_;
  std::vector<std::pair<int64_t, int64_t>> slices_;  // offsets into a and b
};

// The right-hand matrix, stored [terms][columns] or, transposed, [columns][terms].
std::shared_ptr<const PackedRows> pack(const Constant& b, bool transposed, float factor) {
  const int64_t columns = b.shape[transposed ? 0 : 1];
  const int64_t terms = b.shape[transposed ? 1 : 0];
  return std::make_shared<PackedRows>(b.floats.data(), columns, terms, transposed ? terms : 1,
                                      transposed ? 1 : columns, factor);
}

// Gemm's C, broadcast to [rows][columns], times beta.
std::vector<float> broadcast_bias(const NodeView& node, int64_t rows, int64_t columns, float beta) {
  std::vector<float> bias(static_cast<size_t>(rows * columns), 0.0F);
  if (!node.has(2)) return bias;
  const ConstantPtr c = node.floats(2);
  Shape shape = c->shape;
  if (shape.size() > 2) node.fail("C: got {}, expected rank 2 at most", to_string(shape));
  shape.insert(shape.begin(), 2 - shape.size(), 1);
  if ((shape[0] != 1 && shape[0] != rows) || (shape[1] != 1 && shape[1] != columns)) {
    node.fail("C: got {}, expected {}x{}", to_string(c->shape), rows, columns);
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t k = 0; k < columns; ++k) {
      const int64_t at = (shape[0] == 1 ? 0 : r) * shape[1] + (shape[1] == 1 ? 0 : k);
      bias[static_cast<size_t>(r * columns + k)] = beta * c->floats[static_cast<size_t>(at)];
    }
  }
  return bias;
}

}  // namespace

std::shared_ptr<const Op> build_gemm(NodeView& node) {
  const Shape& a = node.operand(0);
  const ConstantPtr b = node.floats(1);
  const float alpha = node.attribute("alpha", 1.0F);
  const float beta = node.attribute("beta", 1.0F);
  const bool trans_a = node.attribute("transA", int64_t{0}) != 0;
  const bool trans_b = node.attribute("transB", int64_t{0}) != 0;
  if (a.size() != 2 || b->shape.size() != 2) {
    node.fail("got A {} and B {}, expected matrices", to_string(a), to_string(b->shape));
  }
  const int64_t rows = a[trans_a ? 1 : 0];
  const int64_t terms = a[trans_a ? 0 : 1];
  const int64_t columns = b->shape[trans_b ? 0 : 1];
  if (b->shape[trans_b ? 1 : 0] != terms || columns < 1) {
    node.fail("got A {} and B {} (transA {}, transB {})", to_string(a), to_string(b->shape),
              trans_a, trans_b);
  }
  const int64_t parameters =
      terms * columns + (node.has(2) ? element_count(node.shape(2)) : int64_t{0});
  return std::make_shared<DenseOp>(Shape{rows, columns}, rows, trans_a, pack(*b, trans_b, alpha),
                                   broadcast_bias(node, rows, columns, beta), parameters);
}

std::shared_ptr<const Op> build_matmul(NodeView& node) {
  Shape a = node.operand(0);
  if (node.is_constant(1) && node.shape(1).size() == 2 && !node.is_constant(0) && !a.empty()) {
    const ConstantPtr b = node.floats(1);
    const int64_t terms = a.back();
    const int64_t columns = b->shape[1];
    if (b->shape[0] != terms || columns < 1) {
      node.fail("got {} times {}", to_string(a), to_string(b->shape));
    }
    const int64_t rows = element_count({a.begin(), a.end() - 1});
    a.back() = columns;
    return std::make_shared<DenseOp>(a, rows, false, pack(*b, false, 1.0F),
                                     std::vector<float>(static_cast<size_t>(rows * columns)),
                                     terms * columns);
  }
  Shape b = node.operand(1);
  if (a.empty() || b.empty()) node.fail("got a scalar");
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);
  if (a.back() != b[b.size() - 2]) node.fail("got {} times {}", to_string(a), to_string(b));
  const size_t rank = std::max(a.size(), b.size());
  Shape shape;
  for (size_t d = rank; d > 2; --d) {
    const int64_t da = d <= a.size() ? a[a.size() - d] : 1;
    const int64_t db = d <= b.size() ? b[b.size() - d] : 1;
    if (da != db && da != 1 && db != 1) node.fail("got {} times {}", to_string(a), to_string(b));
    shape.push_back(std::max(da, db));
  }
  shape.push_back(a[a.size() - 2]);
  shape.push_back(b.back());
  if (row || column) {
    node.fail("got a vector: {} times {}, expected matrices", to_string(node.shape(0)),
              to_string(node.shape(1)));
  }
  return std::make_shared<ProductOp>(shape, a, b);
}

}  // namespace vigor
