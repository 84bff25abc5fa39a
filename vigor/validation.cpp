#include "validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "correlation.h"
#include "printable.h"
#include "random.h"

namespace vigor {

namespace {

constexpr double kDeviate = 1.959963984540054;  // 95 %
constexpr int64_t kResamples = 1000;
constexpr uint64_t kPurpose = uint64_t{0xB0} << 56;  // apart from other users of the seed

void add(ValidationTally& sum, const ValidationTally& part) {
  for (size_t c = 0; c < kValidationCounts; ++c) sum[c] += part[c];
}

double ratio(double hits, double of) {
  return of > 0 ? hits / of : std::numeric_limits<double>::quiet_NaN();
}

// Faults that each one drawn in the site stands for, neurons that were not sampled included.
double weight(const ValidationSite& site, const ValidationTally& sum) {
  const auto drawn = static_cast<double>(sum[kDrawn] + site.class_not_seen);
  const double sampled =
      static_cast<double>(site.site.population) / static_cast<double>(site.site.neurons.size());
  return drawn > 0 ? site.faults_there_are / drawn * sampled : 0;
}

class Shares {
 public:
  Shares(const ValidationSet& set, std::span<const ShareRule> rules) : set_(set), rules_(rules) {
    for (const ValidationSite& site : set.sites) {
      sums_.push_back(total(site));
      weights_.push_back(weight(site, sums_.back()));
    }
    result_.sites.resize(set.sites.size() + 1, std::vector<ValidationShare>(rules.size()));
  }

  ValidationShares run() {
    for (size_t r = 0; r < rules_.size(); ++r) {
      for (size_t s = 0; s < set_.sites.size(); ++s) at(s, r) = of_site(s, r);
      at(set_.sites.size(), r) = of_all(r);
    }
    bootstrap();
    return std::move(result_);
  }

 private:
  ValidationShare& at(size_t site, size_t rule) { return result_.sites[site][rule]; }

  ValidationShare of_site(size_t s, size_t r) const {
    const ValidationSite& site = set_.sites[s];
    ValidationShare share{sums_[s][rules_[r].hits], sums_[s][rules_[r].of]};
    const auto n = static_cast<double>(share.n);
    share.share = ratio(static_cast<double>(share.k), n);
    if (share.n == 0) return share;
    // As large a part of the faults of this kind was drawn as of all.
    const auto drawn = static_cast<double>(sums_[s][kDrawn] + site.class_not_seen);
    const double there_are = n * site.faults_there_are / drawn;
    share.used = wilson(share.share, effective_trials(n, there_are), kDeviate);
    return share;
  }

  // Sites are strata; the distances of their bounds add up as squares.
  ValidationShare of_all(size_t r) const {
    ValidationShare share;
    double hits = 0, all = 0, below = 0, above = 0;
    for (size_t s = 0; s < sums_.size(); ++s) {
      const ValidationShare& part = result_.sites[s][r];
      share.k += part.k;
      share.n += part.n;
      if (part.n == 0) continue;
      const double mass = weights_[s] * static_cast<double>(part.n);
      hits += mass * part.share;
      all += mass;
      below += std::pow(mass * (part.share - part.used.low), 2);
      above += std::pow(mass * (part.used.high - part.share), 2);
    }
    share.share = ratio(hits, all);
    if (all == 0) return share;
    share.used = {std::max(0.0, share.share - std::sqrt(below) / all),
                  std::min(1.0, share.share + std::sqrt(above) / all)};
    return share;
  }

