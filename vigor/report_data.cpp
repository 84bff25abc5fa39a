#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "error.h"
#include "factors.h"
#include "printable.h"
#include "report.h"
#include "report_json.h"
#include "report_pack.h"

namespace vigor {

namespace {

/// What the details of neurons may take before compression: all of them where they fit, else the
/// most vulnerable.
constexpr size_t kDetailBytes = 10'000'000;
constexpr size_t kRowBytes = 5 * 2 * sizeof(float), kNeuronBytes = 5 * kBits * sizeof(uint32_t);

// A position among all neurons analysed, and where it is.
struct Neuron {
  size_t site;
  int64_t k;
};

int64_t critical_flips(const SiteTally& tally, const std::vector<int64_t>& counts, int64_t k) {
  const auto first = counts.begin() + k * kBits;
  return std::accumulate(first, first + (tally.neurons > k ? kBits : 0), int64_t{0});
}

class Data {
 public:
  Data(const Run& run, const ReportOptions& options) : run_(run), options_(options) {
    const std::vector<int64_t> members = run.class_inputs();
    for (size_t row = 0; row < members.size(); ++row) {
      if (members[row] > 0) class_rows_.push_back(static_cast<int64_t>(row));
    }
    choose_detailed();
  }

  std::string text() {
    add_neurons();
    add_detail();
    return pack_.text(report_json(run_, options_, class_rows_));
  }

