#include "run.h"

#include <algorithm>
#include <limits>

namespace vigor {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> pairs(int64_t count, double lower, double upper) {
  std::vector<double> values(static_cast<size_t>(2 * count));
  for (size_t i = 0; i < values.size(); i += 2) {
    values[i] = lower;
    values[i + 1] = upper;
  }
  return values;
}

template <typename T>
void add(std::vector<T>& sum, const std::vector<T>& part) {
  for (size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
}

// Rows of `width` values, row k of the part to row numbers[k] of the sum.
template <typename T>
void add(std::vector<T>& sum, const std::vector<T>& part, std::span<const int64_t> numbers,
         size_t width) {
  for (size_t i = 0; i < part.size(); ++i) {
    sum[static_cast<size_t>(numbers[i / width]) * width + i % width] += part[i];
  }
}

// (lower, upper) pairs: keeps the greater lower and the lesser upper, or the other way round.
template <typename T>
void narrow(T* sum, const T* part) {
  sum[0] = std::max(sum[0], part[0]);
  sum[1] = std::min(sum[1], part[1]);
}
template <typename T>
void widen(T* sum, const T* part) {
  sum[0] = std::min(sum[0], part[0]);
  sum[1] = std::max(sum[1], part[1]);
}

}  // namespace

SiteTally::SiteTally(int64_t neurons, int64_t rows, bool flips)
    : neurons(neurons),
      rows(rows),
      nonvulnerable(pairs(neurons * rows, -kInfinity, kInfinity)),
      vulnerable(pairs(neurons * rows, kInfinity, -kInfinity)),
      vulnerable_finite(vulnerable),
      finite(static_cast<size_t>(neurons * rows * 2)),
      critical(static_cast<size_t>(flips ? neurons * kBits : 0)),
      critical_nan(critical),
      critical_beyond(critical),
      critical_low(critical),
      critical_high(critical),
      contradictions(static_cast<size_t>(neurons)),
      probes(contradictions),
      overflow(flips ? contradictions : std::vector<int64_t>()),
      histogram(flips ? 2 * kHistogramBins : 0),
      paper(static_cast<size_t>(neurons * kPaperCounts)) {
  const auto extremes = pairs(neurons * rows, kInfinity, -kInfinity);
  golden.assign(extremes.begin(), extremes.end());
}

void SiteTally::merge(const SiteTally& part, std::span<const int64_t> numbers) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t k = 0; k < part.neurons; ++k) {
      const auto to = static_cast<size_t>(2 * (row * neurons + numbers[static_cast<size_t>(k)]));
      const auto from = static_cast<size_t>(2 * (row * part.neurons + k));
      narrow(&nonvulnerable[to], &part.nonvulnerable[from]);
      widen(&vulnerable[to], &part.vulnerable[from]);
      widen(&vulnerable_finite[to], &part.vulnerable_finite[from]);
      widen(&golden[to], &part.golden[from]);
      finite[to] += part.finite[from];
      finite[to + 1] += part.finite[from + 1];
    }
  }
  for (auto member : {&SiteTally::critical, &SiteTally::critical_nan, &SiteTally::critical_beyond,
                      &SiteTally::critical_low, &SiteTally::critical_high}) {
    add(this->*member, part.*member, numbers, kBits);
  }
  for (auto member : {&SiteTally::contradictions, &SiteTally::probes, &SiteTally::overflow}) {
    add(this->*member, part.*member, numbers, 1);
  }
  add(histogram, part.histogram);
  add(paper, part.paper, numbers, kPaperCounts);
  audited += part.audited;
  disagreements += part.disagreements;
  macs += part.macs;
}

std::array<int64_t, kPaperCounts> SiteTally::paper_sums() const {
  std::array<int64_t, kPaperCounts> sums{};
  for (size_t i = 0; i < paper.size(); ++i) sums[i % kPaperCounts] += paper[i];
  return sums;
}

bool class_rows_fit(const Graph& graph, int64_t neurons) {
  return neurons * (graph.classes() + 1) <= (int64_t{256} << 20) / kRangeBytes;
}

int64_t RunHead::inputs() const {
  return std::count_if(golden_class.begin(), golden_class.end(), [](int32_t c) { return c >= 0; });
}

std::vector<int64_t> RunHead::class_inputs() const {
  std::vector<int64_t> counts(static_cast<size_t>(classes) + 1, 0);
  for (const int32_t c : golden_class) {
    if (c < 0) continue;
    ++counts[static_cast<size_t>(c)];
    ++counts.back();
  }
  return counts;
}

}  // namespace vigor
