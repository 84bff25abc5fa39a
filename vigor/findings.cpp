#include "findings.h"

#include <algorithm>
#include <numeric>

#include "neuron_blocks.h"
#include "tally_part.h"

namespace vigor {

namespace {

void put_neurons(Part& part, size_t site, const std::vector<int64_t>& numbers,
                 const SiteTally& tally) {
  part.put(static_cast<int64_t>(site));
  part.put(std::ssize(numbers));
  part.put(numbers);
  put_tally(part, tally);
}

std::vector<int64_t> first_numbers(int64_t count) {
  std::vector<int64_t> numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

Findings::Findings(const Graph& graph, Run& run, UnitSize size, bool pending)
    : run_(run),
      block_(size.inputs),
      blocks_((std::ssize(run.golden_class) + block_ - 1) / block_),
      keeps_pending_(pending) {
  for (size_t s = 0; s < run.sites.size(); ++s) {
    for (auto& numbers : neuron_blocks(graph, run.sites[s].site, size.neurons)) {
      neurons_.push_back({s, std::move(numbers)});
    }
  }
}

int64_t Findings::inputs_of(int64_t unit) const {
  return std::min(block_, std::ssize(run_.golden_class) - first_input(unit));
}

// The thresholds of neuron k of a unit for one of its inputs: [side, (safe, unsafe)].
float* Findings::kept(int64_t unit, int64_t k, int64_t input) {
  const auto& [s, numbers] = neurons(unit);
  SiteResult& site = run_.sites[s];
  const int64_t row = (first_input(unit) + input) * site.tally.neurons;
  return site.thresholds.data() + 4 * (row + numbers[static_cast<size_t>(k)]);
}

void Findings::add(int64_t unit, const SiteTally& tally, const std::vector<Threshold>& thresholds) {
  const auto& [s, numbers] = neurons(unit);
  SiteResult& site = run_.sites[s];
  site.tally.merge(tally, numbers);
  const Threshold* from = thresholds.data();
  for (int64_t k = 0; !site.thresholds.empty() && k < tally.neurons; ++k) {
    for (int64_t i = 0; i < inputs_of(unit); ++i) {
      float* to = kept(unit, k, i);
      for (int side = 0; side < 2; ++side, ++from) {
        *to++ = from->safe;
        *to++ = from->unsafe;
      }
    }
  }
  if (!keeps_pending_) return;
  pending_.try_emplace(unit % std::ssize(neurons_), tally.neurons, tally.rows, run_.has_factors)
      .first->second.merge(tally, first_numbers(tally.neurons));
}

void Findings::put_thresholds(Part& part) {
  for (const int64_t unit : part.units) {
    const auto& [s, numbers] = neurons(unit);
    if (run_.sites[s].thresholds.empty()) continue;
    for (int64_t k = 0; k < std::ssize(numbers); ++k) {
      for (int64_t i = 0; i < inputs_of(unit); ++i) {
        const float* four = kept(unit, k, i);
        part.floats.insert(part.floats.end(), four, four + 4);
      }
    }
  }
}

void Findings::pack(Part& part) {
  part.put(std::ssize(pending_));
  for (const auto& [number, tally] : pending_) {
    const auto& [s, numbers] = neurons_[static_cast<size_t>(number)];
    put_neurons(part, s, numbers, tally);
  }
  put_thresholds(part);
  pending_.clear();
}

void Findings::pack_all(Part& part) {
  part.put(std::ssize(run_.sites));
  for (size_t s = 0; s < run_.sites.size(); ++s) {
    const SiteTally& tally = run_.sites[s].tally;
    put_neurons(part, s, first_numbers(tally.neurons), tally);
  }
  put_thresholds(part);
}

void Findings::unpack(const Part& part) {
  struct Found {
    SiteTally* site;
    std::vector<int64_t> numbers;
    SiteTally tally;
  };
  PartReader reader(part);
  std::vector<Found> found;
  for (int64_t left = reader.get(units()); left > 0; --left) {
    const auto s = static_cast<size_t>(reader.get(std::ssize(run_.sites) - 1));
    SiteTally& site = run_.sites[s].tally;
    std::vector<int64_t> numbers;
    for (int64_t count = reader.get(site.neurons); count > 0; --count) {
      numbers.push_back(reader.get(site.neurons - 1));
    }
    const int64_t count = std::ssize(numbers);
    found.push_back(
        {&site, std::move(numbers), get_tally(reader, count, site.rows, run_.has_factors)});
  }
  // Thresholds of a part that is refused are overwritten when its units are redone.
  std::vector<float> four(4);
  for (const int64_t unit : part.units) {
    const auto& [s, numbers] = neurons(unit);
    if (run_.sites[s].thresholds.empty()) continue;
    for (int64_t k = 0; k < std::ssize(numbers); ++k) {
      for (int64_t i = 0; i < inputs_of(unit); ++i) {
        reader.get(four);
        std::copy(four.begin(), four.end(), kept(unit, k, i));
      }
    }
  }
  reader.finish();
  for (const Found& neurons : found) neurons.site->merge(neurons.tally, neurons.numbers);
}

}  // namespace vigor
