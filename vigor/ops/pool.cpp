// MaxPool, AveragePool and their global forms. NaN propagates, as in PyTorch.
#include <algorithm>
#include <limits>

#include "builders.h"
#include "region.h"
#include "window.h"

namespace vigor {

namespace {

enum class PoolKind { kMax, kAverage };

// The changed outputs of a max-pool.
class MaxStep final : public RegionStep {
 public:
  /// Row i reads sources[begin[i]] to sources[begin[i + 1]].
  MaxStep(const RegionOutput& output, std::vector<RowSource> sources, std::vector<size_t> begin,
          float start)
      : values_(output.values),
        sources_(std::move(sources)),
        begin_(std::move(begin)),
        start_(start) {
    for (const RowSource& source : sources_) {
      rows_.push_back({source.changed, source.changed == nullptr});
    }
  }

  void run(const LaneBatch& batch) const override {
    for (size_t s = 0; s < sources_.size(); ++s) {
      if (rows_[s].golden) {
        rows_[s].values = batch.golden_row(sources_[s].storage, sources_[s].element);
      }
    }
    float* out = values_;
    for (size_t i = 0; i + 1 < begin_.size(); ++i, out += batch.stride) {
      kernels().maximum_rows(rows_.data() + begin_[i], begin_[i + 1] - begin_[i], start_,
                             batch.inputs, batch.golden->lanes(), batch.count, out);
    }
  }
  int64_t bytes() const override {
    return static_cast<int64_t>(sources_.size() * (sizeof(RowSource) + sizeof(RowRef)) +
                                begin_.size() * sizeof(size_t));
  }
  bool marks_nan() const override { return true; }

 private:
  float* values_;
  std::vector<RowSource> sources_;
  std::vector<size_t> begin_;
  float start_;
  mutable std::vector<RowRef> rows_;  // of the sources
};

class PoolOp final : public Op {
 public:
  PoolOp(PoolKind kind, const Window& window, bool count_padding)
      : Op(window.output_shape(window.channels),
           {window.batch * window.channels * window.in_size()}),
        kind_(kind),
        window_(window) {
    const auto [r, c] = window_.axes;
    begin_.push_back(0);
    for (int64_t y = 0; y < r.out; ++y) {
      for (int64_t x = 0; x < c.out; ++x) {
        int64_t padding = 0;
        for (int64_t ky = 0; ky < r.kernel; ++ky) {
          for (int64_t kx = 0; kx < c.kernel; ++kx) {
            const int64_t row = y * r.stride - r.pad_begin + ky * r.dilation;
            const int64_t column = x * c.stride - c.pad_begin + kx * c.dilation;
            if (row >= 0 && row < r.in && column >= 0 && column < c.in) {
              members_.push_back(static_cast<int32_t>(row * c.in + column));
            } else if (row < r.in + r.pad_end && column < c.in + c.pad_end) {
              ++padding;
            }
          }
        }
        const int64_t members = static_cast<int64_t>(members_.size()) - begin_.back();
        begin_.push_back(static_cast<int64_t>(members_.size()));
        divisors_.push_back(static_cast<float>(members + (count_padding ? padding : 0)));
      }
    }
  }

  void forward(std::span<const float* const> operands, float* out) const override {
    const float* x = operands[0];
    for (int64_t map = 0; map < window_.batch * window_.channels; ++map, x += window_.in_size()) {
      for (size_t p = 0; p + 1 < begin_.size(); ++p, ++out) {
        *out = empty();
        for (int64_t i = begin_[p]; i < begin_[p + 1]; ++i) {
          const float value = x[members_[static_cast<size_t>(i)]];
          if (kind_ == PoolKind::kAverage) {
            *out = value + *out;
          } else if (value > *out || value != value) {
            *out = value;
          }
        }
        if (kind_ == PoolKind::kAverage) *out = *out / divisors_[p];
      }
    }
  }

  int64_t scratch_size(int) const override { return 0; }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    const Kernels& set = kernels();
    const float* x = operands[0];
    const bool average = kind_ == PoolKind::kAverage;
    for (int64_t map = 0; map < window_.batch * window_.channels; ++map) {
      for (size_t p = 0; p + 1 < begin_.size(); ++p, out += lanes) {
        std::fill_n(out, lanes, empty());
        for (int64_t i = begin_[p]; i < begin_[p + 1]; ++i) {
          (average ? set.add : set.maximum)(x + members_[static_cast<size_t>(i)] * int64_t{lanes},
                                            out, lanes);
        }
        if (average) set.divide(divisors_[p], out, lanes);
      }
      x += window_.in_size() * lanes;
    }
  }

