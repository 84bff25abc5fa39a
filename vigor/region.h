// Region rules: what of an operator's output changes with some elements of its operands, and how to
// compute just that.
//
// A plan serves any number of batches: its steps read and write changed rows (one element in all
// lanes) at fixed places; golden rows they gather for each batch, whose lanes may show any inputs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "aligned.h"
#include "execute.h"
#include "kernels/kernels.h"

namespace vigor {

/// What steps work on: lanes [0, count) of rows of `stride` floats, count a multiple of kLaneStep.
struct LaneBatch {
  const Golden* golden;
  const int32_t* inputs;  // that each lane shows
  int count, stride;
  uint8_t* nan = nullptr;  // per lane: a step that marks_nan() puts 1 where it made one

  /// A golden row: input i at [i].
  const float* golden_row(int storage, int64_t element) const {
    return golden->values(storage) + element * golden->lanes();
  }
  /// The same as the lanes show it.
  void gather(int storage, int64_t element, float* row) const {
    kernels().gather(golden_row(storage, element), golden->lanes(), inputs, count, row);
  }
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

/// A row that a step reads: a changed one, or else a golden one to be gathered.
struct RowSource {
  const float* changed = nullptr;
  int32_t storage = -1, element = -1;
};

/// An operand as a plan sees it, while it is made.
struct RegionTensor {
  int32_t storage;
  std::span<const int32_t> changed;  // elements, ascending
  const float* values;               // [changed][stride]
  const int32_t* row_of;             // per element: its row in `values`, or -1
  int64_t size, stride;

  RowSource row(int64_t element) const {
    if (row_of[element] >= 0) return {values + row_of[element] * stride, -1, -1};
    return {nullptr, storage, static_cast<int32_t>(element)};
  }
};

/// Where a step writes: the rows of the changed elements, one after the other.
struct RegionOutput {
  int32_t storage;
  std::span<const int32_t> changed;
  float* values;
  int64_t stride;
  RowArena* arena;       // for a step's own rows
  bool rectify = false;  // the step's sums end in a ReLU: Op::rectifies()

  float* row(size_t index) const { return values + static_cast<int64_t>(index) * stride; }
};

class RegionStep {
 public:
  virtual ~RegionStep() = default;
  virtual void run(const LaneBatch& batch) const = 0;
  /// Multiply-accumulates per lane.
  virtual int64_t macs() const { return 0; }
  /// Size of its tables in bytes.
  virtual int64_t bytes() const = 0;
  /// Nobody else has to look for NaN in its rows: it marks them itself, or makes none of its own.
  virtual bool marks_nan() const { return false; }
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

/// The rows that a changed one is computed from, null where none is given.
using RowPointers = std::span<const float* const>;

/// Whether a step's rows can hold a NaN where the rows that it reads hold none.
enum class NewNan : bool { kNever, kPossible };

/// A step that computes each changed row from rows of its own: f(row index, rows, out, count).
template <typename F>
class RowStep final : public RegionStep {
 public:
  /// Row i reads sources[begin[i]] to sources[begin[i + 1]].
  RowStep(const RegionOutput& output, std::vector<RowSource> sources, std::vector<size_t> begin,
          NewNan nan, F f)
      : values_(output.values),
        nan_(nan),
        sources_(std::move(sources)),
        begin_(std::move(begin)),
        f_(std::move(f)) {
    size_t most = 0;
    size_t most_golden = 0;
    for (size_t i = 0; i + 1 < begin_.size(); ++i) {
      size_t golden = 0;
      for (size_t s = begin_[i]; s < begin_[i + 1]; ++s) golden += sources_[s].storage >= 0;
      most = std::max(most, begin_[i + 1] - begin_[i]);
      most_golden = std::max(most_golden, golden);
    }
    pointers_.resize(most);
    gathered_ = output.arena->take(static_cast<int64_t>(most_golden) * output.stride);
  }

  void run(const LaneBatch& batch) const override {
    for (size_t i = 0; i + 1 < begin_.size(); ++i) {
      float* golden = gathered_;
      for (size_t s = begin_[i]; s < begin_[i + 1]; ++s) {
        const RowSource& source = sources_[s];
        pointers_[s - begin_[i]] = source.changed;
        if (source.storage < 0) continue;
        batch.gather(source.storage, source.element, golden);
        pointers_[s - begin_[i]] = golden;
        golden += batch.stride;
      }
      f_(i, RowPointers(pointers_.data(), begin_[i + 1] - begin_[i]),
         values_ + static_cast<int64_t>(i) * batch.stride, batch.count);
    }
  }
  int64_t bytes() const override {
    return static_cast<int64_t>(sources_.size() * sizeof(RowSource) + begin_.size() * 8);
  }
  bool marks_nan() const override { return nan_ == NewNan::kNever; }

 private:
  float* values_;
  NewNan nan_;
  std::vector<RowSource> sources_;
  std::vector<size_t> begin_;
  F f_;
  float* gathered_;                             // room for the golden sources of one row
  mutable std::vector<const float*> pointers_;  // of one row's sources
};

template <typename F>
std::unique_ptr<RegionStep> make_row_step(const RegionOutput& output,
                                          std::vector<RowSource> sources, std::vector<size_t> begin,
                                          NewNan nan, F f) {
  return std::make_unique<RowStep<F>>(output, std::move(sources), std::move(begin), nan,
                                      std::move(f));
}

/// The rows of the changed elements themselves as sources, one each.
template <typename F>
std::unique_ptr<RegionStep> make_element_step(const RegionTensor& input, const RegionOutput& output,
                                              NewNan nan, F f) {
  std::vector<RowSource> sources;
  std::vector<size_t> begin{0};
  for (const int32_t element : output.changed) {
    sources.push_back(input.row(element));
    begin.push_back(sources.size());
  }
  return make_row_step(output, std::move(sources), std::move(begin), nan, std::move(f));
}

}  // namespace vigor
