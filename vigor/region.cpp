#include "region.h"

#include <algorithm>

#include "error.h"

namespace vigor {

namespace {

// Terms and sets of outputs worked on together, so that their rows stay in the caches.
constexpr size_t kTermBlock = 1152;
constexpr size_t kSetBlock = 4;

alignas(64) constexpr float kZeroRow[kMostLanes] = {};

class MixStep final : public RegionStep {
 public:
  struct Set {
    const PackedRows* packed;
    const float* bias;    // null: starts from golden outputs
    RowSource start;      // golden output of row 0
    int64_t golden_step;  // elements from there to the next row
    float* out;           // changed output of row 0
    int64_t out_stride;
    size_t begin, end;  // in taps
  };
  // A golden row, gathered; with `changed`, the difference of that to it.
  struct Gathered {
    RowSource golden;
    const float* changed;
    float* out;
  };

  MixStep(std::vector<Set> sets, std::vector<Tap> taps, std::vector<Gathered> gathered,
          bool rectify)
      : sets_(std::move(sets)),
        taps_(std::move(taps)),
        gathered_(std::move(gathered)),
        rectify_(rectify) {
    for (const Set& set : sets_) {
      macs_ += static_cast<int64_t>(set.end - set.begin) * set.packed->rows();
    }
  }

  void run(const LaneBatch& batch) const override {
    for (const Gathered& g : gathered_) {
      if (!g.changed) {
        batch.gather(g.golden.storage, g.golden.element, g.out);
        continue;
      }
      kernels().difference(g.changed, batch.golden_row(g.golden.storage, g.golden.element),
                           batch.golden->lanes(), batch.inputs, batch.count, g.out);
    }
    for (size_t first = 0; first < sets_.size();) {
      size_t last = first + 1;
      size_t longest = sets_[first].end - sets_[first].begin;
      while (last < sets_.size() && last < first + kSetBlock &&
             sets_[last].packed == sets_[first].packed) {
        longest = std::max(longest, sets_[last].end - sets_[last].begin);
        ++last;
      }
      for (size_t t = 0; t == 0 || t < longest; t += kTermBlock) sum(first, last, t, batch);
      first = last;
    }
  }

  int64_t macs() const override { return macs_; }
  bool marks_nan() const override { return true; }
  int64_t bytes() const override {
    return static_cast<int64_t>(sets_.size() * sizeof(Set) + taps_.size() * sizeof(Tap) +
                                gathered_.size() * sizeof(Gathered));
  }

 private:
  // Terms t to t + kTermBlock of sets [first, last).
  void sum(size_t first, size_t last, size_t t, const LaneBatch& batch) const {
    const PackedRows& packed = *sets_[first].packed;
    for (int64_t b = 0; b < packed.blocks(); ++b) {
      const auto [row, rows, weights] = packed.block(b);
      for (size_t s = first; s < last; ++s) {
        const Set& set = sets_[s];
        const size_t count = set.end - set.begin;
        if (t > 0 && t >= count) continue;
        SumStart start{};
        if (t > 0) {
          start.rows = set.out + row * set.out_stride;
          start.stride = set.out_stride;
        } else if (set.bias) {
          start.bias = set.bias + row;
        } else {
          start.rows =
              batch.golden_row(set.start.storage, set.start.element + row * set.golden_step);
          start.stride = set.golden_step * batch.golden->lanes();
          start.from = batch.inputs;
          start.from_lanes = batch.golden->lanes();
        }
        const bool last = t + kTermBlock >= count;
        kernels().multiply_taps(weights, start, rows, taps_.data() + set.begin + t,
                                static_cast<int64_t>(std::min(kTermBlock, count - t)), batch.count,
                                {last ? batch.nan : nullptr, last && rectify_},
                                set.out + row * set.out_stride, set.out_stride);
      }
    }
  }

  std::vector<Set> sets_;
  std::vector<Tap> taps_;
  std::vector<Gathered> gathered_;
  bool rectify_;
  int64_t macs_ = 0;
};

}  // namespace

RowArena::RowArena(int64_t floats)
    : data_(AlignedAllocator<float>().allocate(static_cast<size_t>(floats))), size_(floats) {}

float* RowArena::take(int64_t floats) {
  if (floats > size_ - used_) fail("region", "arena of {} floats is full", size_);
  float* place = data_.get() + used_;
  used_ += floats;
  return place;
}

int32_t MixPlan::begin(const Outputs& outputs) {
  outputs_.push_back(outputs);
  return static_cast<int32_t>(outputs_.size()) - 1;
}

bool MixPlan::anew() {
  int64_t all = 0;
  for (const Outputs& outputs : outputs_) all += outputs.packed->terms();
  anew_ = 4 * static_cast<int64_t>(terms_.size()) >= 3 * all;
  if (anew_) {
    terms_.clear();
    terms_.reserve(static_cast<size_t>(all));
  }
  return anew_;
}

std::unique_ptr<RegionStep> MixPlan::finish() {
  std::vector<MixStep::Gathered> gathered;
  const auto gather = [&](int64_t element, const float* changed) {
    float* row = output_.arena->take(input_.stride);
    gathered.push_back({{nullptr, input_.storage, static_cast<int32_t>(element)}, changed, row});
    return row;
  };
  // Rows of the terms: differences of the changed elements, or every element that is read.
  std::vector<const float*> golden_rows;
  if (anew_) {
    golden_rows.resize(static_cast<size_t>(input_.size), nullptr);
  } else {
    for (const int32_t element : input_.changed) gather(element, input_.row(element).changed);
  }
  const auto row_of = [&](int64_t element) -> const float* {
    if (element < 0) return kZeroRow;
    const int32_t changed = input_.row_of[element];
    if (!anew_) return gathered[static_cast<size_t>(changed)].out;
    if (changed >= 0) return input_.values + changed * input_.stride;
    const float*& golden = golden_rows[static_cast<size_t>(element)];
    if (!golden) golden = gather(element, nullptr);
    return golden;
  };
  // Terms sorted by set, their order kept.
  std::vector<size_t> begin(outputs_.size() + 1, 0);
  for (const Term& term : terms_) ++begin[static_cast<size_t>(term.set) + 1];
  for (size_t s = 0; s < outputs_.size(); ++s) begin[s + 1] += begin[s];
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  std::vector<Tap> taps(terms_.size());
  for (const Term& term : terms_) {
    taps[next[static_cast<size_t>(term.set)]++] = {term.term, row_of(term.element)};
  }
  std::vector<MixStep::Set> sets;
  for (size_t s = 0; s < outputs_.size(); ++s) {
    const Outputs& o = outputs_[s];
    sets.push_back({o.packed,
                    anew_ ? o.bias : nullptr,
                    {nullptr, output_.storage, static_cast<int32_t>(o.golden_element)},
                    o.golden_step,
                    output_.values + o.out_row * output_.stride,
                    o.out_step * output_.stride,
                    begin[s],
                    begin[s + 1]});
  }
  return std::make_unique<MixStep>(std::move(sets), std::move(taps), std::move(gathered),
                                   output_.rectify);
}

}  // namespace vigor
