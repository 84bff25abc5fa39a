#include "validation_text.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "printable.h"
#include "text_table.h"

namespace vigor {

namespace {

using nlohmann::json;

// Shares of the first rules, by place in kShareRules.
enum {
  kTrueNoncritical,
  kTrueCritical,
  kCoverage,
  kRecall,
  kRecallWide,
  kCriticalBeyond,
  kBaseRate,
  kNanShare,
  kTrueCriticalFinite,
  kTrueCriticalOpen
};

std::string percent_text(double share) {
  if (std::isnan(share)) return "-";
  // 99.9996 % is not 100 %.
  const std::string text = fmt::format("{:.3f}", 100 * share);
  return share < 1 && text == "100.000" ? "<100" : text;
}

std::string count_text(int64_t count) { return fmt::format("{}", count); }

std::string site_name(const ValidationSet& set, size_t s) {
  return s < set.sites.size() ? shortened(set.sites[s].site.name, 16) : "all sites";
}

std::string plan_text(const ValidationSet& set) {
  if (set.plan.kind == "exhaustive") return "every bit of every neuron for every input";
  return fmt::format(
      "random, margin {:.3g} % for {}", 100 * set.plan.margin,
      set.plan.kind == "input" ? "every site and input" : "every site over all inputs");
}

int64_t sum_of(const ValidationSet& set, ValidationCount count) {
  int64_t sum = 0;
  for (const ValidationSite& site : set.sites) sum += total(site)[count];
  return sum;
}

std::string heading(const Validation& validation, const ValidationSet& set) {
  std::string text = "\n";
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("  {:<8}{}\n", key, shortened(value, kColumns - 10));
  };
  line("set", fmt::format("{}: {}", set.name,
                          set.seen ? "the inputs that the ranges were computed from"
                                   : "inputs that the ranges were not computed from"));
  line("data", set.data);
  line("inputs", fmt::format("{} used, {} left out, {} of golden classes that the run lacks",
                             set.inputs, set.left_out, set.inputs_class_not_seen));
  line("faults", fmt::format("{}: {}", sum_of(set, kDrawn), plan_text(set)));
  line("ranges",
       fmt::format("of {} inputs, {}: {}", validation.run_inputs,
                   validation.per_class ? "by golden class" : "together", validation.run_data));
  return text;
}

std::string agreement_table(const ValidationSet& set, const ValidationShares& found) {
  std::vector<TableRow> rows{{"site", "of", "true non-crit.", "from", "other inputs", "of",
                              "true critical", "from", "other inputs"}};
  for (size_t s = 0; s < found.sites.size(); ++s) {
    TableRow row{site_name(set, s)};
    for (const auto rule : {kTrueNoncritical, kTrueCritical}) {
      const ValidationShare& share = found.sites[s][rule];
      row.insert(row.end(), {count_text(share.n), percent_text(share.share),
                             percent_text(share.used.low), percent_text(share.unseen.low)});
    }
    rows.push_back(row);
  }
  return table(
      "Agreement in %, with the lower ends of 95 % intervals: for these inputs, for others", rows,
      1);
}

std::string reach_table(const ValidationSet& set, const ValidationShares& found) {
  std::vector<TableRow> rows{{"site", "coverage", "recall", "not missed", "beyond", "base rate",
                              "NaN", "LVF", "accuracy loss"}};
  for (size_t s = 0; s < found.sites.size(); ++s) {
    TableRow row{site_name(set, s)};
    for (const auto rule :
         {kCoverage, kRecall, kRecallWide, kCriticalBeyond, kBaseRate, kNanShare}) {
      row.push_back(percent_text(found.sites[s][rule].share));
    }
    if (s < set.sites.size()) {
      row.push_back(percent_text(set.sites[s].lvf.resolved));
      row.push_back(percent_text(set.sites[s].accuracy_loss));
    }
    row.resize(rows.front().size());
    rows.push_back(row);
  }
  return table(
      "Reach in %: faults in either range; critical faults in the vulnerable range, not in the\n"
      "non-vulnerable one, and beyond the ranges (2^100, always run); critical faults, with a NaN",
      rows, 1);
}

std::string bounds_table(const ValidationSet& set, const ValidationShares& found) {
  const ValidationShares own = shares(set, kOwnShareRules);
  std::vector<TableRow> rows{
      {"site", "of", "finite-only", "of", "open", "of", "own non-crit.", "of", "own critical"}};
  if (!set.own_thresholds) rows.front().resize(5);
  for (size_t s = 0; s < found.sites.size(); ++s) {
    TableRow row{site_name(set, s)};
    const auto put = [&](const ValidationShare& share) {
      row.insert(row.end(), {count_text(share.n), percent_text(share.share)});
    };
    put(found.sites[s][kTrueCriticalFinite]);
    put(found.sites[s][kTrueCriticalOpen]);
    for (size_t r = 0; r < 2 && set.own_thresholds; ++r) put(own.sites[s][r]);
    rows.push_back(row);
  }
  return table(
      fmt::format("True shares by other bounds, in %: critical by the inputs with a finite "
                  "threshold;\ncritical with no end at 2^100{}",
                  set.own_thresholds ? "; both by each input's own thresholds" : ""),
      rows, 1);
}

std::string cause_table(const ValidationSet& set) {
  std::vector<TableRow> rows{{"site", "range", "non-finite", "contradiction", "in the bracket",
                              "elsewhere", "not looked at"}};
  for (size_t s = 0; s < set.sites.size(); ++s) {
    const Disagreements& found = set.sites[s].disagreements;
    for (const auto& [range, counts] : {std::pair("non-vulnerable", &found.nonvulnerable),
                                        std::pair("vulnerable", &found.vulnerable)}) {
      TableRow row{site_name(set, s), range};
      int64_t all = 0;
      for (const int64_t count : *counts) {
        row.push_back(count_text(count));
        all += count;
      }
      if (all > 0) rows.push_back(row);
    }
  }
  if (rows.size() == 1) return "\nNo fault came out otherwise than the range it lies in says.\n";
  return table("Faults that came out otherwise than their range says, by cause (numbers)", rows, 2);
}

std::string number_text(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.3f}", value);
}

