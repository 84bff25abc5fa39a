#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "hdf5_group.h"
#include "seal.h"
#include "store.h"

namespace vigor {

namespace {

constexpr int64_t kMostClasses = int64_t{1} << 24;

template <typename T>
const std::vector<T>& within(const std::vector<T>& values, int64_t least, int64_t most,
                             const std::string& what) {
  for (const T value : values) {
    if (value < least || value > most) {
      throw Error(fmt::format("{}: got {}, expected {} to {}", what, value, least, most));
    }
  }
  return values;
}

int64_t within(int64_t value, int64_t least, int64_t most, const std::string& what) {
  return within(std::vector{value}, least, most, what).front();
}

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

/// Every field is checked against those read before it.
class RunReader {
 public:
  explicit RunReader(hid_t file) : root_(Hdf5Group::root(file)) {}

  Run run() {
    read_head();
    read_inputs();
    const Hdf5Group sites = root_.open("sites");
    for (int64_t i = 0; i < sites.members(); ++i) {
      read_site(sites.open(fmt::format("{:04}", i)));
    }
    const Hdf5Group provenance = root_.open("provenance");
    run_.provenance.seconds = provenance.get<double>("seconds");
    run_.provenance.machine = provenance.get_string("machine");
    run_.provenance.threads = static_cast<int>(
        within(provenance.get<int64_t>("threads"), 0, 1 << 20, provenance.path("threads")));
    run_.provenance.time = provenance.get_string("time");
    run_.provenance.command = provenance.get_string("command");
    return std::move(run_);
  }

 private:
  void read_head() {
    run_.version = root_.get_string("vigor_version");
    run_.model = root_.get_string("model");
    run_.model_sha256 = root_.get_string("model_sha256");
    run_.data = root_.get_string("data");
    run_.preprocessing = root_.get_string("preprocessing");
    run_.split = root_.get_string("split");
    run_.data_sha256 = root_.get_string("data_sha256");
    run_.options = root_.get_string("options");
    run_.method = root_.get_string("method");
    run_.seed = root_.get<uint64_t>("seed");
    run_.provenance.isa = root_.get_string("isa");
    run_.classes = within(root_.get<int64_t>("classes"), 1, kMostClasses, "/classes");
    run_.class_names = root_.get_texts("class_names");
    run_.graph_json = root_.get_text("graph");
    run_.forward_macs =
        within(root_.open("model").get<int64_t>("forward_macs"), 0, kMost, "/model/forward_macs");
    within(root_.get<int32_t>("finished"), 1, 1, "/finished");
  }

  void read_inputs() {
    const Hdf5Group inputs = root_.open("inputs");
    const Extents count = inputs.extents("index");
    if (count.size() != 1) throw Error("/inputs/index: expected one dimension");
    run_.input_index = inputs.get_array<int64_t>("index", count);
    run_.golden_class = inputs.get_array<int32_t>("golden_class", count);
    run_.label = inputs.get_array<int32_t>("label", count);
    within(run_.input_index, 0, kMost, "/inputs/index");
    within(run_.golden_class, -1, run_.classes - 1, "/inputs/golden_class");
    within(run_.label, -1, run_.classes - 1, "/inputs/label");
    inputs_ = run_.inputs();
  }

  static SiteKind kind_of(const std::string& name, const std::string& path) {
    for (const SiteKind kind : {SiteKind::kPostActivation, SiteKind::kPreActivation, SiteKind::kSum,
                                SiteKind::kLogits, SiteKind::kOther}) {
      if (name == to_string(kind)) return kind;
    }
    throw Error(fmt::format("{}: got '{}', which is no kind of site", path, name));
  }

  void read_site(const Hdf5Group& group) {
    SiteResult site;
    site.node_name = group.get_string("node");
    site.tensor_name = group.get_string("tensor");
    site.shape = group.get_list<int64_t>("shape");
    site.site = {group.get_string("name"),
                 kind_of(group.get_string("kind"), group.path("kind")),
                 -1,
                 -1,
                 group.get<int64_t>("population"),
                 {}};
    if (site.site.population != element_count(site.shape)) {
      throw Error(fmt::format("{}: got {}, expected that of shape {}", group.path("population"),
                              site.site.population, to_string(site.shape)));
    }
    read_neurons(group, site.site);
    site.tally.neurons = static_cast<int64_t>(site.site.neurons.size());
    read_ranges(group, site.tally);
    read_counts(group, site.tally);
    const auto neurons = static_cast<hsize_t>(site.tally.neurons);
    site.far_class = group.get_array<int32_t>("far_class", {neurons, 2});
    within(site.far_class, -1, run_.classes - 1, group.path("far_class"));
    if (group.has("thresholds")) {
      site.thresholds =
          group.get_array<float>("thresholds", {run_.golden_class.size(), neurons, 2, 2});
    }
    run_.sites.push_back(std::move(site));
  }

