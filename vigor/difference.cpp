#include "difference.h"

#include <algorithm>
#include <cmath>

#include "error.h"
#include "printable.h"

namespace vigor {

namespace {

constexpr Interval kChanges{-1, 1};

Interval interval_or_value(const Figure& figure) {
  return figure.interval.value_or(Interval{figure.value, figure.value});
}

// Of the difference of two independent estimates: each end by the nearer ends of theirs.
std::optional<Interval> combined(const Figure& before, const Figure& after) {
  if (!before.interval && !after.interval) return std::nullopt;
  const Interval a = interval_or_value(before), b = interval_or_value(after);
  const double change = after.value - before.value;
  return Interval{change - std::hypot(after.value - b.low, a.high - before.value),
                  change + std::hypot(b.high - after.value, before.value - a.low)};
}

bool same_neurons(const SiteFigures& before, const SiteFigures& after) {
  return before.site.neurons == after.site.neurons;
}

// Changes of the neurons of a site that both files hold alike.
Sample changes(const SiteFigures& before, const SiteFigures& after) {
  Sample sample{{}, after.lvf.value - before.lvf.value, after.site.population};
  for (size_t k = 0; k < after.nvf.size(); ++k) {
    sample.values.push_back(after.nvf[k] - before.nvf[k]);
  }
  return sample;
}

class Differ {
 public:
  Differ(const FactorSheet& before, const FactorSheet& after) : before_(before), after_(after) {}

  Difference run(int top) {
    match_sites();
    if (result_.sites.empty()) {
      fail("diff", "the files have no site of the same name and shape in common");
    }
    result_.mvf = {before_.mvf, after_.mvf, std::nullopt};
    const bool all = parts_.size() == after_.sites.size() && parts_.size() == before_.sites.size();
    result_.mvf.interval = all ? mean_interval(parts_, result_.mvf.value(), kChanges)
                               : combined(before_.mvf, after_.mvf);
    add_warnings();
    auto& neurons = result_.neurons;
    std::stable_sort(neurons.begin(), neurons.end(), [](const auto& a, const auto& b) {
      return std::abs(a.after - a.before) > std::abs(b.after - b.before);
    });
    result_.moved = std::ssize(neurons);
    neurons.resize(std::min(neurons.size(), static_cast<size_t>(top)));
    return std::move(result_);
  }

 private:
  const SiteFigures* site_before(const std::string& name) const {
    const auto at = std::ranges::find_if(
        before_.sites, [&](const SiteFigures& site) { return site.site.name == name; });
    return at == before_.sites.end() ? nullptr : &*at;
  }

  void match_sites() {
    for (const SiteFigures& site : before_.sites) {
      result_.only_before.push_back(site.site.name);
    }
    for (const SiteFigures& after : after_.sites) {
      const SiteFigures* before = site_before(after.site.name);
      if (!before) {
        result_.only_after.push_back(after.site.name);
        continue;
      }
      std::erase(result_.only_before, after.site.name);
      if (before->shape != after.shape) {
        result_.unlike.push_back(fmt::format("{} ({}, {})", printable(after.site.name),
                                             to_string(before->shape), to_string(after.shape)));
        continue;
      }
      compare_site(*before, after);
    }
  }

  void compare_site(const SiteFigures& before, const SiteFigures& after) {
    Change change{before.lvf, after.lvf, std::nullopt};
    if (same_neurons(before, after)) {
      parts_.push_back(changes(before, after));
      change.interval = mean_interval(parts_.back(), kChanges);
    } else {
      change.interval = combined(before.lvf, after.lvf);
    }
    const int64_t compared = compare_neurons(before, after);
    result_.sites.push_back({after.site.name, after.site.population, compared, change});
  }

  // Both lists of neurons are ascending. Returns how many are in both.
  int64_t compare_neurons(const SiteFigures& before, const SiteFigures& after) {
    int64_t compared = 0;
    for (size_t i = 0, j = 0; i < before.nvf.size() && j < after.nvf.size();) {
      const int64_t a = before.site.neurons[i], b = after.site.neurons[j];
      if (a == b) {
        ++compared;
        if (before.nvf[i] != after.nvf[j]) {
          result_.neurons.push_back({after.site.name, after.shape, a, before.nvf[i], after.nvf[j]});
        }
      }
      i += a <= b ? 1 : 0;
      j += b <= a ? 1 : 0;
    }
    return compared;
  }

  void add_warnings() {
    auto& warnings = result_.warnings;
    if (before_.data_sha256 != after_.data_sha256) {
      warnings.push_back(
          fmt::format("Other inputs ({} before, {} after): changes may be those of the data.",
                      before_.inputs(), after_.inputs()));
    }
    if (before_.bits != after_.bits) {
      warnings.push_back(fmt::format(
          "{} bits a value before, {} after: factors are per flip, and a value of more bits is "
          "hit more often.",
          before_.bits, after_.bits));
    }
    if (before_.stored.fault != after_.stored.fault) {
      warnings.push_back(fmt::format("Other faults: {} before, {} after.", before_.stored.fault,
                                     after_.stored.fault));
    }
    // A map names no method of the search.
    if (before_.method != after_.method && before_.method != "map" && after_.method != "map") {
      warnings.push_back(fmt::format("Other methods: {} before, {} after.",
                                     printable(before_.method), printable(after_.method)));
    }
    if (before_.classes != after_.classes) {
      warnings.push_back(
          fmt::format("{} classes before, {} after.", before_.classes, after_.classes));
    }
    if (result_.sites.size() != before_.sites.size() ||
        result_.sites.size() != after_.sites.size()) {
      warnings.emplace_back(
          "Not all sites are in both files: the model's factors are means over "
          "other neurons.");
    }
  }

  const FactorSheet& before_;
  const FactorSheet& after_;
  Difference result_;
  std::vector<Sample> parts_;  // of the sites whose neurons are the same
};

}  // namespace

Difference difference(const FactorSheet& before, const FactorSheet& after, int top) {
  return Differ(before, after).run(std::max(top, 0));
}

SheetPair read_sheet_pair(const std::filesystem::path& before, const std::filesystem::path& after) {
  SheetPair pair{read_factor_sheet(before), read_factor_sheet(after)};
  if (pair.before.reading != pair.after.reading) {
    pair.before = read_factor_sheet(before, Reading::kHigh);
    pair.after = read_factor_sheet(after, Reading::kHigh);
  }
  return pair;
}

}  // namespace vigor
