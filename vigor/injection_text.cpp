#include "injection_text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "error.h"
#include "printable.h"
#include "text_table.h"

namespace vigor {

namespace {

using nlohmann::json;

std::string site_name(const InjectionSite& site) { return shortened(site.site.name, 24); }

std::string share(double value) { return std::isnan(value) ? "-" : percent(value); }

std::string interval_of(const FaultRate& rate) { return interval_text({rate.low, rate.high}); }

int64_t all_faults(const Injection& injection) {
  int64_t sum = 0;
  for (const InjectionSite& site : injection.sites) sum += total(site, FaultCount::kFaults);
  return sum;
}

std::string confidence_text(const Injection& injection) {
  return fmt::format("{:.4g} %", 100 * injection.plan.confidence);
}

std::string plan_text(const Injection& injection) {
  const FaultPlan& plan = injection.plan;
  if (plan.kind == "list") return "the faults of a list";
  if (plan.kind == "exhaustive") return "every bit of every neuron for every input";
  return fmt::format("random, margin {:.3g} % at {} for {}{}", 100 * plan.margin,
                     confidence_text(injection),
                     plan.kind == "input"   ? "every site and input"
                     : plan.kind == "layer" ? "every site over all inputs"
                                            : "the model",
                     plan.until_margin ? ", stopped once reached" : "");
}

bool is_sampled(const InjectionSite& site) {
  return std::ssize(site.site.neurons) < site.site.population;
}

std::string bin_meaning(const Injection& injection, int bin) {
  if (bin < kBits) return NumberFormat::parse(injection.stored.format).bit_meaning(bin);
  return injection.stored.is_default() ? "given values" : injection.stored.fault;
}

// What storing does without any fault.
std::string encoding_text(const Injection& injection) {
  double faults = 0, encoded = 0;
  for (const InjectionSite& site : injection.sites) {
    const auto count = static_cast<double>(total(site, FaultCount::kFaults));
    faults += count;
    if (count > 0) encoded += count * encoding_rate(site);
  }
  return fmt::format("Storing the value, without any fault, changes it in {} %. ",
                     share(encoded / faults));
}

std::string summary(const Injection& injection) {
  const FaultRate model = model_rate(injection);
  const bool one = injection.sites.size() == 1;
  const bool listed = injection.plan.kind == "list";
  const bool exact = model.low == model.high;
  const std::string where = one ? "site " + site_name(injection.sites[0]) : "this network";
  std::string text = listed
                         ? fmt::format("The listed faults in {} change its answer", where)
                         : fmt::format("{} in a random neuron of {} changes the network's answer",
                                       injection.stored.phrase(), where);
  text += fmt::format(" in {} % of all cases", share(model.rate));
  text += exact
              ? " (exact: every fault was run). "
              : fmt::format(" ({} interval {}). ", confidence_text(injection), interval_of(model));
  if (!listed && std::any_of(injection.sites.begin(), injection.sites.end(), is_sampled)) {
    text += "All figures are about the neurons sampled. ";
  }
  if (!injection.stored.is_default()) text += encoding_text(injection);
  if (listed || !(model.rate > 0)) return wrapped(text);
  const std::vector<int> bins = bins_of(injection);
  int worst = bins.front();
  for (const int bin : bins) {
    if (model_bin_rate(injection, bin).rate >= model_bin_rate(injection, worst).rate) worst = bin;
  }
  if (worst < kBits) {
    text += fmt::format(
        "The bit that matters most is bit {} ({}): {} it changes {} % of the answers. ", worst,
        bin_meaning(injection, worst), injection.stored.fault == "flip" ? "flipped," : "struck,",
        share(model_bin_rate(injection, worst).rate));
  }
  if (!one) {
    const auto worst =
        std::max_element(injection.sites.begin(), injection.sites.end(),
                         [&](const InjectionSite& a, const InjectionSite& b) {
                           return site_rate(injection, a).low < site_rate(injection, b).low;
                         });
    text +=
        fmt::format("The most vulnerable of the {} sites is {} with {} %. ", injection.sites.size(),
                    site_name(*worst), share(site_rate(injection, *worst).rate));
  }
  return wrapped(text);
}

std::string heading(const Injection& injection) {
  const int64_t inputs = injection.inputs();
  const int64_t left_out = static_cast<int64_t>(injection.golden_class.size()) - inputs;
  std::string text = "\n";
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("  {:<8}{}\n", key, shortened(value, kColumns - 10));
  };
  line("model", injection.model);
  line("data", injection.data);
  line("inputs", fmt::format("{} used, {} left out{}", inputs, left_out,
                             left_out > 0 ? ": their fault-free run holds NaN or infinity" : ""));
  line("faults", fmt::format("{}: {}", all_faults(injection), plan_text(injection)));
  return text;
}

std::string site_tables(const Injection& injection) {
  std::vector<TableRow> rates{
      {"site", "neurons", "faults", "critical", "from", "to", "NaN part", "accuracy loss"}};
  std::vector<TableRow> outcomes{
      {"site", "masked", "benign", "answer changed", "NaN", "not in top 5", "infinite logits"}};
  for (const InjectionSite& site : injection.sites) {
    const FaultRate rate = site_rate(injection, site);
    const int64_t faults = total(site, FaultCount::kFaults);
    const int64_t nan = total(site, FaultCount::kNan);
    rates.push_back({site_name(site),
                     is_sampled(site)
                         ? fmt::format("{} of {}", site.site.neurons.size(), site.site.population)
                         : fmt::format("{}", site.site.population),
                     fmt::format("{}", faults), share(rate.rate), share(rate.low), share(rate.high),
                     share(site_rate(injection, site, FaultCount::kNan).rate),
                     share(accuracy_loss(injection, site))});
    outcomes.push_back({site_name(site), fmt::format("{}", total(site, FaultCount::kMasked)),
                        fmt::format("{}", total(site, FaultCount::kBenign)),
                        fmt::format("{}", total(site, FaultCount::kCritical) - nan),
                        fmt::format("{}", nan), fmt::format("{}", total(site, FaultCount::kTop5)),
                        fmt::format("{}", total(site, FaultCount::kInf))});
  }
  return table(fmt::format("Sites: share of faults that change the answer, in %, with {} interval",
                           confidence_text(injection)),
               rates, 1) +
         table("Outcomes: numbers of faults", outcomes, 1);
}

std::string bit_table(const Injection& injection) {
  std::vector<int> bins(kFaultBins);
  std::iota(bins.rbegin(), bins.rend(), 0);
  std::erase_if(bins, [&](int bin) { return !(model_bin_rate(injection, bin).rate > 0); });
  std::stable_sort(bins.begin(), bins.end(), [&](int a, int b) {
    return model_bin_rate(injection, a).rate > model_bin_rate(injection, b).rate;
  });
  constexpr size_t kMost = 10;
  if (bins.size() > kMost) bins.resize(kMost);
  if (bins.empty()) return "";
  std::vector<TableRow> rows{{"bit", "", "critical", "from", "to"}};
  for (const int bin : bins) {
    const FaultRate rate = model_bin_rate(injection, bin);
    rows.push_back({bin == kBits ? "-" : fmt::format("{:>3}", bin), bin_meaning(injection, bin),
                    share(rate.rate), share(rate.low), share(rate.high)});
  }
  return table("Most vulnerable bits: share that changes the answer, in %", rows, 2);
}

std::string cost(const Injection& injection) {
  const int64_t faults = all_faults(injection);
  const double seconds = injection.provenance.seconds;
  return "\n" +
         wrapped(fmt::format(
             "Cost: {} of {} faults were run (the others change nothing or are NaN), {:.1f} s{}.",
             injection.probes, faults, seconds,
             seconds > 0
                 ? fmt::format(", {:.0f} faults per second on {} threads",
                               static_cast<double>(faults) / seconds, injection.provenance.threads)
                 : ""));
}

json number(double value) { return std::isnan(value) ? json() : json(value); }

json to_json(const FaultRate& rate) {
  return {{"rate", number(rate.rate)}, {"low", rate.low}, {"high", rate.high}};
}

json to_json(const InjectionSite& site, const Injection& injection) {
  json bits = json::array(), classes = json::array();
  for (int bit = 0; bit < kBits; ++bit) bits.push_back(to_json(bin_rate(injection, site, bit)));
  for (int64_t c = 0; c < injection.classes; ++c) {
    classes.push_back(to_json(class_rate(injection, site, c)));
  }
  return {{"name", site.site.name},
          {"tensor", site.tensor_name},
          {"node", site.node_name},
          {"kind", to_string(site.site.kind)},
          {"shape", site.shape},
          {"neurons", site.site.neurons.size()},
          {"population", site.site.population},
          {"faults", total(site, FaultCount::kFaults)},
          {"critical", to_json(site_rate(injection, site))},
          {"nan", to_json(site_rate(injection, site, FaultCount::kNan))},
          {"masked", total(site, FaultCount::kMasked)},
          {"benign", total(site, FaultCount::kBenign)},
          {"top5", total(site, FaultCount::kTop5)},
          {"inf", total(site, FaultCount::kInf)},
          {"accuracy_loss", number(accuracy_loss(injection, site))},
          {"encoding", number(encoding_rate(site))},
          {"bits", bits},
          {"classes", classes}};
}

}  // namespace

