#include <limits>
#include <vector>

#include "factors.h"
#include "sealed_file.h"
#include "store.h"
#include "store_head.h"

namespace vigor {

namespace {

// [R, K, 2] with NaN where no input entered: `members` inputs of a row, or per entry.
template <typename T>
std::vector<T> blanked(std::vector<T> values, const std::vector<int64_t>& members) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (members[i] == 0) values[i] = std::numeric_limits<T>::quiet_NaN();
  }
  return values;
}

// Inputs behind each entry of [R, K, 2].
std::vector<int64_t> members_of(const SiteTally& tally, const std::vector<int64_t>& class_inputs) {
  std::vector<int64_t> members;
  for (size_t row = 0; row < static_cast<size_t>(tally.rows); ++row) {
    const int64_t count = tally.rows == 1 ? class_inputs.back() : class_inputs[row];
    members.insert(members.end(), static_cast<size_t>(2 * tally.neurons), count);
  }
  return members;
}

void put_factor(const Hdf5Group& group, const std::string& name, const Factor& factor) {
  group.put(name + "_low", factor.low);
  group.put(name, factor.resolved);
  group.put(name + "_high", factor.high);
  group.put(name + "_nan", factor.nan);
  if (factor.interval) {
    group.put(name + "_interval", std::vector{factor.interval->low, factor.interval->high});
  }
}

void put_ranges(const Hdf5Group& group, const SiteTally& tally, const Run& run) {
  const Extents extents{static_cast<hsize_t>(tally.rows), static_cast<hsize_t>(tally.neurons), 2};
  const std::vector<int64_t> members = members_of(tally, run.class_inputs());
  std::vector<float> shares(tally.finite.size());
  for (size_t i = 0; i < shares.size(); ++i) {
    shares[i] = static_cast<float>(tally.finite[i]) / static_cast<float>(members[i]);
  }
  group.put_array("nonvulnerable", blanked(tally.nonvulnerable, members), extents);
  group.put_array("golden", blanked(tally.golden, members), extents);
  if (!run.has_vulnerable) return;
  group.put_array("vulnerable", blanked(tally.vulnerable, members), extents);
  group.put_array("vulnerable_finite", blanked(tally.vulnerable_finite, tally.finite), extents);
  group.put_array("finite", tally.finite, extents);
  group.put_array("finite_share", blanked(std::move(shares), members), extents);
}

void put_counts(const Hdf5Group& group, const SiteResult& site, const Run& run) {
  const SiteTally& tally = site.tally;
  const auto neurons = static_cast<hsize_t>(tally.neurons);
  group.put_array("contradictions", tally.contradictions, {neurons});
  group.put_array("probes", tally.probes, {neurons});
  if (!run.has_factors) return;
  const Extents cells{neurons, kBits};
  group.put_array("count_low", tally.critical_low, cells);
  group.put_array("count", tally.critical, cells);
  group.put_array("count_high", tally.critical_high, cells);
  group.put_array("count_nan", tally.critical_nan, cells);
  group.put_array("count_beyond", tally.critical_beyond, cells);
  std::vector<float> bits, means;
  for (int64_t k = 0; k < tally.neurons; ++k) {
    for (int bit = 0; bit < kBits; ++bit) {
      bits.push_back(static_cast<float>(bvf(site, run.inputs(), k, bit)));
    }
    means.push_back(static_cast<float>(nvf(site, run.inputs(), k)));
  }
  group.put_array("bvf", bits, cells);
  group.put_array("nvf", means, {neurons});
  group.put_array("overflow", tally.overflow, {neurons});
  group.put_array("threshold_histogram", tally.histogram, {2, kHistogramBins});
}

// One array per count of the paper's method.
void put_paper(const Hdf5Group& group, SiteTally tally) {
  for (int count = 0; count < kPaperCounts; ++count) {
    std::vector<int64_t> values;
    for (int64_t k = 0; k < tally.neurons; ++k) {
      values.push_back(tally.paper_count(k, static_cast<PaperCount>(count)));
    }
    group.put_array(kPaperCountNames[count], values, {values.size()});
  }
}

void put_site(const Hdf5Group& group, const SiteResult& site, const Run& run) {
  const auto neurons = static_cast<hsize_t>(site.tally.neurons);
  put_site_head(group, site);
  group.put("sampled", int32_t{site.tally.neurons < site.site.population});
  if (run.has_factors) put_factor(group, "lvf", lvf(site, run.inputs()));
  group.put("audited", site.tally.audited);
  group.put("disagreements", site.tally.disagreements);
  group.put("macs", site.tally.macs);
  group.put("cuts", site.cuts);
  put_ranges(group, site.tally, run);
  group.put_array("far_class", site.far_class, {neurons, 2});
  put_counts(group, site, run);
  if (run.method == kPaperMethod) put_paper(group.create("paper"), site.tally);
  if (!site.thresholds.empty()) {
    group.put_array("thresholds", site.thresholds, {run.golden_class.size(), neurons, 2, 2});
  }
}

void put_run(const Hdf5Group& root, const Run& run) {
  put_head(root, run, kAnalysisKind);
  const Hdf5Group sites = root.create("sites");
  int64_t probes = 0;
  for (size_t i = 0; i < run.sites.size(); ++i) {
    put_site(sites.create(fmt::format("{:04}", i)), run.sites[i], run);
    for (const int64_t part : run.sites[i].tally.probes) probes += part;
  }

  const Hdf5Group model = root.create("model");
  if (run.has_factors) put_factor(model, "mvf", mvf(run));
  model.put("weights", weights_text(run));
  model.put("probes", probes);
  model.put("forward_equivalents", forward_equivalents(run));
  model.put("forward_macs", run.forward_macs);

  put_provenance(root, run.provenance);
}

}  // namespace

void write_run(const std::filesystem::path& file, const Run& run) {
  write_sealed(file, [&](const Hdf5Group& root) { put_run(root, run); });
}

}  // namespace vigor
