#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "factors.h"
#include "hdf5_group.h"
#include "seal.h"
#include "store.h"

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
  group.put_array("vulnerable", blanked(tally.vulnerable, members), extents);
  group.put_array("vulnerable_finite", blanked(tally.vulnerable_finite, tally.finite), extents);
  group.put_array("finite", tally.finite, extents);
  group.put_array("finite_share", blanked(std::move(shares), members), extents);
  group.put_array("golden", blanked(tally.golden, members), extents);
}

void put_counts(const Hdf5Group& group, const SiteResult& site, const Run& run) {
  const SiteTally& tally = site.tally;
  const auto neurons = static_cast<hsize_t>(tally.neurons);
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
  group.put_array("contradictions", tally.contradictions, {neurons});
  group.put_array("probes", tally.probes, {neurons});
  group.put_array("overflow", tally.overflow, {neurons});
  group.put_array("threshold_histogram", tally.histogram, {2, kHistogramBins});
}

void put_site(const Hdf5Group& group, const SiteResult& site, const Run& run) {
  const auto neurons = static_cast<hsize_t>(site.tally.neurons);
  group.put("name", site.site.name);
  group.put("node", site.node_name);
  group.put("tensor", site.tensor_name);
  group.put("kind", to_string(site.site.kind));
  group.put("shape", site.shape);
  group.put("population", site.site.population);
  group.put("sampled", int32_t{site.tally.neurons < site.site.population});
  put_factor(group, "lvf", lvf(site, run.inputs()));
  group.put("audited", site.tally.audited);
  group.put("disagreements", site.tally.disagreements);
  group.put("macs", site.tally.macs);
  group.put_array("neuron", site.site.neurons, {neurons});
  put_ranges(group, site.tally, run);
  group.put_array("far_class", site.far_class, {neurons, 2});
  put_counts(group, site, run);
  if (!site.thresholds.empty()) {
    group.put_array("thresholds", site.thresholds, {run.golden_class.size(), neurons, 2, 2});
  }
}

void put_head(const Hdf5Group& root, const Run& run) {
  root.put("schema", kSchema);
  root.put("vigor_version", run.version);
  root.put("model", run.model);
  root.put("model_sha256", run.model_sha256);
  root.put("data", run.data);
  root.put("preprocessing", run.preprocessing);
  root.put("split", run.split);
  root.put("data_sha256", run.data_sha256);
  root.put("options", run.options);
  root.put("method", run.method);
  root.put("seed", run.seed);
  root.put("isa", run.provenance.isa);
  root.put("onednn_version", "none");  // the kernels are our own
  root.put("classes", run.classes);
  root.put("class_names", run.class_names);
  root.put_text("graph", run.graph_json);
}

void put_run(const Hdf5Group& root, const Run& run) {
  put_head(root, run);
  const Extents count{run.golden_class.size()};
  const Hdf5Group inputs = root.create("inputs");
  inputs.put_array("index", run.input_index, count);
  inputs.put_array("golden_class", run.golden_class, count);
  inputs.put_array("label", run.label, count);

  const Hdf5Group sites = root.create("sites");
  int64_t probes = 0;
  for (size_t i = 0; i < run.sites.size(); ++i) {
    put_site(sites.create(fmt::format("{:04}", i)), run.sites[i], run);
    for (const int64_t part : run.sites[i].tally.probes) probes += part;
  }

  const Hdf5Group model = root.create("model");
  put_factor(model, "mvf", mvf(run));
  model.put("weights", weights_text(run));
  model.put("probes", probes);
  model.put("forward_equivalents", forward_equivalents(run));
  model.put("forward_macs", run.forward_macs);

  const Hdf5Group provenance = root.create("provenance");
  provenance.put("seconds", run.provenance.seconds);
  provenance.put("machine", run.provenance.machine);
  provenance.put("threads", int64_t{run.provenance.threads});
  provenance.put("ranks", int64_t{1});
  provenance.put("time", run.provenance.time);
  provenance.put("command", run.provenance.command);
  root.put("finished", int32_t{1});
}

// The HDF5 part, made in memory: HDF5 does not survive a full disk. In its earliest format, since
// H5Fget_file_image (1.10.8) breaks the checksum of later superblocks; tracking the order of
// attributes lets them exceed 64 KiB all the same.
std::vector<char> image_of(const Run& run) {
  constexpr size_t kGrowth = size_t{1} << 20;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  checked(H5Pset_fapl_core(access, kGrowth, false));
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  checked(H5Pset_obj_track_times(creation, false));
  checked(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  checked(H5Pset_attr_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  const Handle file(H5Fcreate("run", H5F_ACC_TRUNC, creation, access), H5Fclose);
  put_run(Hdf5Group::root(file), run);
  checked(H5Fflush(file, H5F_SCOPE_GLOBAL));
  std::vector<char> image(static_cast<size_t>(checked(H5Fget_file_image(file, nullptr, 0))));
  checked(H5Fget_file_image(file, image.data(), image.size()));
  return image;
}

// Throws the system's reason unless a call succeeded.
void check_call(bool success) {
  if (!success) throw Error(std::generic_category().message(errno));
}

// A file beside the one to be written, removed again unless it takes its name.
class Partial {
 public:
  explicit Partial(const std::filesystem::path& file)
      : path_(file.string() + ".partial"),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    check_call(descriptor_ >= 0);
  }
  ~Partial() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  void write(std::span<const char> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      check_call(written >= 0);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
  }

  void finish(const std::filesystem::path& file) {
    check_call(::fsync(descriptor_) == 0);
    check_call(::close(std::exchange(descriptor_, -1)) == 0);
    check_call(std::rename(path_.c_str(), file.c_str()) == 0);
    path_.clear();
    // The new name itself; not every system can.
    const std::string folder = file.parent_path().string();
    const int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened < 0) return;
    ::fsync(opened);
    ::close(opened);
  }

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace

void write_run(const std::filesystem::path& file, const Run& run) {
  const QuietHdf5 quiet;
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    fail(file.string(), "cannot be written: is not a regular file");
  }
  try {
    Partial partial(file);  // first: a place that cannot be written is known at once
    const std::vector<char> image = image_of(run);
    partial.write(make_seal(image));
    partial.write(image);
    partial.finish(file);
  } catch (const Error& error) {
    fail(file.string(), "cannot be written: {}", error.what());
  }
}

}  // namespace vigor
