#include "stats.h"

#include <fmt/format.h>

#include <numeric>

#include "forecast.h"
#include "text.h"
#include "text_table.h"

namespace vigor {

std::string stats_table(const Graph& graph, const Run& run, const AnalyzeStats& stats) {
  const ProbeCosts& costs = stats.costs;
  const auto share = [](double part, double whole) { return whole > 0 ? part / whole : 0; };
  const auto probes_of_all = static_cast<double>(costs.probes);
  std::string text = fmt::format(
      "Phases: {:.2f} s before any data, {:.2f} s golden runs, {:.2f} s thresholds and flips, "
      "{:.2f} s merged ranges\n"
      "Probers: {} probes, {} % masked, {} multiply-accumulates each\n"
      "Batches: {} segments run, {:.1f} lanes each; {} segments planned, {} kept\n",
      stats.facts, stats.golden, stats.units, stats.ranges, with_commas(costs.probes),
      percent(share(static_cast<double>(costs.masked), probes_of_all)),
      with_commas(static_cast<int64_t>(share(static_cast<double>(costs.macs), probes_of_all))),
      with_commas(costs.batches),
      share(static_cast<double>(costs.lanes), static_cast<double>(costs.batches)),
      with_commas(costs.plans), bytes(static_cast<double>(costs.plan_bytes)));
  std::vector<TableRow> rows{
      {"site", "neurons", "probes", "/neuron/input", "MACs/probe", "of suffix %", "seconds"}};
  for (size_t s = 0; s < run.sites.size(); ++s) {
    const SiteResult& site = run.sites[s];
    const auto probes = static_cast<double>(
        std::accumulate(site.tally.probes.begin(), site.tally.probes.end(), int64_t{0}));
    const auto pairs = static_cast<double>(site.tally.neurons * run.inputs());
    const double macs = share(static_cast<double>(site.tally.macs), probes);
    const auto dense = static_cast<double>(suffix_macs(graph, site.site));
    rows.push_back(
        {site.site.name, with_commas(site.tally.neurons), with_commas(static_cast<int64_t>(probes)),
         fmt::format("{:.2f}", share(probes, pairs)), with_commas(static_cast<int64_t>(macs)),
         percent(share(macs, dense)), fmt::format("{:.2f}", stats.sites[s])});
  }
  return text + table("Sites", rows, 1);
}

}  // namespace vigor
