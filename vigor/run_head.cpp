#include "run_head.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "error.h"
#include "hash.h"
#include "kernels/kernels.h"
#include "printable.h"
#include "workers.h"

namespace vigor {

namespace {

std::string describe(const Graph& graph) {
  nlohmann::json nodes = nlohmann::json::array();
  for (const Node& node : graph.nodes) {
    nlohmann::json inputs = nlohmann::json::array();
    for (const int input : node.inputs) inputs.push_back(graph.tensor(input).name);
    nodes.push_back({{"name", node.name},
                     {"op", node.type},
                     {"inputs", inputs},
                     {"outputs", {graph.tensor(node.output).name}},
                     {"shape", node.op->shape()},
                     {"parameters", node.op->parameters()},
                     {"macs", node.op->macs()}});
  }
  const nlohmann::json json{{"input", graph.tensor(graph.input).name},
                            {"input_shape", graph.tensor(graph.input).shape},
                            {"logits", graph.tensor(graph.logits).name},
                            {"nodes", nodes}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Shape without_batch(const Shape& shape) {
  return shape.size() > 1 && shape[0] == 1 ? Shape(shape.begin() + 1, shape.end()) : shape;
}

Shape without_ones(Shape shape) {
  std::erase(shape, 1);
  return shape;
}

// The same values in the same order. A flat shape says nothing of the order.
bool same_in_memory(const Shape& got, const Shape& expected) {
  const Shape a = without_ones(got), b = without_ones(expected);
  return a == b || (element_count(a) == element_count(b) && (a.size() <= 1 || b.size() <= 1));
}

}  // namespace

void check_data(const Graph& graph, const Dataset& data) {
  const Shape expected = without_batch(graph.tensor(graph.input).shape);
  if (!same_in_memory(data.sample_shape(), expected)) {
    fail("data", "{}: got samples of {}, expected {} as the input of {}", data.description(),
         to_string(data.sample_shape()), to_string(expected), graph.file);
  }
  for (int64_t i = 0; i < data.size(); ++i) {
    if (data.label(i) >= graph.classes()) {
      fail("data", "{}: label of input {}: got {}, expected less than the {} classes of {}",
           data.description(), i, data.label(i), graph.classes(), graph.file);
    }
  }
}

std::vector<float> read_inputs(const Graph& graph, const Dataset& data, int64_t first,
                               int64_t count) {
  const int64_t size = graph.tensor(graph.input).size;
  std::vector<float> inputs(static_cast<size_t>(size * count));
  for (int64_t i = 0; i < count; ++i) data.read(first + i, inputs.data() + i * size);
  return inputs;
}

std::string hash_inputs(const Graph& graph, const Dataset& data, int64_t inputs) {
  Sha256 hash;
  for (int64_t i = 0; i < inputs; ++i) {
    const std::vector<float> input = read_inputs(graph, data, i, 1);
    hash.add({reinterpret_cast<const char*>(input.data()), input.size() * sizeof(float)});
  }
  return hash.hex();
}

Golden golden_block(const Graph& graph, const Dataset& data, int64_t first, int64_t inputs) {
  const int64_t count = std::min(inputs_per_block(graph), inputs - first);
  return {graph, read_inputs(graph, data, first, count), first};
}

RunHead describe_run(const Graph& graph, const Dataset& data, int64_t inputs, int threads) {
  RunHead head;
  head.version = VIGOR_VERSION;
  head.model = graph.file;
  head.model_sha256 = graph.sha256;
  head.data = data.description();
  head.preprocessing = data.preprocessing_json();
  head.graph_json = describe(graph);
  head.class_names = data.class_names();
  head.classes = graph.classes();
  head.forward_macs = graph.macs();
  head.provenance.isa = kernels().name;
  head.provenance.threads = threads;
  head.data_sha256 = hash_inputs(graph, data, inputs);
  for (int64_t i = 0; i < inputs; ++i) {
    head.input_index.push_back(i);
    head.label.push_back(static_cast<int32_t>(data.label(i)));
  }
  head.golden_class.resize(static_cast<size_t>(inputs));
  const int64_t block = inputs_per_block(graph);
  share_work(threads, (inputs + block - 1) / block, [&](int, int64_t item) {
    const Golden golden = golden_block(graph, data, item * block, inputs);
    for (int64_t i = 0; i < golden.count(); ++i) {
      head.golden_class[static_cast<size_t>(golden.first() + i)] = golden.golden_class(i);
    }
  });
  if (head.inputs() == 0) fail("data", "got no input whose golden run is finite, of {}", inputs);
  return head;
}

void describe_group(Provenance& provenance, Group& group, int threads) {
  int64_t sum = threads;
  group.add_up({&sum, 1});
  provenance.threads = static_cast<int>(sum);
  provenance.ranks = group.size();
}

SiteHead describe_site(const Graph& graph, const Site& site) {
  return {site, graph.node(site.node).name, graph.tensor(site.tensor).name,
          without_batch(graph.tensor(site.tensor).shape)};
}

void check_model(const RunHead& head, const Graph& graph) {
  if (graph.sha256 != head.model_sha256) {
    fail("model", "got {} ({}), expected {} ({}) as the run", printable(graph.file), graph.sha256,
         printable(head.model), head.model_sha256);
  }
  if (graph.classes() != head.classes) {
    fail("run", "got {} classes, expected the {} of {}", head.classes, graph.classes(), graph.file);
  }
}

std::vector<Site> sites_of_run(const Run& run, const Graph& graph) {
  check_model(run, graph);
  std::map<std::string, Site> known;
  for (Site& site : all_sites(graph)) known.emplace(site.name, site);
  std::vector<Site> sites;
  for (const SiteResult& result : run.sites) {
    const auto at = known.find(result.site.name);
    if (at == known.end() || at->second.population != result.site.population) {
      fail("run", "site {} with {} neurons is not one of {}", printable(result.site.name),
           result.site.population, graph.file);
    }
    sites.push_back(at->second);
    sites.back().neurons = result.site.neurons;
  }
  return sites;
}

}  // namespace vigor
