#include "store_head.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "printable.h"
#include "sealed_file.h"
#include "store.h"

namespace vigor {

namespace {

constexpr int64_t kMostClasses = int64_t{1} << 24;

SiteKind site_kind(const std::string& name, const std::string& path) {
  for (const SiteKind kind : {SiteKind::kPostActivation, SiteKind::kPreActivation, SiteKind::kSum,
                              SiteKind::kLogits, SiteKind::kOther}) {
    if (name == to_string(kind)) return kind;
  }
  throw Error(fmt::format("{}: got '{}', which is no kind of site", path, name));
}

void read_neurons(const Hdf5Group& group, Site& site) {
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

void read_inputs(const Hdf5Group& inputs, RunHead& head) {
  const Extents count = inputs.extents("index");
  if (count.size() != 1) throw Error("/inputs/index: expected one dimension");
  head.input_index = inputs.get_array<int64_t>("index", count);
  head.golden_class = inputs.get_array<int32_t>("golden_class", count);
  head.label = inputs.get_array<int32_t>("label", count);
  within(head.input_index, 0, kMost, "/inputs/index");
  within(head.golden_class, -1, head.classes - 1, "/inputs/golden_class");
  within(head.label, -1, head.classes - 1, "/inputs/label");
}

void read_provenance(const Hdf5Group& group, Provenance& provenance) {
  provenance.seconds = group.get<double>("seconds");
  provenance.machine = group.get_string("machine");
  provenance.threads =
      static_cast<int>(within(group.get<int64_t>("threads"), 0, 1 << 20, group.path("threads")));
  provenance.ranks =
      static_cast<int>(within(group.get<int64_t>("ranks"), 1, 1 << 20, group.path("ranks")));
  provenance.time = group.get_string("time");
  provenance.command = group.get_string("command");
  if (group.has_attribute("source")) provenance.source = group.get_string("source");
}

}  // namespace

void put_head(const Hdf5Group& root, const RunHead& head, std::string_view kind) {
  root.put("schema", kSchema);
  root.put("kind", kind);
  root.put("vigor_version", head.version);
  root.put("model", head.model);
  root.put("model_sha256", head.model_sha256);
  root.put("data", head.data);
  root.put("preprocessing", head.preprocessing);
  root.put("split", head.split);
  root.put("data_sha256", head.data_sha256);
  root.put("options", head.options);
  root.put("method", head.method);
  root.put("seed", head.seed);
  root.put("isa", head.provenance.isa);
  root.put("onednn_version", "none");  // the kernels are our own
  root.put("classes", head.classes);
  root.put("class_names", head.class_names);
  root.put_text("graph", head.graph_json);

  const Extents count{head.golden_class.size()};
  const Hdf5Group inputs = root.create("inputs");
  inputs.put_array("index", head.input_index, count);
  inputs.put_array("golden_class", head.golden_class, count);
  inputs.put_array("label", head.label, count);
}

void put_provenance(const Hdf5Group& root, const Provenance& provenance) {
  const Hdf5Group group = root.create("provenance");
  group.put("seconds", provenance.seconds);
  group.put("machine", provenance.machine);
  group.put("threads", int64_t{provenance.threads});
  group.put("ranks", int64_t{provenance.ranks});
  group.put("time", provenance.time);
  group.put("command", provenance.command);
  if (!provenance.source.empty()) group.put("source", provenance.source);
}

void put_site_head(const Hdf5Group& group, const SiteHead& site) {
  group.put("name", site.site.name);
  group.put("node", site.node_name);
  group.put("tensor", site.tensor_name);
  group.put("kind", to_string(site.site.kind));
  group.put("shape", site.shape);
  group.put("population", site.site.population);
  group.put_array("neuron", site.site.neurons, {site.site.neurons.size()});
}

std::string kind_of_file(const Hdf5Group& root) {
  return root.has_attribute("kind") ? root.get_string("kind") : std::string(kAnalysisKind);
}

bool holds_kind(const std::filesystem::path& file, std::string_view kind) {
  bool found = false;
  read_sealed(file, [&](const Hdf5Group& root) {
    check_schema(file.string(), root);
    found = kind_of_file(root) == kind;
  });
  return found;
}

void check_schema(const std::string& file, const Hdf5Group& root, std::string_view kind) {
  if (!root.has_attribute("vigor_version") || !root.has_attribute("schema")) {
    fail(file, "not a vigor run file");
  }
  const auto schema = root.get<int64_t>("schema");
  if (schema > kSchema) fail(file, "schema {} is newer than this program", schema);
  if (schema < 1) fail(file, "got schema {}, expected {}", schema, kSchema);
  const std::string found = kind_of_file(root);
  if (!kind.empty() && found != kind) {
    fail(file, "got a file of kind {}, expected one of kind {}", printable(found), kind);
  }
}

void read_head(const Hdf5Group& root, RunHead& head) {
  head.version = root.get_string("vigor_version");
  head.model = root.get_string("model");
  head.model_sha256 = root.get_string("model_sha256");
  head.data = root.get_string("data");
  head.preprocessing = root.get_string("preprocessing");
  head.split = root.get_string("split");
  head.data_sha256 = root.get_string("data_sha256");
  head.options = root.get_string("options");
  head.method = root.get_string("method");
  head.seed = root.get<uint64_t>("seed");
  head.provenance.isa = root.get_string("isa");
  head.classes = within(root.get<int64_t>("classes"), 1, kMostClasses, "/classes");
  head.class_names = root.get_texts("class_names");
  head.graph_json = root.get_text("graph");
  head.forward_macs =
      within(root.open("model").get<int64_t>("forward_macs"), 0, kMost, "/model/forward_macs");
  within(root.get<int32_t>("finished"), 1, 1, "/finished");
  read_inputs(root.open("inputs"), head);
  read_provenance(root.open("provenance"), head.provenance);
}

SiteHead read_site_head(const Hdf5Group& group) {
  SiteHead site;
  site.node_name = group.get_string("node");
  site.tensor_name = group.get_string("tensor");
  site.shape = group.get_list<int64_t>("shape");
  site.site = {group.get_string("name"),
               site_kind(group.get_string("kind"), group.path("kind")),
               -1,
               -1,
               group.get<int64_t>("population"),
               {}};
  if (site.site.population != element_count(site.shape)) {
    throw Error(fmt::format("{}: got {}, expected that of shape {}", group.path("population"),
                            site.site.population, to_string(site.shape)));
  }
  read_neurons(group, site.site);
  return site;
}

}  // namespace vigor
