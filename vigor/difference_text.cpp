#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "difference.h"
#include "export.h"
#include "printable.h"
#include "text_table.h"

namespace vigor {

namespace {

using nlohmann::json;

// "+0.31", "-12.00", "0.00": a change of shares in percentage points.
std::string points(double change) {
  return (change > 0 ? "+" : change < 0 ? "-" : "") + percent(std::abs(change));
}

std::string change_text(const Change& change) {
  return fmt::format("from {} % to {} %", percent(change.before.value),
                     percent(change.after.value));
}

// "2.1 times less".
std::string ratio(const Change& change) {
  const double a = change.before.value, b = change.after.value;
  if (!(a > 0 && b > 0)) return "";
  return a > b ? fmt::format(", {:.3g} times less", a / b)
               : fmt::format(", {:.3g} times more", b / a);
}

std::string summary(const SheetPair& sheets, const Difference& difference) {
  const Change& mvf = difference.mvf;
  std::string text = fmt::format("{} changes the answer ", sheets.after.stored.phrase());
  text += mvf.value() == 0
              ? fmt::format("as often as before: in {} % of all cases. ", percent(mvf.after.value))
              : fmt::format("in {} % of all cases, not {} %{}. ", percent(mvf.after.value),
                            percent(mvf.before.value), ratio(mvf));
  if (mvf.interval) {
    text += fmt::format(
        "Not every neuron was analysed: the 95 % interval of the change is {} to {} percentage "
        "points, {}. ",
        points(mvf.interval->low), points(mvf.interval->high),
        mvf.beyond() ? "which sampling does not explain" : "which sampling may explain");
  }
  const SiteChange* most = nullptr;
  for (const SiteChange& site : difference.sites) {
    if (!most || std::abs(site.lvf.value()) > std::abs(most->lvf.value())) most = &site;
  }
  if (difference.sites.size() > 1 && most->lvf.value() != 0) {
    text += fmt::format("The layer that moved most is {}: {}. ", shortened(most->name, 24),
                        change_text(most->lvf));
  }
  if (sheets.after.reading == Reading::kHigh) {
    text += "Compared are the high readings: a map without kept thresholds knows no other. ";
  }
  return wrapped(text);
}

std::string names(const std::vector<std::string>& list) {
  std::vector<std::string> safe;
  safe.reserve(list.size());
  for (const std::string& name : list) safe.push_back(printable(name));
  return fmt::format("{}", fmt::join(safe, ", "));
}

std::string notes(const Difference& difference) {
  std::string text;
  for (const std::string& warning : difference.warnings) text += wrapped("Warning: " + warning);
  const auto list = [&](const char* what, const std::vector<std::string>& sites) {
    if (!sites.empty()) text += wrapped(fmt::format("{}: {}.", what, names(sites)));
  };
  list("Only before", difference.only_before);
  list("Only after", difference.only_after);
  list("Other shapes, not compared", difference.unlike);
  return text.empty() ? "" : "\n" + text;
}

std::string heading(const SheetPair& sheets) {
  std::string text = "\n";
  for (const auto& [key, sheet] : {std::pair{"before", &sheets.before}, {"after", &sheets.after}}) {
    text += fmt::format("  {:<8}{}\n", key,
                        shortened(fmt::format("{}, {} inputs of {}, {} {}", printable(sheet->model),
                                              sheet->inputs(), printable(sheet->data),
                                              sheet->stored.format, sheet->stored.fault),
                                  kColumns - 10));
  }
  return text;
}

std::string site_table(const Difference& difference) {
  const bool sampled = difference.mvf.interval.has_value();
  std::vector<TableRow> rows{{"site", "neurons", "before", "after", "change"}};
  if (sampled) rows[0].insert(rows[0].end(), {"95 % from", "to", "beyond"});
  const auto add = [&](const std::string& name, const std::string& neurons, const Change& change) {
    rows.push_back({name, neurons, percent(change.before.value), percent(change.after.value),
                    points(change.value())});
    if (!sampled) return;
    const Interval interval = change.interval.value_or(Interval{change.value(), change.value()});
    rows.back().insert(rows.back().end(), {points(interval.low), points(interval.high),
                                           change.beyond() ? "yes" : "no"});
  };
  for (const SiteChange& site : difference.sites) {
    add(shortened(site.name, 24),
        site.compared == site.population ? fmt::format("{}", site.population)
                                         : fmt::format("{} of {}", site.compared, site.population),
        site.lvf);
  }
  add("all sites (MVF)", "", difference.mvf);
  return table("Sites: share of faults that change the answer, in %; change in percentage points",
               rows, 1);
}

std::string neuron_table(const Difference& difference) {
  if (difference.moved == 0) return "\nNo neuron that is in both files has moved.\n";
  if (difference.neurons.empty()) return "";
  std::vector<TableRow> rows{{"site", "neuron", "before", "after", "change"}};
  for (const NeuronChange& moved : difference.neurons) {
    rows.push_back({shortened(moved.site, 24),
                    fmt::format("({})", fmt::join(neuron_index(moved.shape, moved.neuron), ",")),
                    percent(moved.before), percent(moved.after),
                    points(moved.after - moved.before)});
  }
  return table(fmt::format("Neurons that moved most, of {} that moved: NVF in %", difference.moved),
               rows, 2);
}

json to_json(const std::optional<Interval>& interval) {
  return interval ? json{interval->low, interval->high} : json();
}

json to_json(const Figure& figure) {
  return {{"value", figure.value},
          {"low", figure.low},
          {"high", figure.high},
          {"interval", to_json(figure.interval)}};
}

json to_json(const Change& change) {
  return {{"before", to_json(change.before)},
          {"after", to_json(change.after)},
          {"change", change.value()},
          {"interval", to_json(change.interval)},
          {"beyond", change.beyond()}};
}

json to_json(const FactorSheet& sheet) {
  return {{"model", sheet.model},       {"sha256", sheet.model_sha256},
          {"data", sheet.data},         {"data_sha256", sheet.data_sha256},
          {"inputs", sheet.inputs()},   {"format", sheet.stored.format},
          {"fault", sheet.stored.fault}};
}

}  // namespace

std::string to_text(const SheetPair& sheets, const Difference& difference) {
  return summary(sheets, difference) + heading(sheets) + notes(difference) +
         site_table(difference) + neuron_table(difference);
}

std::string to_json(const SheetPair& sheets, const Difference& difference) {
  json sites = json::array(), neurons = json::array();
  for (const SiteChange& site : difference.sites) {
    sites.push_back({{"name", site.name},
                     {"population", site.population},
                     {"compared", site.compared},
                     {"lvf", to_json(site.lvf)}});
  }
  for (const NeuronChange& moved : difference.neurons) {
    neurons.push_back({{"site", moved.site},
                       {"neuron", moved.neuron},
                       {"before", moved.before},
                       {"after", moved.after},
                       {"change", moved.after - moved.before}});
  }
  const json document{{"before", to_json(sheets.before)},
                      {"after", to_json(sheets.after)},
                      {"reading", sheets.after.reading == Reading::kHigh ? "high" : "resolved"},
                      {"warnings", difference.warnings},
                      {"mvf", to_json(difference.mvf)},
                      {"sites", sites},
                      {"only_before", difference.only_before},
                      {"only_after", difference.only_after},
                      {"unlike", difference.unlike},
                      {"moved", difference.moved},
                      {"neurons", neurons}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vigor
