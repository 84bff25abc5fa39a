#include "findings.h"

#include <algorithm>

#include "tally_part.h"
#include "unit.h"

namespace vigor {

namespace {

void put_neurons(Part& part, size_t site, int64_t first, const SiteTally& tally) {
  part.put(static_cast<int64_t>(site));
  part.put(first);
  part.put(tally.neurons);
  put_tally(part, tally);
}

}  // namespace

Findings::Findings(Run& run, int64_t inputs_per_block, bool pending)
    : run_(run),
      block_(inputs_per_block),
      blocks_((std::ssize(run.golden_class) + block_ - 1) / block_),
      keeps_pending_(pending) {
  for (size_t s = 0; s < run.sites.size(); ++s) {
    const int64_t neurons = run.sites[s].tally.neurons;
    for (int64_t first = 0; first < neurons; first += kUnitNeurons) {
      spans_.push_back({s, first, std::min(kUnitNeurons, neurons - first)});
    }
  }
}

int64_t Findings::inputs_of(int64_t unit) const {
  return std::min(block_, std::ssize(run_.golden_class) - first_input(unit));
}

// The thresholds of neuron k of a unit for one of its inputs: [side, (safe, unsafe)].
float* Findings::kept(int64_t unit, int64_t k, int64_t input) {
  SiteResult& site = run_.sites[span(unit).site];
  const int64_t row = (first_input(unit) + input) * site.tally.neurons + span(unit).first + k;
  return site.thresholds.data() + 4 * row;
}

void Findings::add(int64_t unit, const SiteTally& tally, const std::vector<Threshold>& thresholds) {
  const UnitSpan& span = this->span(unit);
  SiteResult& site = run_.sites[span.site];
  site.tally.merge(tally, span.first);
  const Threshold* from = thresholds.data();
  for (int64_t k = 0; !site.thresholds.empty() && k < span.count; ++k) {
    for (int64_t i = 0; i < inputs_of(unit); ++i) {
      float* to = kept(unit, k, i);
      for (int side = 0; side < 2; ++side, ++from) {
        *to++ = from->safe;
        *to++ = from->unsafe;
      }
    }
  }
  if (!keeps_pending_) return;
  pending_.try_emplace(unit % std::ssize(spans_), tally.neurons, tally.rows)
      .first->second.merge(tally, 0);
}

void Findings::put_thresholds(Part& part) {
  for (const int64_t unit : part.units) {
    if (run_.sites[span(unit).site].thresholds.empty()) continue;
    for (int64_t k = 0; k < span(unit).count; ++k) {
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
    const UnitSpan& span = spans_[static_cast<size_t>(number)];
    put_neurons(part, span.site, span.first, tally);
  }
  put_thresholds(part);
  pending_.clear();
}

void Findings::pack_all(Part& part) {
  part.put(std::ssize(run_.sites));
  for (size_t s = 0; s < run_.sites.size(); ++s) put_neurons(part, s, 0, run_.sites[s].tally);
  put_thresholds(part);
}

void Findings::unpack(const Part& part) {
  struct Found {
    SiteTally* site;
    int64_t first;
    SiteTally tally;
  };
  PartReader reader(part);
  std::vector<Found> found;
  for (int64_t left = reader.get(units()); left > 0; --left) {
    const auto s = static_cast<size_t>(reader.get(std::ssize(run_.sites) - 1));
    SiteTally& site = run_.sites[s].tally;
    const int64_t first = reader.get(site.neurons);
    const int64_t count = reader.get(site.neurons - first);
    found.push_back({&site, first, get_tally(reader, count, site.rows)});
  }
  // Thresholds of a part that is refused are overwritten when its units are redone.
  std::vector<float> four(4);
  for (const int64_t unit : part.units) {
    if (run_.sites[span(unit).site].thresholds.empty()) continue;
    for (int64_t k = 0; k < span(unit).count; ++k) {
      for (int64_t i = 0; i < inputs_of(unit); ++i) {
        reader.get(four);
        std::copy(four.begin(), four.end(), kept(unit, k, i));
      }
    }
  }
  reader.finish();
  for (const Found& neurons : found) neurons.site->merge(neurons.tally, neurons.first);
}

}  // namespace vigor