std::string closing(const ValidationSet& set) {
  const Tracking tracking = lvf_against_loss(set);
  return "\n" + wrapped(fmt::format("LVF against the accuracy that faults cost, over the sites: "
                                    "Pearson {}, Spearman {}. {} probes, {:.1f} s.",
                                    number_text(tracking.pearson), number_text(tracking.spearman),
                                    set.probes, set.seconds));
}

std::string words(const ValidationSet& set, const std::vector<ValidationShare>& all) {
  return wrapped(fmt::format(
      "{}: of the faults that the ranges call non-critical {} % are, of those that they call "
      "critical {} %. They speak of {} % of all faults, and {} % of the critical ones are not "
      "among "
      "those called non-critical.",
      set.name, percent_text(all[kTrueNoncritical].share), percent_text(all[kTrueCritical].share),
      percent_text(all[kCoverage].share), percent_text(all[kRecallWide].share)));
}

json number(double value) { return std::isnan(value) ? json() : json(value); }

json to_json(const ValidationShare& share) {
  return {{"k", share.k},
          {"n", share.n},
          {"share", number(share.share)},
          {"low", share.used.low},
          {"high", share.used.high},
          {"unseen_low", share.unseen.low},
          {"unseen_high", share.unseen.high}};
}

json to_json(const std::vector<ValidationShare>& found, std::span<const ShareRule> rules) {
  json object = json::object();
  for (size_t r = 0; r < rules.size(); ++r) object[rules[r].name] = to_json(found[r]);
  return object;
}

json causes_json(const std::array<int64_t, kCauseNames.size()>& counts) {
  json object = json::object();
  for (size_t c = 0; c < counts.size(); ++c) object[kCauseNames[c]] = counts[c];
  return object;
}

json site_json(const ValidationSite& site) {
  return {
      {"name", site.site.name},
      {"neurons", site.site.neurons.size()},
      {"population", site.site.population},
      {"faults", total(site)[kDrawn]},
      {"faults_there_are", site.faults_there_are},
      {"beyond_domain", total(site)[kBeyond]},
      {"class_not_seen", site.class_not_seen},
      {"lvf", {{"low", site.lvf.low}, {"resolved", site.lvf.resolved}, {"high", site.lvf.high}}},
      {"injected",
       {{"rate", number(site.critical.rate)},
        {"from", site.critical.low},
        {"to", site.critical.high}}},
      {"accuracy_loss", number(site.accuracy_loss)},
      {"disagreements",
       {{"nonvulnerable", causes_json(site.disagreements.nonvulnerable)},
        {"vulnerable", causes_json(site.disagreements.vulnerable)}}}};
}

json set_json(const ValidationSet& set) {
  const ValidationShares found = shares(set, kShareRules);
  const ValidationShares own = shares(set, kOwnShareRules);
  json layers = json::array(), all = to_json(found.sites.back(), kShareRules);
  for (size_t s = 0; s < set.sites.size(); ++s) {
    json layer = site_json(set.sites[s]);
    layer.update(to_json(found.sites[s], kShareRules));
    const bool kept = set.own_thresholds;
    layer["own_thresholds"] = kept ? to_json(own.sites[s], kOwnShareRules) : json();
    layers.push_back(layer);
  }
  all["own_thresholds"] = set.own_thresholds ? to_json(own.sites.back(), kOwnShareRules) : json();
  const Tracking tracking = lvf_against_loss(set);
  return {
      {"name", set.name},
      {"seen", set.seen},
      {"data",
       {{"name", set.data},
        {"sha256", set.data_sha256},
        {"inputs", set.inputs},
        {"left_out", set.left_out},
        {"class_not_seen", set.inputs_class_not_seen}}},
      {"plan",
       {{"kind", set.plan.kind}, {"margin", set.plan.margin}, {"confidence", set.plan.confidence}}},
      {"seed", set.seed},
      {"isa", set.isa},
      {"probes", set.probes},
      {"layers", layers},
      {"total", all},
      {"lvf_against_accuracy_loss",
       {{"pearson", number(tracking.pearson)}, {"spearman", number(tracking.spearman)}}}};
}

}  // namespace

std::string to_text(const Validation& validation) {
  std::string text;
  for (const ValidationSet& set : validation.sets) {
    const ValidationShares found = shares(set, kShareRules);
    text += (text.empty() ? "" : "\n") + words(set, found.sites.back()) + heading(validation, set) +
            agreement_table(set, found) + reach_table(set, found) + bounds_table(set, found) +
            cause_table(set) + closing(set);
  }
  return text;
}

std::string to_json(const Validation& validation) {
  json sets = json::array();
  for (const ValidationSet& set : validation.sets) sets.push_back(set_json(set));
  const json document{{"schema", 1},
                      {"model", {{"name", validation.model}, {"sha256", validation.model_sha256}}},
                      {"run",
                       {{"data", validation.run_data},
                        {"data_sha256", validation.run_data_sha256},
                        {"inputs", validation.run_inputs},
                        {"method", validation.method},
                        {"isa", validation.run_isa},
                        {"ranges_per_class", validation.per_class}}},
                      {"sets", sets}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vigor
