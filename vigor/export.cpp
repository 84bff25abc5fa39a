#include "export.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "csv.h"
#include "error.h"
#include "factors.h"

namespace vigor {

namespace {

using nlohmann::json;

json to_json(const Factor& factor) {
  json interval;
  if (factor.interval) interval = {factor.interval->low, factor.interval->high};
  return {{"low", factor.low},    {"resolved", factor.resolved},
          {"high", factor.high},  {"nan", factor.nan},
          {"interval", interval}, {"non_critical", factor.non_critical()}};
}

json to_json(const SiteResult& site, const Run& run) {
  const auto [below, above] = far_class_neurons(site);
  json paper;  // null with other methods
  for (size_t i = 0; i < kPaperCounts && run.method == kPaperMethod; ++i) {
    paper[kPaperCountNames[i]] = site.tally.paper_sums()[i];
  }
  return {{"name", site.site.name},
          {"tensor", site.tensor_name},
          {"node", site.node_name},
          {"kind", to_string(site.site.kind)},
          {"shape", site.shape},
          {"neurons", site.tally.neurons},
          {"population", site.site.population},
          {"lvf", run.has_factors ? to_json(lvf(site, run.inputs())) : json()},
          {"bvf", run.has_factors ? json(bit_means(site, run.inputs())) : json()},
          {"far_class", {{"below", below}, {"above", above}}},
          {"contradictions", contradictions(site)},
          {"paper", paper},
          {"probes_per_pair", probes_per_pair(site, run.inputs())},
          {"forward_equivalents", forward_equivalents(site, run)}};
}

void write_sites(const std::filesystem::path& file, const Run& run) {
  CsvFile csv(file,
              "site,tensor,kind,neurons,population,lvf_low,lvf,lvf_high,lvf_nan,interval_low,"
              "interval_high,far_class_below,far_class_above,contradictions,probes_per_pair,"
              "forward_equivalents,audited,disagreements");
  for (const SiteResult& site : run.sites) {
    const Factor factor = lvf(site, run.inputs());
    const Interval interval = factor.interval.value_or(Interval{factor.resolved, factor.resolved});
    const auto [below, above] = far_class_neurons(site);
    csv.row(quoted(site.site.name), quoted(site.tensor_name), to_string(site.site.kind),
            site.tally.neurons, site.site.population, factor.low, factor.resolved, factor.high,
            factor.nan, interval.low, interval.high, below, above, contradictions(site),
            probes_per_pair(site, run.inputs()), forward_equivalents(site, run), site.tally.audited,
            site.tally.disagreements);
  }
  csv.finish();
}

void write_bits(const std::filesystem::path& file, const Run& run) {
  CsvFile csv(file, "site,bit,bvf_low,bvf,bvf_high,bvf_nan");
  for (const SiteResult& site : run.sites) {
    if (!run.has_factors) break;
    const auto low = bit_means(site, run.inputs(), Reading::kLow);
    const auto resolved = bit_means(site, run.inputs());
    const auto high = bit_means(site, run.inputs(), Reading::kHigh);
    const auto nan = bit_means(site, run.inputs(), Reading::kNan);
    for (size_t bit = 0; bit < kBits; ++bit) {
      csv.row(quoted(site.site.name), bit, low[bit], resolved[bit], high[bit], nan[bit]);
    }
  }
  csv.finish();
}

void write_neurons(const std::filesystem::path& file, const Run& run) {
  CsvFile csv(file,
              "site,neuron,c,h,w,nvf,nonvulnerable_lower,nonvulnerable_upper,vulnerable_lower,"
              "vulnerable_upper,golden_min,golden_max,far_class_below,far_class_above,"
              "contradictions,probes,worst_bit");
  for (const SiteResult& site : run.sites) {
    const SiteTally& tally = site.tally;
    for (int64_t k = 0; k < tally.neurons; ++k) {
      const auto i = static_cast<size_t>(k);
      const size_t all = 2 * static_cast<size_t>((tally.rows - 1) * tally.neurons + k);
      const auto index = neuron_index(site.shape, site.site.neurons[i]);
      csv.row(quoted(site.site.name), site.site.neurons[i],
              fmt::format("{}{}", fmt::join(index, ","),
                          std::string(3 - std::max<size_t>(index.size(), 1), ',')),
              nvf(site, run.inputs(), k), tally.nonvulnerable[all], tally.nonvulnerable[all + 1],
              tally.vulnerable[all], tally.vulnerable[all + 1], tally.golden[all],
              tally.golden[all + 1], site.far_class[2 * i], site.far_class[2 * i + 1],
              tally.contradictions[i], tally.probes[i], worst_bit(site, run.inputs(), k));
    }
  }
  csv.finish();
}

}  // namespace

std::string to_json(const Run& run) {
  int64_t audited = 0, disagreements = 0;
  json sites = json::array();
  for (const SiteResult& site : run.sites) {
    audited += site.tally.audited;
    disagreements += site.tally.disagreements;
    sites.push_back(to_json(site, run));
  }
  const json document{
      {"model",
       {{"name", run.model},
        {"sha256", run.model_sha256},
        {"mvf", run.has_factors ? to_json(mvf(run)) : json()},
        {"bvf", run.has_factors ? json(model_bit_means(run)) : json()},
        {"weights", weights_text(run)},
        {"probes_per_pair", probes_per_pair(run)},
        {"forward_equivalents", forward_equivalents(run)},
        {"audited", audited},
        {"disagreements", disagreements}}},
      {"data",
       {{"name", run.data},
        {"sha256", run.data_sha256},
        {"inputs", run.inputs()},
        {"left_out", static_cast<int64_t>(run.golden_class.size()) - run.inputs()}}},
      {"sites", sites}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

void write_csv(const std::filesystem::path& folder, const Run& run) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder.string(), "cannot be made: {}", error.message());
  write_sites(folder / "sites.csv", run);
  write_bits(folder / "bits.csv", run);
  write_neurons(folder / "neurons.csv", run);
}

std::vector<int64_t> neuron_index(const Shape& shape, int64_t neuron) {
  std::vector<int64_t> index(std::min<size_t>(shape.size(), 3));
  int64_t last = 1;
  for (size_t d = 2; d < shape.size(); ++d) last *= shape[d];
  for (size_t d = index.size(); d-- > 0;) {
    const int64_t extent = d == 2 ? last : shape[d];
    index[d] = neuron % extent;
    neuron /= extent;
  }
  return index;
}

}  // namespace vigor
