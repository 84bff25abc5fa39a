// `vigor diff`: what has changed between two result files, before and after hardening, quantising
// or retraining.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "factor_sheet.h"

namespace vigor {

/// A factor before and after. Where neurons were sampled, `interval` is that of the change: t
/// interval of the neurons' own changes where both files hold the same neurons, else from the two
/// intervals (Newcombe's combination, cautious).
struct Change {
  Figure before, after;
  std::optional<Interval> interval;

  double value() const { return after.value - before.value; }
  /// Whether it is more than sampling explains.
  bool beyond() const { return interval ? interval->low > 0 || interval->high < 0 : value() != 0; }
};

struct SiteChange {
  std::string name;
  int64_t population = 0;
  int64_t compared = 0;  // neurons that both files hold
  Change lvf;
};

struct NeuronChange {
  std::string site;
  Shape shape;  // of the site's tensor
  int64_t neuron;
  double before, after;  // NVF
};

struct Difference {
  std::vector<std::string> warnings;  // what else differs, in words: data, bits, method
  Change mvf;                         // over all sites of either file
  std::vector<SiteChange> sites;      // of the same name and shape, in the order of `after`
  std::vector<std::string> only_before, only_after;
  std::vector<std::string> unlike;    // same name, other shape: "conv1 (6x28x28, 8x28x28)"
  int64_t moved = 0;                  // neurons in both files whose NVF has changed
  std::vector<NeuronChange> neurons;  // the `top` of them that moved most
};

/// Both must be in the same reading. Throws Error where they have no site in common.
Difference difference(const FactorSheet& before, const FactorSheet& after, int top);
/// Reads both, in the reading that they have in common.
struct SheetPair {
  FactorSheet before, after;
};
SheetPair read_sheet_pair(const std::filesystem::path& before, const std::filesystem::path& after);

/// In plain words, then tables.
std::string to_text(const SheetPair& sheets, const Difference& difference);
/// {"before", "after": {"model", "sha256", "data", "data_sha256", "inputs", "format", "fault"},
///  "reading", "warnings": [TEXT], "mvf": CHANGE,
///  "sites": [{"name", "population", "compared", "lvf": CHANGE}],
///  "only_before", "only_after", "unlike": [NAME], "moved",
///  "neurons": [{"site", "neuron" (flat), "before", "after", "change"}]}
///   CHANGE = {"before", "after": {"value", "low", "high", "interval"}, "change", "interval",
///             "beyond"}; intervals are null where all neurons were analysed
std::string to_json(const SheetPair& sheets, const Difference& difference);

}  // namespace vigor
