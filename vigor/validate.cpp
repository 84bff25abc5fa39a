#include "validate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analyze.h"
#include "bit_flip.h"
#include "disagreement.h"
#include "error.h"
#include "inject.h"
#include "printable.h"
#include "run_head.h"
#include "verdict.h"
#include "workers.h"

namespace vigor {

namespace {

enum class Range { kNonvulnerable, kBetween, kVulnerable, kBeyond };

class Validator {
 public:
  Validator(const Run& run, bool seen)
      : run_(run), class_inputs_(run.class_inputs()), seen_(seen) {}

  /// Counts a fault. Where a range says otherwise: whether that is the non-vulnerable one.
  std::optional<bool> add(ValidationSite& to, const InjectedFault& fault,
                          int32_t golden_class) const {
    const SiteResult& site = run_.sites[static_cast<size_t>(fault.site)];
    const bool per_class = site.tally.rows > 1;
    if (per_class && class_inputs_[static_cast<size_t>(golden_class)] == 0) {
      ++to.class_not_seen;
      return {};
    }
    const auto& neurons = site.site.neurons;
    const auto k =
        std::lower_bound(neurons.begin(), neurons.end(), fault.element) - neurons.begin();
    const size_t entry = range_entry(site.tally, golden_class, k);
    const float a = flip_bit(fault.value, fault.bit);
    const bool critical = fault.outcome.critical;
    ValidationTally& tally = to.by_input[static_cast<size_t>(fault.input)];
    const Range range = range_of(site.tally, entry, fault.value, a);
    const bool in_nonvulnerable = range == Range::kNonvulnerable;
    const bool in_vulnerable = range == Range::kVulnerable;
    ++tally[kDrawn];
    tally[kNonvulnerable] += in_nonvulnerable;
    tally[kNonvulnerableKept] += in_nonvulnerable && !critical;
    tally[kVulnerable] += in_vulnerable;
    tally[kVulnerableChanged] += in_vulnerable && critical;
    tally[kSettled] += in_nonvulnerable || in_vulnerable;
    tally[kBeyond] += range == Range::kBeyond;
    tally[kChanged] += critical;
    tally[kChangedVulnerable] += critical && in_vulnerable;
    tally[kChangedNotInRange] += critical && !in_nonvulnerable;
    tally[kChangedBeyond] += critical && range == Range::kBeyond;
    tally[kNan] += fault.outcome.nan;
    const bool open =
        !std::isnan(fault.value) && outside(&site.tally.vulnerable[entry], fault.value, a);
    tally[kOpen] += open;
    tally[kOpenChanged] += open && critical;
    if (range != Range::kBeyond) {
      const bool finite = outside(&site.tally.vulnerable_finite[entry], fault.value, a);
      tally[kFinite] += finite;
      tally[kFiniteChanged] += finite && critical;
      if (seen_ && !site.thresholds.empty()) add_own(tally, site, fault, k);
    }
    if (in_nonvulnerable && critical) return true;
    if (in_vulnerable && !critical) return false;
    return {};
  }

 private:
  static Range range_of(const SiteTally& tally, size_t entry, float v, float a) {
    if (!(std::abs(v) <= kMostProbed)) return Range::kBeyond;
    const Verdict verdict = range_verdict(tally, entry, v, a);
    return verdict == Verdict::kSafe       ? Range::kNonvulnerable
           : verdict == Verdict::kCritical ? Range::kVulnerable
                                           : Range::kBetween;
  }

  static void add_own(ValidationTally& tally, const SiteResult& site, const InjectedFault& fault,
                      int64_t k) {
    const float* own =
        &site.thresholds[static_cast<size_t>((fault.input * site.tally.neurons + k) * 4)];
    const Verdict verdict = threshold_verdict(own, fault.value);
    const bool safe = verdict == Verdict::kSafe, critical = verdict == Verdict::kCritical;
    tally[kOwnNonvulnerable] += safe;
    tally[kOwnNonvulnerableKept] += safe && !fault.outcome.critical;
    tally[kOwnVulnerable] += critical;
    tally[kOwnVulnerableChanged] += critical && fault.outcome.critical;
    tally[kOwnSettled] += safe || critical;
  }

