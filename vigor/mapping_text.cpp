#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "error.h"
#include "mapping.h"
#include "text_table.h"

namespace vigor {

namespace {

using nlohmann::json;

std::string share(double value) { return std::isnan(value) ? "-" : percent(value); }

// With thresholds only what lies beyond the search domain keeps low and high apart.
double best(const MapFactor& factor) {
  return std::isnan(factor.resolved) ? factor.high : factor.resolved;
}

std::string summary(const Mapping& mapping, const MapFactor& model) {
  std::string text = fmt::format("{} in a random neuron of {} changes the network's answer in ",
                                 mapping.stored.phrase(),
                                 mapping.sites.size() == 1 ? "this site" : "this network");
  text += mapping.per_input
              ? fmt::format(
                    "{} % of all cases (between {} % and {} %: {} % of the values lie beyond "
                    "2^100, where nothing was run). ",
                    share(model.resolved), share(model.low), share(model.high), share(model.beyond))
              : fmt::format("{} % to {} % of all cases. ", share(model.low), share(model.high));
  text += fmt::format("Storing the value, without any fault, changes it in {} %",
                      share(model.encoded_low));
  if (model.encoded_high != model.encoded_low) {
    text += fmt::format(" to {} %", share(model.encoded_high));
  }
  text += " of the cases. Nothing was probed: ";
  text += mapping.per_input ? "the thresholds of every input decide. "
                            : "the ranges that all inputs of a class have in common decide "
                              "(vigor analyze --keep-thresholds narrows the figures). ";
  if (mapping.sampled) text += "Faulty patterns were drawn at random. ";
  return wrapped(text);
}

std::string heading(const Mapping& mapping) {
  std::string text = "\n";
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("  {:<8}{}\n", key, shortened(value, kColumns - 10));
  };
  line("model", mapping.model);
  line("data", mapping.data);
  line("inputs", fmt::format("{}", mapping.inputs()));
  line("format", mapping.stored.format);
  line("fault", fmt::format("{}, {} for each value", mapping.stored.fault,
                            mapping.bins * mapping.faults_per_bin));
  return text;
}

std::string site_table(const Mapping& mapping) {
  std::vector<TableRow> rows{{"site", "neurons", "low", "LVF", "high", "NaN", "beyond 2^100",
                              "in a gap", "unchanged", "encoding"}};
  for (const MapSite& site : mapping.sites) {
    const MapFactor factor = map_factor(mapping, site);
    rows.push_back({shortened(site.site.name, 24), fmt::format("{}", site.site.neurons.size()),
                    share(factor.low), share(factor.resolved), share(factor.high),
                    share(factor.nan), share(factor.beyond), share(factor.gap),
                    share(factor.unchanged), share(factor.encoded_high)});
  }
  return table("Sites: share of faults that change the answer, in %", rows, 1);
}

std::string bit_table(const Mapping& mapping) {
  if (mapping.bins == 1) return "";
  std::vector<MapFactor> bits;
  for (int64_t bin = 0; bin < mapping.bins; ++bin) bits.push_back(map_bin(mapping, bin));
  std::vector<size_t> order(bits.size());
  std::iota(order.rbegin(), order.rend(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return best(bits[a]) > best(bits[b]); });
  const NumberFormat format = NumberFormat::parse(mapping.stored.format);
  std::vector<TableRow> rows{{"bit", "", "low", "BVF", "high"}};
  for (const size_t bit : order) {
    constexpr size_t kMost = 8;
    if (rows.size() > kMost || !(bits[bit].high > 0)) break;
    rows.push_back({fmt::format("{:>3}", bit), format.bit_meaning(static_cast<int>(bit)),
                    share(bits[bit].low), share(bits[bit].resolved), share(bits[bit].high)});
  }
  return rows.size() == 1
             ? ""
             : table("Most vulnerable bits (lowest of a burst): mean over the neurons, in %", rows,
                     2);
}

json number(double value) { return std::isnan(value) ? json() : json(value); }

json to_json(const MapFactor& factor) {
  return {{"low", number(factor.low)},
          {"resolved", number(factor.resolved)},
          {"high", number(factor.high)},
          {"nan", number(factor.nan)},
          {"beyond", number(factor.beyond)},
          {"gap", number(factor.gap)},
          {"unchanged", number(factor.unchanged)},
          {"encoded_low", number(factor.encoded_low)},
          {"encoded_high", number(factor.encoded_high)}};
}

}  // namespace

std::string to_text(const Mapping& mapping) {
  if (mapping.sites.empty() || mapping.inputs() == 0) {
    return "This file holds no results.\n" + heading(mapping);
  }
  return summary(mapping, map_factor(mapping)) + heading(mapping) + site_table(mapping) +
         bit_table(mapping);
}

std::string to_json(const Mapping& mapping) {
  json sites = json::array(), bits = json::array();
  for (int64_t bin = 0; bin < mapping.bins; ++bin) {
    const MapFactor bit = map_bin(mapping, bin);
    bits.push_back(
        {{"low", number(bit.low)}, {"resolved", number(bit.resolved)}, {"high", number(bit.high)}});
  }
  for (const MapSite& site : mapping.sites) {
    sites.push_back({{"name", site.site.name},
                     {"tensor", site.tensor_name},
                     {"node", site.node_name},
                     {"kind", to_string(site.site.kind)},
                     {"shape", site.shape},
                     {"neurons", site.site.neurons.size()},
                     {"population", site.site.population},
                     {"lvf", to_json(map_factor(mapping, site))}});
  }
  const json document{
      {"model",
       {{"name", mapping.model},
        {"sha256", mapping.model_sha256},
        {"mvf", to_json(map_factor(mapping))},
        {"bits", bits}}},
      {"data",
       {{"name", mapping.data}, {"sha256", mapping.data_sha256}, {"inputs", mapping.inputs()}}},
      {"format", mapping.stored.format},
      {"fault", mapping.stored.fault},
      {"bins", mapping.bins},
      {"per_input", mapping.per_input},
      {"sampled", mapping.sampled},
      {"sites", sites}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vigor