Injection only_site(Injection injection, const std::string& name) {
  std::vector<std::string> names;
  for (const InjectionSite& site : injection.sites) names.push_back(printable(site.site.name));
  std::erase_if(injection.sites, [&](const InjectionSite& site) { return site.site.name != name; });
  if (injection.sites.empty()) {
    fail("site", "got '{}', expected one of: {}", printable(name), fmt::join(names, ", "));
  }
  return injection;
}

std::string to_text(const Injection& injection) {
  if (all_faults(injection) == 0) return "This file holds no faults.\n" + heading(injection);
  return summary(injection) + heading(injection) + site_tables(injection) + bit_table(injection) +
         cost(injection);
}

std::string to_json(const Injection& injection) {
  json sites = json::array(), bits = json::array();
  for (const InjectionSite& site : injection.sites) sites.push_back(to_json(site, injection));
  for (int bit = 0; bit < kBits; ++bit) bits.push_back(to_json(model_bin_rate(injection, bit)));
  const json document{
      {"model",
       {{"name", injection.model},
        {"sha256", injection.model_sha256},
        {"faults", all_faults(injection)},
        {"critical", to_json(model_rate(injection))},
        {"nan", to_json(model_rate(injection, FaultCount::kNan))},
        {"bits", bits},
        {"probes", injection.probes},
        {"seconds", injection.provenance.seconds}}},
      {"data",
       {{"name", injection.data},
        {"sha256", injection.data_sha256},
        {"inputs", injection.inputs()},
        {"left_out", static_cast<int64_t>(injection.golden_class.size()) - injection.inputs()}}},
      {"plan",
       {{"kind", injection.plan.kind},
        {"format", injection.stored.format},
        {"fault", injection.stored.fault},
        {"margin", injection.plan.margin},
        {"confidence", injection.plan.confidence},
        {"until_margin", injection.plan.until_margin}}},
      {"sites", sites}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vigor