  bool affected(size_t, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    const int64_t windows = window_.out_size();
    for (const int32_t element : changed) {
      const int64_t map = element / window_.in_size();
      const int64_t member = element % window_.in_size();
      const auto [r, c] = window_.axes;
      const auto [y_first, y_last] = covering(r, member / c.in);
      const auto [x_first, x_last] = covering(c, member % c.in);
      for (int64_t y = y_first; y <= y_last; ++y) {
        for (int64_t x = x_first; x <= x_last; ++x) {
          elements.push_back(static_cast<int32_t>(map * windows + y * c.out + x));
        }
      }
    }
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    std::vector<RowSource> sources;
    std::vector<size_t> begin{0};
    std::vector<float> divisors;
    for (const int32_t element : output.changed) {
      const int64_t map = element / window_.out_size();
      const auto p = static_cast<size_t>(element % window_.out_size());
      for (int64_t i = begin_[p]; i < begin_[p + 1]; ++i) {
        const int32_t member = members_[static_cast<size_t>(i)];
        sources.push_back(operands[0].row(map * window_.in_size() + member));
      }
      begin.push_back(sources.size());
      divisors.push_back(divisors_[p]);
    }
    if (kind_ == PoolKind::kMax) {
      return std::make_unique<MaxStep>(output, std::move(sources), std::move(begin), empty());
    }
    return make_row_step(output, std::move(sources), std::move(begin), NewNan::kPossible,
                         [this, divisors](size_t i, RowPointers members, float* out, int count) {
                           const Kernels& set = kernels();
                           std::fill_n(out, count, empty());
                           for (const float* member : members) set.add(member, out, count);
                           set.divide(divisors[i], out, count);
                         });
  }

  bool monotone() const override { return true; }

  std::shared_ptr<const Op> tangent() const override;

  // Positively homogeneous both.
  std::shared_ptr<const Op> far_limit() const override { return std::make_shared<PoolOp>(*this); }

  PoolOp(const PoolOp& other)
      : Op(other.shape(), other.operand_sizes()),
        kind_(other.kind_),
        window_(other.window_),
        begin_(other.begin_),
        members_(other.members_),
        divisors_(other.divisors_) {}

 private:
  friend class MaxTangentOp;

  // What a window starts from. (-inf is also what a window of padding alone gives.)
  float empty() const {
    return kind_ == PoolKind::kMax ? -std::numeric_limits<float>::infinity() : 0.0F;
  }

  PoolKind kind_;
  Window window_;
  std::vector<int64_t> begin_;    // of the window of each output position in members_
  std::vector<int32_t> members_;  // input positions inside one map
  std::vector<float> divisors_;
};

// Of (x, dx): dx of the first largest x of each window, 0 for a window of padding.
class MaxTangentOp final : public Op {
 public:
  explicit MaxTangentOp(const PoolOp& pool)
      : Op(pool.shape(), {pool.operand_sizes()[0], pool.operand_sizes()[0]}), pool_(pool) {}

  void forward(std::span<const float* const> operands, float* out) const override {
    float best;
    forward_lanes(operands, out, 1, &best);
  }
  int64_t scratch_size(int lanes) const override { return lanes; }

  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float* best) const override {
    const Window& window = pool_.window_;
    for (int64_t map = 0; map < window.batch * window.channels; ++map) {
      for (size_t p = 0; p + 1 < pool_.begin_.size(); ++p, out += lanes) {
        std::fill_n(best, lanes, pool_.empty());
        std::fill_n(out, lanes, 0.0F);
        for (int64_t i = pool_.begin_[p]; i < pool_.begin_[p + 1]; ++i) {
          const int64_t member = map * window.in_size() + pool_.members_[static_cast<size_t>(i)];
          const float* x = operands[0] + member * lanes;
          const float* dx = operands[1] + member * lanes;
          for (int l = 0; l < lanes; ++l) {
            if (!(x[l] > best[l]) && x[l] == x[l]) continue;
            best[l] = x[l];
            out[l] = dx[l];
          }
        }
      }
    }
  }

 private:
  const PoolOp pool_;
};

std::shared_ptr<const Op> PoolOp::tangent() const {
  if (kind_ == PoolKind::kMax) return std::make_shared<MaxTangentOp>(*this);
  return std::make_shared<PoolOp>(*this);
}

}  // namespace

std::shared_ptr<const Op> build_max_pool(NodeView& node) {
  const Window window = read_window(node, node.operand(0), {});
  node.attribute("storage_order", int64_t{0});  // matters to the second output alone
  return std::make_shared<PoolOp>(PoolKind::kMax, window, false);
}

std::shared_ptr<const Op> build_average_pool(NodeView& node) {
  const Window window = read_window(node, node.operand(0), {});
  const bool count_padding = node.attribute("count_include_pad", int64_t{0}) != 0;
  return std::make_shared<PoolOp>(PoolKind::kAverage, window, count_padding);
}

std::shared_ptr<const Op> build_global_max_pool(NodeView& node) {
  return std::make_shared<PoolOp>(PoolKind::kMax, whole_window(node, node.operand(0)), false);
}

std::shared_ptr<const Op> build_global_average_pool(NodeView& node) {
  return std::make_shared<PoolOp>(PoolKind::kAverage, whole_window(node, node.operand(0)), false);
}

}  // namespace vigor