  const Run& run_;
  std::vector<int64_t> class_inputs_;
  bool seen_;
};

void count(Disagreements& disagreements, bool nonvulnerable, Cause cause) {
  auto& counts = nonvulnerable ? disagreements.nonvulnerable : disagreements.vulnerable;
  ++counts[static_cast<size_t>(cause)];
}

// What the injection knows.
void finish(ValidationSet& set, const Injection& injection, const Run& run) {
  set.data = injection.data;
  set.data_sha256 = injection.data_sha256;
  set.isa = injection.provenance.isa;
  set.inputs = injection.inputs();
  set.left_out = std::ssize(injection.golden_class) - set.inputs;
  const std::vector<int64_t> class_inputs = run.class_inputs();
  const bool per_class = std::any_of(run.sites.begin(), run.sites.end(),
                                     [](const SiteResult& site) { return site.tally.rows > 1; });
  for (const int32_t c : injection.golden_class) {
    set.inputs_class_not_seen += per_class && c >= 0 && class_inputs[static_cast<size_t>(c)] == 0;
  }
  set.plan = injection.plan;
  set.seed = injection.seed;
  set.seconds = injection.provenance.seconds;
  set.probes = injection.probes;
  for (size_t s = 0; s < set.sites.size(); ++s) {
    ValidationSite& site = set.sites[s];
    site.faults_there_are =
        static_cast<double>(site.site.neurons.size()) * kBits * static_cast<double>(set.inputs);
    site.critical = site_rate(injection, injection.sites[s]);
    site.accuracy_loss = accuracy_loss(injection, injection.sites[s]);
  }
}

}  // namespace

bool holds_inputs_of(const Run& run, const Graph& graph, const Dataset& data) {
  const auto inputs = std::ssize(run.golden_class);
  return data.size() >= inputs && hash_inputs(graph, data, inputs) == run.data_sha256;
}

Validation describe_validation(const Run& run) {
  Validation validation{run.model,
                        run.model_sha256,
                        run.data,
                        run.data_sha256,
                        run.provenance.isa,
                        run.method,
                        run.inputs(),
                        std::all_of(run.sites.begin(), run.sites.end(),
                                    [](const SiteResult& site) { return site.tally.rows > 1; }),
                        {}};
  return validation;
}

ValidationSet validate(const Graph& graph, const Dataset& data, const Run& run,
                       const ValidateOptions& options,
                       const std::function<void(double share)>& advance, UnitLog* log) {
  const std::vector<Site> sites = sites_of_run(run, graph);
  check_data(graph, data);
  if (options.plan.kind == "model")
    fail("plan", "got 'model', expected input, layer or exhaustive");
  const AnalyzeOptions analyzed = parse_analyze_options(run.options, run.seed);
  ValidationSet set;
  set.seen = holds_inputs_of(run, graph, data);

  InjectOptions inject_options;
  inject_options.chosen = sites;
  inject_options.inputs = set.seen ? std::ssize(run.golden_class) : options.inputs;
  inject_options.plan = options.plan;
  inject_options.prober = analyzed.prober;
  inject_options.seed = options.seed;
  inject_options.threads = options.threads;
  const int64_t inputs =
      inject_options.inputs > 0 ? std::min(inject_options.inputs, data.size()) : data.size();
  const int threads = options.threads > 0 ? options.threads : available_cores();
  const RunHead head = describe_run(graph, data, inputs, threads);
  for (const SiteResult& site : run.sites) {
    ValidationSite& to = set.sites.emplace_back();
    static_cast<SiteHead&>(to) = static_cast<const SiteHead&>(site);
    to.lvf = lvf(site, run.inputs());
    to.by_input.resize(static_cast<size_t>(inputs));
    set.own_thresholds |= set.seen && !site.thresholds.empty();
  }
  const Validator validator(run, set.seen);
  std::vector<Disagreement> examined;
  InjectProgress progress{advance, {}};
  progress.faults = [&](std::span<const InjectedFault> faults, const std::vector<Site>&) {
    for (const InjectedFault& fault : faults) {
      ValidationSite& site = set.sites[static_cast<size_t>(fault.site)];
      const int32_t golden_class = head.golden_class[static_cast<size_t>(fault.input)];
      const std::optional<bool> wrong = validator.add(site, fault, golden_class);
      if (!wrong) continue;
      if (std::ssize(examined) < options.most_examined) {
        examined.push_back({fault, *wrong});
      } else {
        count(site.disagreements, *wrong, Cause::kNotExamined);
      }
    }
  };
  const Injection injection = inject(graph, data, inject_options, nullptr, progress, log);
  const std::vector<Cause> found =
      causes(graph, data, inject_options.chosen, examined, Lattice(analyzed.tolerance_bits),
             analyzed.prober, threads);
  for (size_t d = 0; d < found.size(); ++d) {
    ValidationSite& site = set.sites[static_cast<size_t>(examined[d].fault.site)];
    count(site.disagreements, examined[d].nonvulnerable, found[d]);
  }
  finish(set, injection, run);
  return set;
}

}  // namespace vigor
