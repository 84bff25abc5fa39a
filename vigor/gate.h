// `vigor gate`: are the factors of a run within limits?
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "factor_sheet.h"

namespace vigor {

/// Greatest shares that are let through.
struct Limits {
  std::optional<double> mvf;
  std::optional<double> lvf;  // of every site that is not named
  std::map<std::string, double> site_lvf;

  bool empty() const { return !mvf && !lvf && site_lvf.empty(); }
};

/// "0.02" or "2%": a share from 0 to 1. Throws Error naming `option`.
double parse_share(const std::string& text, const std::string& option);
/// Adds "0.05" (every site) or "conv1=0.05". Throws Error, also where a limit is given twice.
void add_lvf_limit(Limits& limits, const std::string& text);

/// A figure held against its limit. Sampled runs are judged by the upper end of their interval.
struct Check {
  std::string figure;  // "MVF" or "LVF"
  std::string site;    // empty: the model
  double value = 0, judged = 0, limit = 0;
  bool over = false;
};

/// In the order model, sites. Throws Error for a site that the file has not, with those it has.
std::vector<Check> check_limits(const FactorSheet& sheet, const Limits& limits);
bool passes(const std::vector<Check>& checks);

/// What is over, in words and a table of all checks.
std::string to_text(const FactorSheet& sheet, const std::vector<Check>& checks);
/// {"model", "sha256", "format", "fault", "reading", "passed",
///  "checks": [{"figure", "site" (null: the model), "value", "judged", "limit", "over"}]}
std::string to_json(const FactorSheet& sheet, const std::vector<Check>& checks);

}  // namespace vigor