  static void read_neurons(const Hdf5Group& group, Site& site) {
    const Extents count = group.extents("neuron");
    if (count.size() != 1 || count[0] > static_cast<hsize_t>(site.population)) {
      throw Error(fmt::format("{}: got extents {}, expected at most {}", group.path("neuron"),
                              fmt::join(count, "x"), site.population));
    }
    site.neurons = group.get_array<int64_t>("neuron", count);
    within(site.neurons, 0, site.population - 1, group.path("neuron"));
    const auto unordered = std::adjacent_find(site.neurons.begin(), site.neurons.end(),
                                              [](int64_t a, int64_t b) { return a >= b; });
    if (unordered != site.neurons.end()) throw Error(group.path("neuron") + " is not ascending");
  }

  void read_ranges(const Hdf5Group& group, SiteTally& tally) {
    const auto neurons = static_cast<hsize_t>(tally.neurons);
    const Extents found = group.extents("nonvulnerable");
    tally.rows = found.size() == 3 && found[0] == 1 ? 1 : run_.classes + 1;
    const Extents extents{static_cast<hsize_t>(tally.rows), neurons, 2};
    tally.nonvulnerable = group.get_array<double>("nonvulnerable", extents);
    tally.vulnerable = group.get_array<double>("vulnerable", extents);
    tally.vulnerable_finite = group.get_array<double>("vulnerable_finite", extents);
    tally.finite = group.get_array<int64_t>("finite", extents);
    within(tally.finite, 0, inputs_, group.path("finite"));
    tally.golden = group.get_array<float>("golden", extents);
  }

  void read_counts(const Hdf5Group& group, SiteTally& tally) {
    const auto neurons = static_cast<hsize_t>(tally.neurons);
    const auto counts = [&](const std::string& name, const Extents& extents, int64_t most) {
      return within(group.get_array<int64_t>(name, extents), 0, most, group.path(name));
    };
    tally.critical_low = counts("count_low", {neurons, kBits}, inputs_);
    tally.critical = counts("count", {neurons, kBits}, inputs_);
    tally.critical_high = counts("count_high", {neurons, kBits}, inputs_);
    tally.critical_nan = counts("count_nan", {neurons, kBits}, inputs_);
    tally.critical_beyond = counts("count_beyond", {neurons, kBits}, inputs_);
    tally.contradictions = counts("contradictions", {neurons}, kMost);
    tally.probes = counts("probes", {neurons}, kMost);
    tally.overflow = counts("overflow", {neurons}, kMost);
    tally.histogram = counts("threshold_histogram", {2, kHistogramBins}, kMost);
    tally.audited = within(group.get<int64_t>("audited"), 0, kMost, group.path("audited"));
    tally.disagreements =
        within(group.get<int64_t>("disagreements"), 0, tally.audited, group.path("disagreements"));
    tally.macs = within(group.get<int64_t>("macs"), 0, kMost, group.path("macs"));
  }

  Hdf5Group root_;
  Run run_;
  int64_t inputs_ = 0;
};

// Throws for other files and those of later versions of this program.
void check_schema(const std::string& name, const Hdf5Group& root) {
  if (!root.has_attribute("vigor_version") || !root.has_attribute("schema")) {
    fail(name, "not a vigor run file");
  }
  const auto schema = root.get<int64_t>("schema");
  if (schema > kSchema) fail(name, "schema {} is newer than this program", schema);
  if (schema < 1) fail(name, "got schema {}, expected {}", schema, kSchema);
}

}  // namespace

Run read_run(const std::filesystem::path& file) {
  const QuietHdf5 quiet;
  check_seal(file);
  try {
    const Handle handle(H5Fopen(file.c_str(), H5F_ACC_RDONLY, 0), H5Fclose);
    check_schema(file.string(), Hdf5Group::root(handle));
    return RunReader(handle).run();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("[" + file.string() + "]")) throw;
    fail(file.string(), "damaged run file: {}", error.what());
  }
}

}  // namespace vigor
