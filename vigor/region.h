// Region rules: what of an operator's output changes with some elements of its operands, and how to
// compute just that.
//
// A plan is made for one neuron and serves any number of batches: its steps hold pointers to the
// rows (one element in all lanes) that they read, golden or changed, and write changed rows.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "aligned.h"
#include "kernels/kernels.h"

namespace vigor {

/// The lanes to work on: [first, first + count) of rows of `stride` floats, multiples of kLaneStep.
struct LaneRange {
  int first, count, stride;
};

/// Memory of the changed rows. Its size is fixed, so that pointers into it stay valid.
class RowArena {
 public:
  explicit RowArena(int64_t floats);
  /// What is taken next starts at this float.
  void seek(int64_t place) { used_ = place; }
  /// Throws Error when it is full.
  float* take(int64_t floats);

 private:
  struct Delete {
    void operator()(float* data) const { AlignedAllocator<float>().deallocate(data, 0); }
  };
  std::unique_ptr<float[], Delete> data_;
  int64_t size_, used_ = 0;
};

/// An operand as a plan sees it, while it is made.
struct RegionTensor {
  const float* golden;               // [size][stride]
  std::span<const int32_t> changed;  // elements, ascending
  const float* values;               // [changed][stride]
  const int32_t* row_of;             // per element: its row in `values`, or -1
  int64_t stride;

  bool is_changed(int64_t element) const { return row_of[element] >= 0; }
  const float* golden_row(int64_t element) const { return golden + element * stride; }
  const float* row(int64_t element) const {
    return is_changed(element) ? values + row_of[element] * stride : golden_row(element);
  }
};

/// Where a step writes: the rows of the changed elements, one after the other.
struct RegionOutput {
  const float* golden;
  std::span<const int32_t> changed;
  float* values;
  int64_t stride;
  RowArena* arena;  // for a step's own rows

  float* row(size_t index) const { return values + static_cast<int64_t>(index) * stride; }
};

class RegionStep {
 public:
  virtual ~RegionStep() = default;
  virtual void run(const LaneRange& lanes) const = 0;
  /// Multiply-accumulates per lane.
  virtual int64_t macs() const { return 0; }
  /// Size of its tables in bytes.
  virtual int64_t bytes() const = 0;
};

/// Weighted sums, for convolutions and dense layers. Where fewer than three quarters of the terms
/// change, outputs are the golden ones plus weights times differences (exactly golden where the
/// differences are 0); else they are summed anew in the order of the reference.
class MixPlan {
 public:
  MixPlan(const RegionTensor& input, const RegionOutput& output) : input_(input), output_(output) {}

  /// A set of outputs that read the same terms, one per row of `packed`: row r is changed row
  /// out_row + r * out_step of the output, and element golden_element + r * golden_step.
  struct Outputs {
    const PackedRows* packed;
    const float* bias;
    int64_t out_row, out_step, golden_element, golden_step;
  };
  /// Returns the set's number.
  int32_t begin(const Outputs& outputs);

  /// A changed term of a set. Terms of a set come in ascending order.
  void add_changed(int32_t set, int64_t term, int64_t element) {
    terms_.push_back({set, static_cast<int32_t>(term), element});
  }

  /// Whether so many have changed that the sums are made anew: then add() every term of every set
  /// (element -1: zero padding).
  bool anew();
  void add(int32_t set, int64_t term, int64_t element) { add_changed(set, term, element); }

  std::unique_ptr<RegionStep> finish();

 private:
  struct Term {
    int32_t set, term;
    int64_t element;
  };
  RegionTensor input_;
  RegionOutput output_;
  std::vector<Outputs> outputs_;
  std::vector<Term> terms_;
  bool anew_ = false;
};

/// A step that computes each changed row from rows of its own: f(row index, sources, out, count)
/// with `sources` the row's source pointers, already moved to the first lane.
template <typename F>
class RowStep final : public RegionStep {
 public:
  /// Row i reads sources[begin[i]] to sources[begin[i + 1]].
  RowStep(const RegionOutput& output, std::vector<const float*> sources, std::vector<size_t> begin,
          F f)
      : values_(output.values),
        rows_(output.changed.size()),
        sources_(std::move(sources)),
        begin_(std::move(begin)),
        f_(std::move(f)) {}

  void run(const LaneRange& lanes) const override {
    const RowSources sources{sources_.data(), lanes.first};
    for (size_t i = 0; i < rows_; ++i) {
      f_(i, sources.from(begin_[i]), begin_[i + 1] - begin_[i],
         values_ + static_cast<int64_t>(i) * lanes.stride + lanes.first, lanes.count);
    }
  }
  int64_t bytes() const override {
    return static_cast<int64_t>(sources_.size() * 8 + begin_.size() * 8);
  }

  struct RowSources {
    const float* const* pointers;
    int first;
    RowSources from(size_t index) const { return {pointers + index, first}; }
    bool given(size_t index) const { return pointers[index] != nullptr; }
    const float* operator[](size_t index) const { return pointers[index] + first; }
  };

 private:
  float* values_;
  size_t rows_;
  std::vector<const float*> sources_;
  std::vector<size_t> begin_;
  F f_;
};

template <typename F>
std::unique_ptr<RegionStep> make_row_step(const RegionOutput& output,
                                          std::vector<const float*> sources,
                                          std::vector<size_t> begin, F f) {
  return std::make_unique<RowStep<F>>(output, std::move(sources), std::move(begin), std::move(f));
}

/// The rows of the changed elements themselves as sources, one each.
template <typename F>
std::unique_ptr<RegionStep> make_element_step(const RegionTensor& input, const RegionOutput& output,
                                              F f) {
  std::vector<const float*> sources;
  std::vector<size_t> begin{0};
  for (const int32_t element : output.changed) {
    sources.push_back(input.row(element));
    begin.push_back(sources.size());
  }
  return make_row_step(output, std::move(sources), std::move(begin), std::move(f));
}

}  // namespace vigor
