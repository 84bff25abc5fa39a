#include "injection_part.h"

#include <algorithm>
#include <array>

namespace vigor {

namespace {

template <typename Tally>
auto class_counts(Tally& tally) {
  return std::array{&tally.faults, &tally.critical, &tally.masked, &tally.benign,
                    &tally.top5,   &tally.nan,      &tally.inf};
}

template <typename Tally>
auto input_counts(Tally& tally) {
  return std::array{&tally.input_faults, &tally.input_critical, &tally.input_nan,
                    &tally.input_correct, &tally.input_encoded};
}

// Rows of `width` values of all arrays, where the first array has any.
template <typename Arrays>
void put_rows(Part& part, const Arrays& arrays, size_t width) {
  const auto& first = *arrays.front();
  std::vector<size_t> rows;
  for (size_t begin = 0; begin < first.size(); begin += width) {
    const auto* row = first.data() + begin;
    if (std::any_of(row, row + width, [](int64_t n) { return n != 0; })) rows.push_back(begin);
  }
  part.put(std::ssize(rows));
  for (const size_t begin : rows) {
    part.put(static_cast<int64_t>(begin / width));
    for (const auto* values : arrays) {
      for (size_t i = begin; i < begin + width; ++i) part.put((*values)[i]);
    }
  }
}

template <typename Arrays>
void get_rows(PartReader& reader, const Arrays& arrays, size_t width) {
  const auto rows = static_cast<int64_t>(arrays.front()->size() / width);
  std::vector<int64_t> row(width);
  for (int64_t left = reader.get(rows); left > 0; --left) {
    const auto begin = static_cast<std::ptrdiff_t>(width) * reader.get(rows - 1);
    for (auto* values : arrays) {
      reader.get(row);
      std::copy(row.begin(), row.end(), values->begin() + begin);
    }
  }
}

constexpr int64_t kCritical = 1, kMasked = 2, kNan = 4, kInf = 8;

int64_t packed(const Outcome& o) {
  const int64_t flags = (o.critical ? kCritical : 0) | (o.masked ? kMasked : 0) |
                        (o.nan ? kNan : 0) | (o.inf ? kInf : 0);
  return (int64_t{o.top} + 1) << 31 | (int64_t{o.rank} + 1) << 4 | flags;
}

Outcome unpacked(int64_t value) {
  Outcome outcome;
  outcome.top = static_cast<int32_t>((value >> 31) - 1);
  outcome.rank = static_cast<int32_t>((value >> 4 & ((1 << 27) - 1)) - 1);
  outcome.critical = (value & kCritical) != 0;
  outcome.masked = (value & kMasked) != 0;
  outcome.nan = (value & kNan) != 0;
  outcome.inf = (value & kInf) != 0;
  return outcome;
}

}  // namespace

void put_tally(Part& part, const InjectionTally& tally) {
  put_rows(part, class_counts(tally), kFaultBins);
  put_rows(part, input_counts(tally), 1);
}

InjectionTally get_injection_tally(PartReader& reader, int64_t classes, int64_t inputs) {
  InjectionTally tally(classes, inputs);
  get_rows(reader, class_counts(tally), kFaultBins);
  get_rows(reader, input_counts(tally), 1);
  return tally;
}

void put_outcomes(Part& part, std::span<const Outcome> outcomes) {
  part.put(std::ssize(outcomes));
  for (const Outcome& outcome : outcomes) part.put(packed(outcome));
}

std::vector<Outcome> get_outcomes(PartReader& reader) {
  std::vector<int64_t> values(static_cast<size_t>(reader.get(reader.left())));
  reader.get(values);
  std::vector<Outcome> outcomes;
  outcomes.reserve(values.size());
  for (const int64_t value : values) outcomes.push_back(unpacked(value));
  return outcomes;
}

}  // namespace vigor
