#include "prober.h"

#include <cmath>

#include "error.h"
#include "kernels/kernels.h"

namespace vigor {

ProbeCosts& ProbeCosts::operator+=(const ProbeCosts& other) {
  probes += other.probes;
  macs += other.macs;
  masked += other.masked;
  batches += other.batches;
  lanes += other.lanes;
  plans += other.plans;
  plan_bytes += other.plan_bytes;
  return *this;
}

void Prober::bind(const Golden& golden) {
  golden_ = &golden;
  slopes_.reset();
  rebind();
}

void Prober::run(std::span<const Fault> faults, std::span<Outcome> outcomes) {
  which_.clear();
  for (size_t i = 0; i < faults.size(); ++i) {
    const Fault& fault = faults[i];
    const int tensor = sites_[static_cast<size_t>(fault.site)].tensor;
    if (std::isnan(fault.value)) {
      outcomes[i] = {-1, fault.value, -1, true, false, true, false};
    } else if (fault.value == golden_->value(tensor, fault.element, fault.input)) {
      const Answer& answer = golden_->answer(fault.input);
      outcomes[i] = {answer.top, answer.margin, 0, false, true, false, answer.inf};
    } else {
      which_.push_back(static_cast<int64_t>(i));
    }
  }
  costs_.probes += static_cast<int64_t>(which_.size());
  if (!which_.empty()) probe(faults, which_, outcomes);
  for (const int64_t i : which_) costs_.masked += outcomes[static_cast<size_t>(i)].masked ? 1 : 0;
}

const Slopes& Prober::slopes(int32_t site, int64_t element, const float* values) {
  if (!slopes_ || slopes_site_ != site) {
    slopes_ = std::make_unique<SlopeRunner>(graph_, this->site(site).tensor, *golden_);
    slopes_site_ = site;
  }
  for (int32_t i = 0; i < golden_->count(); ++i) {
    if (golden_->golden_class(i) < 0) continue;
    ++costs_.probes;
    costs_.macs += slopes_->macs();
  }
  return slopes_->run(element, values);
}

Outcome Prober::judge(const float* logits, int64_t stride, int32_t input, bool nan) const {
  const int32_t golden_class = golden_->golden_class(input);
  const Answer answer = read_logits(logits, graph_.classes(), stride, golden_class);
  Outcome outcome{answer.top, answer.margin,     answer.rank, false,
                  false,      nan || answer.nan, answer.inf};
  outcome.critical = outcome.nan || outcome.top != golden_class;
  const float* golden_logits = golden_->values(graph_.logits) + input;
  outcome.masked = !outcome.nan;
  for (int64_t c = 0; c < graph_.classes() && outcome.masked; ++c) {
    outcome.masked = logits[c * stride] == golden_logits[c * golden_->lanes()];
  }
  return outcome;
}

std::unique_ptr<Prober> make_prober(const std::string& kind, const Graph& graph,
                                    const std::vector<Site>& sites, int lanes, int64_t cache) {
  if (lanes < kLaneStep || lanes % kLaneStep != 0 || lanes > kMostLanes) {
    fail("batch", "got {}, expected a multiple of {} up to {}", lanes, kLaneStep, kMostLanes);
  }
  if (kind == "reference") return make_reference_prober(graph, sites);
  if (kind == "suffix") return make_suffix_prober(graph, sites, lanes);
  if (kind == "region") return make_region_prober(graph, sites, lanes, cache);
  fail("prober", "got {}, expected reference, suffix or region", kind);
}

}  // namespace vigor
