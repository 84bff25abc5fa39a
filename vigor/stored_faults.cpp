#include "stored_faults.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "run_head.h"
#include "workers.h"

namespace vigor {

StoredFaults::StoredFaults(const StoredKind& kind, const Graph& graph, const Dataset& data,
                           int64_t inputs, const std::vector<Site>& sites, int threads)
    : format_(NumberFormat::parse(kind.format)),
      fault_(FaultModel::parse(kind.fault, format_.bits())),
      scales_(sites.size()) {
  if (format_.has_scale()) calibrate(graph, data, inputs, sites, threads);
}

void StoredFaults::calibrate(const Graph& graph, const Dataset& data, int64_t inputs,
                             const std::vector<Site>& sites, int threads) {
  for (size_t s = 0; s < sites.size(); ++s) {
    const Shape shape = describe_site(graph, sites[s]).shape;
    const int64_t channels = format_.per_channel() && !shape.empty() ? shape[0] : 1;
    scales_[s].elements = sites[s].population / channels;
    scales_[s].values.resize(static_cast<size_t>(channels));
  }
  const std::vector<SiteScales> nothing = scales_;
  std::mutex mutex;
  const int64_t block = inputs_per_block(graph);
  share_work(threads, (inputs + block - 1) / block, [&](int, int64_t item) {
    const Golden golden = golden_block(graph, data, item * block, inputs);
    std::vector<SiteScales> found = nothing;
    for (size_t s = 0; s < sites.size(); ++s) {
      for (int64_t element = 0; element < sites[s].population; ++element) {
        float& largest = found[s].values[static_cast<size_t>(element / found[s].elements)];
        for (int64_t i = 0; i < golden.count(); ++i) {
          if (golden.golden_class(i) < 0) continue;
          largest = std::max(largest, std::abs(golden.value(sites[s].tensor, element, i)));
        }
      }
    }
    const std::lock_guard lock(mutex);
    for (size_t s = 0; s < sites.size(); ++s) {
      for (size_t c = 0; c < found[s].values.size(); ++c) {
        scales_[s].values[c] = std::max(scales_[s].values[c], found[s].values[c]);
      }
    }
  });
  for (SiteScales& scales : scales_) {
    for (float& value : scales.values) value = format_.scale(value);
  }
}

}  // namespace vigor
