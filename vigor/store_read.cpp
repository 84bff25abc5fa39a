#include <algorithm>
#include <cmath>

#include "sealed_file.h"
#include "store.h"
#include "store_head.h"

namespace vigor {

namespace {

/// Every field is checked against those read before it.
class RunReader {
 public:
  explicit RunReader(const Hdf5Group& root) : root_(root) {}

  Run run() {
    read_head(root_, run_);
    inputs_ = run_.inputs();
    const Hdf5Group sites = root_.open("sites");
    most_ = kMost / within(sites.members(), 1, kMost, "/sites");
    const Hdf5Group first = sites.open("0000");
    run_.has_factors = first.has("count");
    run_.has_vulnerable = first.has("vulnerable");
    for (int64_t i = 0; i < sites.members(); ++i) {
      read_site(sites.open(fmt::format("{:04}", i)));
    }
    return std::move(run_);
  }

 private:
  void read_site(const Hdf5Group& group) {
    SiteResult site{read_site_head(group), {}, {}, 0, {}};
    site.tally.neurons = static_cast<int64_t>(site.site.neurons.size());
    read_ranges(group, site.tally);
    read_counts(group, site.tally);
    const auto neurons = static_cast<hsize_t>(site.tally.neurons);
    site.far_class = group.get_array<int32_t>("far_class", {neurons, 2});
    within(site.far_class, -1, run_.classes - 1, group.path("far_class"));
    site.cuts = within(group.get<int64_t>("cuts"), 0, site.tally.neurons, group.path("cuts"));
    if (group.has("thresholds")) {
      site.thresholds =
          group.get_array<float>("thresholds", {run_.golden_class.size(), neurons, 2, 2});
    }
    run_.sites.push_back(std::move(site));
  }

  void read_ranges(const Hdf5Group& group, SiteTally& tally) {
    const auto neurons = static_cast<hsize_t>(tally.neurons);
    const Extents found = group.extents("nonvulnerable");
    tally.rows = found.size() == 3 && found[0] == 1 ? 1 : run_.classes + 1;
    const Extents extents{static_cast<hsize_t>(tally.rows), neurons, 2};
    tally.nonvulnerable = group.get_array<double>("nonvulnerable", extents);
    tally.golden = group.get_array<float>("golden", extents);
    if (!run_.has_vulnerable) {
      tally.vulnerable.assign(tally.nonvulnerable.size(), std::nan(""));
      tally.vulnerable_finite = tally.vulnerable;
      tally.finite.assign(tally.nonvulnerable.size(), 0);
      return;
    }
    tally.vulnerable = group.get_array<double>("vulnerable", extents);
    tally.vulnerable_finite = group.get_array<double>("vulnerable_finite", extents);
    tally.finite = group.get_array<int64_t>("finite", extents);
    within(tally.finite, 0, inputs_, group.path("finite"));
  }

  void read_counts(const Hdf5Group& group, SiteTally& tally) {
    const auto neurons = static_cast<hsize_t>(tally.neurons);
    const auto counts = [&](const std::string& name, const Extents& extents, int64_t most) {
      return within(group.get_array<int64_t>(name, extents), 0, most, group.path(name));
    };
    const int64_t most = most_of(tally.neurons);
    tally.contradictions = counts("contradictions", {neurons}, most);
    tally.probes = counts("probes", {neurons}, most);
    if (run_.has_factors) {
      tally.critical_low = counts("count_low", {neurons, kBits}, inputs_);
      tally.critical = counts("count", {neurons, kBits}, inputs_);
      tally.critical_high = counts("count_high", {neurons, kBits}, inputs_);
      tally.critical_nan = counts("count_nan", {neurons, kBits}, inputs_);
      tally.critical_beyond = counts("count_beyond", {neurons, kBits}, inputs_);
      tally.overflow = counts("overflow", {neurons}, most);
      tally.histogram =
          counts("threshold_histogram", {2, kHistogramBins}, most_of(2 * kHistogramBins));
    }
    read_paper(group, tally);
    tally.audited = within(group.get<int64_t>("audited"), 0, most_, group.path("audited"));
    tally.disagreements =
        within(group.get<int64_t>("disagreements"), 0, tally.audited, group.path("disagreements"));
    tally.macs = within(group.get<int64_t>("macs"), 0, most_, group.path("macs"));
  }

  void read_paper(const Hdf5Group& group, SiteTally& tally) {
    tally.paper.assign(static_cast<size_t>(tally.neurons * kPaperCounts), 0);
    if (run_.method != kPaperMethod) return;
    const Hdf5Group paper = group.open("paper");
    for (int count = 0; count < kPaperCounts; ++count) {
      const char* name = kPaperCountNames[count];
      const auto values =
          within(paper.get_array<int64_t>(name, {static_cast<hsize_t>(tally.neurons)}), 0,
                 most_of(tally.neurons), paper.path(name));
      for (int64_t k = 0; k < tally.neurons; ++k) {
        tally.paper_count(k, static_cast<PaperCount>(count)) = values[static_cast<size_t>(k)];
      }
    }
  }

  // The greatest count of which that many in every site have a sum.
  int64_t most_of(int64_t counts) const { return most_ / std::max<int64_t>(counts, 1); }

  const Hdf5Group& root_;
  Run run_;
  int64_t inputs_ = 0;
  int64_t most_ = 0;  // of the sum over a site
};

}  // namespace

Run read_run(const std::filesystem::path& file) {
  Run run;
  read_sealed(file, [&](const Hdf5Group& root) {
    check_schema(file.string(), root, kAnalysisKind);
    run = RunReader(root).run();
  });
  return run;
}

}  // namespace vigor
