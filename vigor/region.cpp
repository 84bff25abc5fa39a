#include "region.h"

#include <algorithm>

#include "error.h"

namespace vigor {

namespace {

// Terms and sets of outputs worked on together, so that their rows stay in the caches.
constexpr size_t kTermBlock = 1152;
constexpr size_t kSetBlock = 4;

alignas(64) constexpr float kZeroRow[1024] = {};

class MixStep final : public RegionStep {
 public:
  struct Set {
    const PackedRows* packed;
    const float* bias;   // null: starts from golden outputs
    const float* start;  // golden output of row 0
    float* out;          // changed output of row 0
    int64_t start_stride, out_stride;
    size_t begin, end;  // in taps
  };
  struct Difference {
    const float* changed;
    const float* golden;
    float* out;
  };

  MixStep(std::vector<Set> sets, std::vector<Tap> taps, std::vector<Difference> differences)
      : sets_(std::move(sets)), taps_(std::move(taps)), differences_(std::move(differences)) {
    for (const Set& set : sets_) {
      macs_ += static_cast<int64_t>(set.end - set.begin) * set.packed->rows();
    }
  }

  void run(const LaneRange& lanes) const override {
    const Kernels& set = kernels();
    for (const Difference& d : differences_) {
      set.subtract(d.changed + lanes.first, d.golden + lanes.first, d.out + lanes.first,
                   lanes.count);
    }
    for (size_t first = 0; first < sets_.size();) {
      size_t last = first + 1;
      size_t longest = sets_[first].end - sets_[first].begin;
      while (last < sets_.size() && last < first + kSetBlock &&
             sets_[last].packed == sets_[first].packed) {
        longest = std::max(longest, sets_[last].end - sets_[last].begin);
        ++last;
      }
      for (size_t t = 0; t == 0 || t < longest; t += kTermBlock) sum(first, last, t, lanes);
      first = last;
    }
  }

  int64_t macs() const override { return macs_; }
  int64_t bytes() const override {
    return static_cast<int64_t>(sets_.size() * sizeof(Set) + taps_.size() * sizeof(Tap) +
                                differences_.size() * sizeof(Difference));
  }

 private:
  // Terms t to t + kTermBlock of sets [first, last).
  void sum(size_t first, size_t last, size_t t, const LaneRange& lanes) const {
    const Kernels& set = kernels();
    const PackedRows& packed = *sets_[first].packed;
    for (int64_t b = 0; b < packed.blocks(); ++b) {
      const auto [row, rows, weights] = packed.block(b);
      for (size_t s = first; s < last; ++s) {
        const Set& outputs = sets_[s];
        const size_t count = outputs.end - outputs.begin;
        if (t > 0 && t >= count) continue;
        float* out = outputs.out + row * outputs.out_stride;
        const Tap* taps = taps_.data() + outputs.begin + t;
        const auto terms = static_cast<int64_t>(std::min(kTermBlock, count - t));
        const float* start = t > 0 ? out : outputs.start + row * outputs.start_stride;
        const int64_t start_stride = t > 0 ? outputs.out_stride : outputs.start_stride;
        const float* bias = t == 0 && outputs.bias ? outputs.bias + row : nullptr;
        set.multiply_taps(weights, bias, start, start_stride, rows, taps, terms, lanes.first,
                          lanes.count, out, outputs.out_stride);
      }
    }
  }

  std::vector<Set> sets_;
  std::vector<Tap> taps_;
  std::vector<Difference> differences_;
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
  std::vector<MixStep::Difference> differences;
  if (!anew_) {
    const auto count = static_cast<int64_t>(input_.changed.size());
    float* rows = output_.arena->take(count * input_.stride);
    for (int64_t i = 0; i < count; ++i) {
      differences.push_back({input_.values + i * input_.stride,
                             input_.golden_row(input_.changed[static_cast<size_t>(i)]),
                             rows + i * input_.stride});
    }
  }
  // Terms sorted by set, their order kept.
  std::vector<size_t> begin(outputs_.size() + 1, 0);
  for (const Term& term : terms_) ++begin[static_cast<size_t>(term.set) + 1];
  for (size_t s = 0; s < outputs_.size(); ++s) begin[s + 1] += begin[s];
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  std::vector<Tap> taps(terms_.size());
  for (const Term& term : terms_) {
    const float* row = nullptr;
    if (!anew_) {
      row = differences[static_cast<size_t>(input_.row_of[term.element])].out;
    } else {
      row = term.element < 0 ? kZeroRow : input_.row(term.element);
    }
    taps[next[static_cast<size_t>(term.set)]++] = {term.term, row};
  }
  std::vector<MixStep::Set> sets;
  for (size_t s = 0; s < outputs_.size(); ++s) {
    const Outputs& o = outputs_[s];
    sets.push_back({o.packed, anew_ ? o.bias : nullptr,
                    output_.golden + o.golden_element * output_.stride,
                    output_.values + o.out_row * output_.stride, o.golden_step * output_.stride,
                    o.out_step * output_.stride, begin[s], begin[s + 1]});
  }
  return std::make_unique<MixStep>(std::move(sets), std::move(taps), std::move(differences));
}

}  // namespace vigor