 private:
  // The most vulnerable neurons of all (of equals the first in the network), and whole sites.
  void choose_detailed() {
    check_detail_names();
    std::vector<std::pair<double, Neuron>> others;
    const auto wanted = [&](const std::string& name) {
      return std::any_of(options_.detail.begin(), options_.detail.end(),
                         [&](const auto& given) { return given == "all" || given == name; });
    };
    for (size_t s = 0; s < run_.sites.size(); ++s) {
      const SiteResult& site = run_.sites[s];
      for (int64_t k = 0; k < site.tally.neurons; ++k) {
        if (wanted(site.site.name)) {
          detailed_.push_back({s, k});
        } else {
          others.push_back({nvf(site, run_.inputs(), k), {s, k}});
        }
      }
    }
    std::stable_sort(others.begin(), others.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    size_t bytes = 0, fitting = 0;
    for (; fitting < others.size(); ++fitting) {
      const SiteTally& tally = run_.sites[others[fitting].second.site].tally;
      bytes += kNeuronBytes + kRowBytes * rows_of(tally).size();
      if (bytes > kDetailBytes) break;
    }
    if (fitting < others.size())
      fitting = std::min(fitting, static_cast<size_t>(options_.detailed));
    for (size_t i = 0; i < fitting; ++i) detailed_.push_back(others[i].second);
    std::sort(detailed_.begin(), detailed_.end(), [](const Neuron& a, const Neuron& b) {
      return std::tie(a.site, a.k) < std::tie(b.site, b.k);
    });
  }

  void check_detail_names() const {
    std::vector<std::string> names;
    for (const SiteResult& site : run_.sites) names.push_back(site.site.name);
    for (const std::string& name : options_.detail) {
      if (name == "all" || std::find(names.begin(), names.end(), name) != names.end()) continue;
      for (std::string& known : names) known = printable(known);
      fail("detail", "got '{}', expected all or one of: {}", printable(name),
           fmt::join(names, ", "));
    }
  }

  // Rows of a site that hold something: classes with inputs, all inputs last.
  std::vector<int64_t> rows_of(const SiteTally& tally) const {
    return tally.rows == 1 ? std::vector<int64_t>{0} : class_rows_;
  }

  void add_neurons() {
    std::vector<uint32_t> neuron, low, resolved, high, nan, contradictions;
    std::vector<uint8_t> worst;
    std::vector<int32_t> far;
    Ranges ranges;
    for (const SiteResult& site : run_.sites) {
      const SiteTally& tally = site.tally;
      for (int64_t k = 0; k < tally.neurons; ++k) {
        const auto count = [&](const std::vector<int64_t>& counts) {
          return static_cast<uint32_t>(critical_flips(tally, counts, k));
        };
        const auto i = static_cast<size_t>(k);
        neuron.push_back(static_cast<uint32_t>(site.site.neurons[i]));
        low.push_back(count(tally.critical_low));
        resolved.push_back(count(tally.critical));
        high.push_back(count(tally.critical_high));
        nan.push_back(count(tally.critical_nan));
        worst.push_back(static_cast<uint8_t>(worst_bit(site, run_.inputs(), k)));
        contradictions.push_back(static_cast<uint32_t>(
            std::min<int64_t>(tally.contradictions[i], std::numeric_limits<uint32_t>::max())));
        far.insert(far.end(), {site.far_class[2 * i], site.far_class[2 * i + 1]});
        ranges.add(tally, tally.rows - 1, k);
      }
    }
    pack_.add("neuron", neuron);
    pack_.add("critical_low", low);
    pack_.add("critical", resolved);
    pack_.add("critical_high", high);
    pack_.add("critical_nan", nan);
    pack_.add("worst_bit", worst);
    pack_.add("contradictions", contradictions);
    pack_.add("far_class", far);
    ranges.put(pack_, "");
  }

  void add_detail() {
    std::vector<uint32_t> position, low, resolved, high, nan, beyond;
    std::vector<uint32_t> first(1, 0);
    for (const SiteResult& site : run_.sites) {
      first.push_back(first.back() + static_cast<uint32_t>(site.tally.neurons));
    }
    Ranges ranges;
    for (const Neuron& at : detailed_) {
      const SiteTally& tally = run_.sites[at.site].tally;
      position.push_back(first[at.site] + static_cast<uint32_t>(at.k));
      for (const int64_t row : rows_of(tally)) ranges.add(tally, row, at.k);
      for (int bit = 0; bit < kBits; ++bit) {
        const auto cell = static_cast<size_t>(at.k * kBits + bit);
        low.push_back(static_cast<uint32_t>(tally.critical_low[cell]));
        resolved.push_back(static_cast<uint32_t>(tally.critical[cell]));
        high.push_back(static_cast<uint32_t>(tally.critical_high[cell]));
        nan.push_back(static_cast<uint32_t>(tally.critical_nan[cell]));
        beyond.push_back(static_cast<uint32_t>(tally.critical_beyond[cell]));
      }
    }
    pack_.add("detail", position);
    pack_.add("detail_critical_low", low);
    pack_.add("detail_critical", resolved);
    pack_.add("detail_critical_high", high);
    pack_.add("detail_critical_nan", nan);
    pack_.add("detail_critical_beyond", beyond);
    ranges.put(pack_, "detail_");
  }

  // (lower, upper) pairs, one row of one neuron after the other.
  struct Ranges {
    std::vector<float> nonvulnerable, vulnerable, vulnerable_finite, golden;
    std::vector<uint32_t> finite;

    void add(const SiteTally& tally, int64_t row, int64_t k) {
      const auto entry = static_cast<size_t>(2 * (row * tally.neurons + k));
      for (size_t i = entry; i < entry + 2; ++i) {
        nonvulnerable.push_back(toward_zero(tally.nonvulnerable[i]));
        vulnerable.push_back(away_from_zero(tally.vulnerable[i]));
        vulnerable_finite.push_back(tally.finite[i] > 0 ? away_from_zero(tally.vulnerable_finite[i])
                                                        : std::nanf(""));
        golden.push_back(tally.golden[i]);
        finite.push_back(static_cast<uint32_t>(tally.finite[i]));
      }
    }

    void put(ReportPack& pack, const std::string& prefix) const {
      pack.add(prefix + "nonvulnerable", nonvulnerable);
      pack.add(prefix + "vulnerable", vulnerable);
      pack.add(prefix + "golden", golden);
      if (prefix.empty()) return;  // of all neurons: no more than tables and drawings need
      pack.add(prefix + "vulnerable_finite", vulnerable_finite);
      pack.add(prefix + "finite", finite);
    }
  };

  const Run& run_;
  const ReportOptions& options_;
  std::vector<int64_t> class_rows_;  // classes with inputs, then the row of all inputs
  std::vector<Neuron> detailed_;
  ReportPack pack_;
};

}  // namespace

float toward_zero(double value) {
  const auto near = static_cast<float>(value);
  return std::abs(static_cast<double>(near)) > std::abs(value) ? std::nextafter(near, 0.0F) : near;
}

float away_from_zero(double value) {
  const auto near = static_cast<float>(value);
  if (std::abs(static_cast<double>(near)) >= std::abs(value) || std::isnan(value)) return near;
  return std::nextafter(near, value > 0 ? std::numeric_limits<float>::infinity()
                                        : -std::numeric_limits<float>::infinity());
}

std::string report_data(const Run& run, const ReportOptions& options) {
  require_factors(run, "report");
  return Data(run, options).text();
}

}  // namespace vigor
