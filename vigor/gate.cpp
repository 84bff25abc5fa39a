#include "gate.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "error.h"
#include "printable.h"
#include "text_table.h"

namespace vigor {

namespace {

Check check(const std::string& figure, const std::string& site, const Figure& found, double limit) {
  // Written so that NaN does not pass.
  return {figure, site, found.value, found.upper(), limit, !(found.upper() <= limit)};
}

void check_sites(const FactorSheet& sheet, const Limits& limits) {
  std::vector<std::string> names;
  for (const SiteFigures& site : sheet.sites) names.push_back(site.site.name);
  for (const auto& [name, limit] : limits.site_lvf) {
    if (std::ranges::count(names, name) > 0) continue;
    for (std::string& known : names) known = printable(known);
    fail("--max-lvf", "got site '{}', expected one of: {}", printable(name),
         fmt::join(names, ", "));
  }
}

std::string title(const Check& check) {
  return check.site.empty() ? check.figure
                            : fmt::format("{} {}", check.figure, shortened(check.site, 24));
}

}  // namespace

double parse_share(const std::string& text, const std::string& option) {
  const bool percent = text.ends_with('%');
  const char* end = text.data() + text.size() - (percent ? 1 : 0);
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const double share = percent ? value / 100 : value;
  if (error != std::errc() || stop != end || !(share >= 0 && share <= 1)) {
    fail(option, "got '{}', expected a share from 0 to 1, or a percentage such as 2%",
         printable(text));
  }
  return share;
}

void add_lvf_limit(Limits& limits, const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos) {
    if (limits.lvf) fail("--max-lvf", "two limits for every site: {}", printable(text));
    limits.lvf = parse_share(text, "--max-lvf");
    return;
  }
  const std::string site = text.substr(0, equals);
  const double share = parse_share(text.substr(equals + 1), "--max-lvf");
  if (!limits.site_lvf.emplace(site, share).second) {
    fail("--max-lvf", "two limits for site {}", printable(site));
  }
}

std::vector<Check> check_limits(const FactorSheet& sheet, const Limits& limits) {
  check_sites(sheet, limits);
  std::vector<Check> checks;
  if (limits.mvf) checks.push_back(check("MVF", "", sheet.mvf, *limits.mvf));
  for (const SiteFigures& site : sheet.sites) {
    const auto own = limits.site_lvf.find(site.site.name);
    const bool named = own != limits.site_lvf.end();
    if (!named && !limits.lvf) continue;
    checks.push_back(check("LVF", site.site.name, site.lvf, named ? own->second : *limits.lvf));
  }
  return checks;
}

bool passes(const std::vector<Check>& checks) {
  return std::ranges::none_of(checks, [](const Check& check) { return check.over; });
}

std::string to_text(const FactorSheet& sheet, const std::vector<Check>& checks) {
  const auto over = std::ranges::count_if(checks, [](const Check& check) { return check.over; });
  const bool sampled = sheet.mvf.interval.has_value();
  std::string text =
      over == 0 ? fmt::format("Passed: {} of {} within the limits.", checks.size(), checks.size())
                : fmt::format("Failed: {} of {} over the limits.", over, checks.size());
  if (sampled) {
    text += " Not every neuron was analysed: judged is the upper end of the 95 % interval.";
  }
  if (sheet.reading == Reading::kHigh) {
    text += " Without kept thresholds the factors are known by their high reading only.";
  }
  std::vector<TableRow> rows{{"figure", "value", "judged", "limit", ""}};
  for (const Check& check : checks) {
    rows.push_back({title(check), percent(check.value), percent(check.judged), percent(check.limit),
                    check.over ? "OVER" : "ok"});
  }
  return wrapped(text) + table(fmt::format("{}: share of faults that change the answer, in %",
                                           shortened(sheet.model, 40)),
                               rows, 1);
}

std::string to_json(const FactorSheet& sheet, const std::vector<Check>& checks) {
  using nlohmann::json;
  json list = json::array();
  for (const Check& check : checks) {
    list.push_back({{"figure", check.figure},
                    {"site", check.site.empty() ? json() : json(check.site)},
                    {"value", check.value},
                    {"judged", check.judged},
                    {"limit", check.limit},
                    {"over", check.over}});
  }
  const json document{{"model", sheet.model},
                      {"sha256", sheet.model_sha256},
                      {"format", sheet.stored.format},
                      {"fault", sheet.stored.fault},
                      {"reading", sheet.reading == Reading::kHigh ? "high" : "resolved"},
                      {"passed", passes(checks)},
                      {"checks", list}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

}  // namespace vigor
