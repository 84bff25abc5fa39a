#include "tables.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "error.h"
#include "export.h"
#include "factors.h"
#include "printable.h"
#include "text_table.h"

namespace vigor {

namespace {

std::string site_name(const SiteResult& site) { return shortened(site.site.name, 24); }

std::string number(double value) { return fmt::format("{:.4g}", value); }

std::string neurons_of(const SiteResult& site) {
  return site.tally.neurons == site.site.population
             ? fmt::format("{}", site.site.population)
             : fmt::format("{} of {}", site.tally.neurons, site.site.population);
}

std::vector<size_t> worst_bits(const std::array<double, kBits>& means) {
  std::vector<size_t> bits(kBits);
  std::iota(bits.rbegin(), bits.rend(), size_t{0});
  std::stable_sort(bits.begin(), bits.end(),
                   [&](size_t a, size_t b) { return means[a] > means[b]; });
  return bits;
}

// Sites with neurons, the most vulnerable first.
std::vector<const SiteResult*> by_lvf(const Run& run) {
  std::vector<const SiteResult*> sites;
  for (const SiteResult& site : run.sites) sites.push_back(&site);
  std::stable_sort(sites.begin(), sites.end(), [&](const SiteResult* a, const SiteResult* b) {
    return lvf(*a, run.inputs()).resolved > lvf(*b, run.inputs()).resolved;
  });
  return sites;
}

std::string summary(const Run& run) {
  const Factor model = mvf(run);
  const bool one = run.sites.size() == 1;
  std::string text = fmt::format(
      "A random single bit flip in a random neuron of {} changes the network's answer in {} % of "
      "all "
      "cases (between {} % and {} % when it is judged by the ranges that all inputs of a class "
      "have "
      "in common). ",
      one ? "site " + site_name(run.sites[0]) : "this network", percent(model.resolved),
      percent(model.low), percent(model.high));
  const std::array<double, kBits> means = model_bit_means(run);
  const size_t bit = worst_bits(means).front();
  if (model.resolved > 0) {
    text += fmt::format(
        "The bit that matters most is bit {} ({}): flipped, it changes {} % of the answers. ", bit,
        bit_meaning(bit), percent(means[bit]));
  }
  if (!one && model.resolved > 0) {
    const SiteResult& worst = *by_lvf(run).front();
    text += fmt::format("The most vulnerable of the {} sites is {} with {} %. ", run.sites.size(),
                        site_name(worst), percent(lvf(worst, run.inputs()).resolved));
  }
  if (model.interval) {
    text +=
        fmt::format("Not every neuron was analysed: the 95 % interval of the first figure is {}. ",
                    interval_text(*model.interval));
  }
  return wrapped(text);
}

std::string heading(const Run& run) {
  const int64_t inputs = run.inputs();
  const int64_t left_out = static_cast<int64_t>(run.golden_class.size()) - inputs;
  std::string text;
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("  {:<8}{}\n", key, shortened(value, kColumns - 10));
  };
  text += '\n';
  line("model", run.model);
  line("data", run.data);
  line("inputs", fmt::format("{} analysed, {} left out{}", inputs, left_out,
                             left_out > 0 ? ": their fault-free run holds NaN or infinity" : ""));
  std::vector<int64_t> members = run.class_inputs();
  members.pop_back();
  if (const auto empty = std::count(members.begin(), members.end(), 0); empty > 0) {
    line("classes", fmt::format("{} of {} without an input", empty, run.classes));
  }
  return text;
}

std::string site_tables(const Run& run) {
  std::vector<TableRow> factors{
      {"site", "kind", "neurons", "low", "LVF", "high", "NaN part", "non-critical"}};
  std::string intervals;
  for (const SiteResult& site : run.sites) {
    const Factor factor = lvf(site, run.inputs());
    factors.push_back({site_name(site), std::string(to_string(site.site.kind)), neurons_of(site),
                       percent(factor.low), percent(factor.resolved), percent(factor.high),
                       percent(factor.nan), percent(factor.non_critical())});
    if (factor.interval) {
      intervals += fmt::format("  {}: LVF with 95 % interval {}\n", site_name(site),
                               interval_text(*factor.interval));
    }
  }
  if (!intervals.empty()) intervals = "\n" + intervals;
  return table("Sites: share of bit flips that change the answer, in %", factors, 2) + intervals;
}

std::string search_table(const Run& run) {
  std::vector<TableRow> search{
      {"site", "far class below", "above", "contradictions", "probes", "forward runs"}};
  for (const SiteResult& site : run.sites) {
    const auto [below, above] = far_class_neurons(site);
    search.push_back({site_name(site), fmt::format("{}", below), fmt::format("{}", above),
                      fmt::format("{}", contradictions(site)),
                      fmt::format("{:.2f}", probes_per_pair(site, run.inputs())),
                      fmt::format("{:.3f}", forward_equivalents(site, run))});
  }
  return table("Search: neurons with a far class; cost per neuron and input", search, 1);
}

// Of neuron k for all inputs: its place in arrays of (lower, upper) pairs.
size_t entry_of_all(const SiteTally& tally, int64_t k) {
  return 2 * static_cast<size_t>((tally.rows - 1) * tally.neurons + k);
}

// How the paper's method fared; per neuron and input unless it says otherwise.
std::string paper_table(const Run& run) {
  std::vector<TableRow> rows{{"site", "left out", "passes", "steps", "zero gradient",
                              "of them false", "wrong interval", "equal ends"}};
  for (const SiteResult& site : run.sites) {
    const auto sums = site.tally.paper_sums();
    const auto share = [](int64_t part, int64_t whole) {
      return whole > 0 ? percent(static_cast<double>(part) / static_cast<double>(whole)) : "-";
    };
    const int64_t neurons = site.tally.neurons, pairs = 2 * neurons * run.inputs();
    const int64_t signs = pairs - sums[kZeroGradients];
    const auto mean = [](int64_t sum, int64_t of) {
      return of > 0 ? fmt::format("{:.2f}", static_cast<double>(sum) / static_cast<double>(of))
                    : "-";
    };
    rows.push_back({site_name(site), share(sums[kLeftOut], neurons), mean(sums[kPasses], pairs / 2),
                    mean(sums[kSteps], sums[kSearches]), share(sums[kZeroGradients], pairs),
                    share(sums[kFalseZeros], sums[kZeroGradients]),
                    share(sums[kWrongIntervals], signs),
                    share(sums[kEqualSafe] + sums[kEqualCritical] + sums[kReversed], signs)});
  }
  return table(
      "The paper's method: forward passes per neuron and input, steps per search, failures in %",
      rows, 1);
}

std::string bit_table(const Run& run) {
  const auto low = model_bit_means(run, Reading::kLow);
  const auto resolved = model_bit_means(run);
  const auto high = model_bit_means(run, Reading::kHigh);
  const auto nan = model_bit_means(run, Reading::kNan);
  std::vector<TableRow> rows{{"bit", "", "low", "BVF", "high", "NaN part"}};
  for (const size_t bit : worst_bits(resolved)) {
    constexpr size_t kMost = 8;
    if (resolved[bit] == 0 || rows.size() > kMost) break;
    rows.push_back({fmt::format("{:>3}", bit), bit_meaning(bit), percent(low[bit]),
                    percent(resolved[bit]), percent(high[bit]), percent(nan[bit])});
  }
  return rows.size() == 1 ? ""
                          : table("Most vulnerable bits: mean over the neurons, in %", rows, 2);
}

struct RankedNeuron {
  const SiteResult* site;
  int64_t k;
  double rank;  // the greatest first
};

std::string neuron_name(const RankedNeuron& neuron) {
  const SiteResult& site = *neuron.site;
  const auto element = site.site.neurons[static_cast<size_t>(neuron.k)];
  return fmt::format("({})", fmt::join(neuron_index(site.shape, element), ","));
}

// The first `top` by `rank`, of equals those that come first in the network.
template <typename Rank>
std::vector<RankedNeuron> ranked(const Run& run, int top, Rank rank) {
  std::vector<RankedNeuron> neurons;
  for (const SiteResult& site : run.sites) {
    for (int64_t k = 0; k < site.tally.neurons; ++k) neurons.push_back({&site, k, rank(site, k)});
  }
  std::stable_sort(neurons.begin(), neurons.end(),
                   [](const RankedNeuron& a, const RankedNeuron& b) { return a.rank > b.rank; });
  neurons.resize(std::min(neurons.size(), static_cast<size_t>(std::max(top, 0))));
  return neurons;
}

std::string neuron_table(const Run& run, int top) {
  const std::vector<RankedNeuron> neurons = ranked(
      run, top, [&](const SiteResult& site, int64_t k) { return nvf(site, run.inputs(), k); });
  if (neurons.empty()) return "";
  std::vector<TableRow> rows{
      {"site", "neuron", "NVF %", "safe from", "to", "critical up to", "from", "worst bit"}};
  for (const RankedNeuron& neuron : neurons) {
    const SiteResult& site = *neuron.site;
    const int64_t k = neuron.k;
    const SiteTally& tally = site.tally;
    const size_t all = entry_of_all(tally, k);
    const int bit = worst_bit(site, run.inputs(), k);
    rows.push_back({shortened(site.site.name, 18), neuron_name(neuron), percent(neuron.rank),
                    number(tally.nonvulnerable[all]), number(tally.nonvulnerable[all + 1]),
                    number(tally.vulnerable[all]), number(tally.vulnerable[all + 1]),
                    fmt::format("{:>2} ({} %)", bit, percent(bvf(site, run.inputs(), k, bit)))});
  }
  return table("Most vulnerable neurons: deviations that are safe, or critical, for every input",
               rows, 2);
}

std::string ranges_summary(const Run& run) {
  int64_t neurons = 0;
  for (const SiteResult& site : run.sites) neurons += site.tally.neurons;
  return wrapped(fmt::format(
      "This run holds ranges alone: the {} of {} neurons. No bit flip was looked at "
      "(--factors none), so that it says nothing of vulnerability factors.",
      run.has_vulnerable ? "non-vulnerable and the vulnerable ones" : "non-vulnerable ones",
      neurons));
}

// Medians over the neurons.
std::string range_table(const Run& run) {
  std::vector<TableRow> rows{
      {"site", "kind", "neurons", "safe from", "to", "never critical below", "above"}};
  for (const SiteResult& site : run.sites) {
    const SiteTally& tally = site.tally;
    std::vector<double> bounds[2];
    int64_t never[2] = {0, 0};
    for (int64_t k = 0; k < tally.neurons; ++k) {
      for (size_t side = 0; side < 2; ++side) {
        const double bound = tally.nonvulnerable[entry_of_all(tally, k) + side];
        bounds[side].push_back(bound);
        never[side] += std::isinf(bound);
      }
    }
    TableRow row{site_name(site), std::string(to_string(site.site.kind)), neurons_of(site)};
    for (std::vector<double>& values : bounds) {
      std::sort(values.begin(), values.end());
      row.push_back(values.empty() ? "-" : number(values[values.size() / 2]));
    }
    for (const int64_t count : never) row.push_back(fmt::format("{}", count));
    rows.push_back(row);
  }
  return table(
      "Sites: deviations that are safe for every input, medians over the neurons; neurons without "
      "a\ncritical deviation on a side",
      rows, 2);
}

// The least deviation that changes an answer decides.
std::string narrow_neuron_table(const Run& run, int top) {
  const auto reach = [](const SiteResult& site, int64_t k) {
    const double* range = &site.tally.nonvulnerable[entry_of_all(site.tally, k)];
    return -std::min(-range[0], range[1]);
  };
  const std::vector<RankedNeuron> neurons = ranked(run, top, reach);
  if (neurons.empty()) return "";
  std::vector<TableRow> rows{{"site", "neuron", "safe from", "to"}};
  if (run.has_vulnerable) rows[0].insert(rows[0].end(), {"critical up to", "from"});
  for (const RankedNeuron& neuron : neurons) {
    const SiteTally& tally = neuron.site->tally;
    const size_t all = entry_of_all(tally, neuron.k);
    rows.push_back({shortened(neuron.site->site.name, 18), neuron_name(neuron),
                    number(tally.nonvulnerable[all]), number(tally.nonvulnerable[all + 1])});
    if (!run.has_vulnerable) continue;
    rows.back().push_back(number(tally.vulnerable[all]));
    rows.back().push_back(number(tally.vulnerable[all + 1]));
  }
  return table("Neurons with the narrowest ranges that are safe for every input", rows, 2);
}

std::string cost(const Run& run) {
  int64_t audited = 0, disagreements = 0;
  for (const SiteResult& site : run.sites) {
    audited += site.tally.audited;
    disagreements += site.tally.disagreements;
  }
  std::string text = "\n";
  text +=
      wrapped(fmt::format("Cost: {:.2f} probes per neuron and input, the "
                          "work of {:.3f} forward runs (the method of the "
                          "paper: 9.1; injecting every flip: 32).",
                          probes_per_pair(run), forward_equivalents(run)));
  if (!run.has_factors) return text;
  if (audited == 0) {
    return text +
           "Audit: none (vigor analyze --audit checks flips that were settled without a run).\n";
  }
  return text + wrapped(fmt::format(
                    "Audit: {} of {} flips that had been settled without a run came out otherwise "
                    "when run: {} % "
                    "(95 % interval {}).",
                    disagreements, audited,
                    percent(static_cast<double>(disagreements) / static_cast<double>(audited)),
                    interval_text(wilson(disagreements, audited))));
}

}  // namespace

Run only_site(Run run, const std::string& name) {
  std::vector<std::string> names;
  for (const SiteResult& site : run.sites) names.push_back(printable(site.site.name));
  std::erase_if(run.sites, [&](const SiteResult& site) { return site.site.name != name; });
  if (run.sites.empty()) {
    fail("site", "got '{}', expected one of: {}", printable(name), fmt::join(names, ", "));
  }
  return run;
}

std::string to_text(const Run& run, int top) {
  if (run.sites.empty() || run.inputs() == 0) {
    return "This run holds no results.\n" + heading(run);
  }
  if (!run.has_factors) {
    return ranges_summary(run) + heading(run) + range_table(run) + search_table(run) +
           narrow_neuron_table(run, top) + cost(run);
  }
  const std::string paper = run.method == kPaperMethod ? paper_table(run) : "";
  return summary(run) + heading(run) + site_tables(run) + search_table(run) + paper +
         bit_table(run) + neuron_table(run, top) + cost(run);
}

}  // namespace vigor