  // Inputs, each with all its faults in all sites, drawn with replacement as often as there are.
  void bootstrap() {
    const auto inputs = set_.sites.empty() ? size_t{0} : set_.sites.front().by_input.size();
    if (inputs == 0) return;
    const Philox random(set_.seed);
    std::vector<std::vector<std::vector<double>>> found(
        result_.sites.size(), std::vector<std::vector<double>>(rules_.size()));
    std::vector<ValidationTally> sums(set_.sites.size());
    for (uint64_t sample = 0; sample < kResamples; ++sample) {
      for (ValidationTally& sum : sums) sum.fill(0);
      for (uint64_t i = 0; i < inputs; ++i) {
        const uint64_t input = random.below(inputs, i, kPurpose | sample);
        for (size_t s = 0; s < sums.size(); ++s) add(sums[s], set_.sites[s].by_input[input]);
      }
      for (size_t r = 0; r < rules_.size(); ++r) {
        double hits = 0, all = 0;
        for (size_t s = 0; s < sums.size(); ++s) {
          const auto k = static_cast<double>(sums[s][rules_[r].hits]);
          const auto n = static_cast<double>(sums[s][rules_[r].of]);
          hits += weights_[s] * k;
          all += weights_[s] * n;
          if (n > 0) found[s][r].push_back(k / n);
        }
        if (all > 0) found.back()[r].push_back(hits / all);
      }
    }
    for (size_t s = 0; s < found.size(); ++s) {
      for (size_t r = 0; r < rules_.size(); ++r) at(s, r).unseen = unseen(s, r, found[s][r]);
    }
  }

  Interval unseen(size_t s, size_t r, std::vector<double>& found) const {
    const ValidationShare& share = result_.sites[s][r];
    if (share.n == 0 || found.empty()) return {0, 1};
    if (share.k == 0 || share.k == share.n) {
      return wilson(share.share, static_cast<double>(inputs_with(s, r)), kDeviate);
    }
    std::sort(found.begin(), found.end());
    const auto quantile = [&](double p) {
      return found[static_cast<size_t>(p * static_cast<double>(found.size() - 1))];
    };
    return {quantile(0.025), quantile(0.975)};
  }

  // Where all agree a bootstrap sees no spread: then inputs, not faults, are what was tried.
  int64_t inputs_with(size_t s, size_t r) const {
    int64_t count = 0;
    const size_t first = s < sums_.size() ? s : 0, end = s < sums_.size() ? s + 1 : sums_.size();
    for (size_t i = 0; i < set_.sites.front().by_input.size(); ++i) {
      bool any = false;
      for (size_t t = first; t < end; ++t) any |= set_.sites[t].by_input[i][rules_[r].of] > 0;
      count += any;
    }
    return count;
  }

  const ValidationSet& set_;
  std::span<const ShareRule> rules_;
  std::vector<ValidationTally> sums_;
  std::vector<double> weights_;
  ValidationShares result_;
};

}  // namespace

ValidationTally total(const ValidationSite& site) {
  ValidationTally sum{};
  for (const ValidationTally& tally : site.by_input) add(sum, tally);
  return sum;
}

ValidationShares shares(const ValidationSet& set, std::span<const ShareRule> rules) {
  return Shares(set, rules).run();
}

Tracking lvf_against_loss(const ValidationSet& set) {
  std::vector<double> lvf, loss;
  for (const ValidationSite& site : set.sites) {
    if (std::isnan(site.accuracy_loss) || std::isnan(site.lvf.resolved)) continue;
    lvf.push_back(site.lvf.resolved);
    loss.push_back(site.accuracy_loss);
  }
  return {pearson(lvf, loss), spearman(lvf, loss)};
}

std::vector<std::string> shortfalls(const Validation& validation, double least) {
  const std::span rules = std::span(kShareRules).first(2);
  std::vector<std::string> lines;
  for (const ValidationSet& set : validation.sets) {
    const ValidationShares found = shares(set, rules);
    for (size_t s = 0; s < found.sites.size(); ++s) {
      const bool all = s == set.sites.size();
      for (size_t r = 0; r < rules.size(); ++r) {
        const ValidationShare& share = found.sites[s][r];
        const double reached = all ? share.used.low : share.share;
        if (share.n == 0 || reached >= least) continue;
        lines.push_back(fmt::format("{}, {}: {}{} {:.6f}, required {:.6f}", printable(set.name),
                                    all ? "all sites" : printable(set.sites[s].site.name),
                                    r == 0 ? "true non-critical" : "true critical",
                                    all ? ", lower end" : "", reached, least));
      }
    }
  }
  return lines;
}

}  // namespace vigor
