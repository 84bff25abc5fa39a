#include "overlay.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "error.h"
#include "hash.h"
#include "onnx_import.h"
#include "printable.h"
#include "run_head.h"
#include "text_table.h"

namespace vigor {

namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "vigor.";       // of metadata
constexpr const char* kLinePrefix = "vigor: ";  // of a line of a doc_string

// The network of a sheet as the file gives it, and which site each tensor belongs to.
struct DrawnModel {
  onnx::ModelProto proto;
  std::map<std::string, const SiteFigures*> by_tensor;  // by the names of the file

  const SiteFigures* site_of(const onnx::NodeProto& node) const {
    for (const std::string& output : node.output()) {
      const auto at = by_tensor.find(output);
      if (!output.empty() && at != by_tensor.end()) return at->second;
    }
    return nullptr;
  }
};

// Names of the tensors from a layer's own output to the one that holds its neurons.
std::vector<std::string> tensors_of(const Graph& graph, const Site& site) {
  std::vector<std::string> names{graph.tensor(site.tensor).onnx_name};
  for (int at = graph.node(site.node).output; at != site.tensor;) {
    names.push_back(graph.tensor(at).onnx_name);
    at = graph.node(graph.tensor(at).consumers.front()).output;
  }
  return names;
}

DrawnModel open_model(const FactorSheet& sheet, const fs::path& model) {
  const Graph graph = import_onnx(model);
  check_model(sheet, graph);
  DrawnModel drawn;
  std::ifstream file(model, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (sha256(bytes) != graph.file_sha256 || !drawn.proto.ParseFromString(bytes)) {
    fail(printable(model.string()), "has changed while it was read");
  }
  std::map<std::string, Site> known;
  for (Site& site : all_sites(graph)) known.emplace(site.name, std::move(site));
  for (const SiteFigures& site : sheet.sites) {
    const auto at = known.find(site.site.name);
    if (at == known.end()) {
      fail("run", "site {} is not one of {}", printable(site.site.name), graph.file);
    }
    drawn.by_tensor[graph.tensor(at->second.tensor).onnx_name] = &site;
  }
  // Only then the nodes within a layer: a site of their own goes first.
  for (const SiteFigures& site : sheet.sites) {
    for (const std::string& name : tensors_of(graph, known.at(site.site.name))) {
      drawn.by_tensor.emplace(name, &site);
    }
  }
  return drawn;
}

// "conv1: 1.90 % of single bit flips change the answer (low ...)".
std::string sentence(const FactorSheet& sheet, const SiteFigures& site) {
  const std::string faults =
      sheet.stored.is_default()
          ? "single bit flips"
          : fmt::format("faults ({}, {})", sheet.stored.fault, sheet.stored.format);
  std::string text =
      fmt::format("{}: {} % of {} change the answer (low {} %, high {} %); {} neurons",
                  site.site.name, percent(site.lvf.value), faults, percent(site.lvf.low),
                  percent(site.lvf.high), site.site.population);
  if (site.lvf.interval) {
    text += fmt::format(", {} of them analysed: 95 % interval {}", site.site.neurons.size(),
                        interval_text(*site.lvf.interval));
  }
  return text;
}

// The text without the lines of an earlier overlay, and with this one.
std::string with_line(const std::string& text, const std::string& line) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string kept = text.substr(at, end - at);
    if (!kept.starts_with(kLinePrefix)) result += kept + '\n';
    at = end + 1;
  }
  return result + kLinePrefix + line;
}

void put_figure(onnx::ModelProto& model, const std::string& name, const std::string& site,
                const Figure& figure) {
  const auto put = [&](const char* reading, const std::string& value) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(fmt::format("{}{}{}{}{}", kPrefix, name, reading, site.empty() ? "" : ".", site));
    entry.set_value(value);
  };
  put("", fmt::format("{}", figure.value));
  put("_low", fmt::format("{}", figure.low));
  put("_high", fmt::format("{}", figure.high));
  if (figure.interval) {
    put("_interval", fmt::format("{}, {}", figure.interval->low, figure.interval->high));
  }
}

void put_metadata(onnx::ModelProto& model, const FactorSheet& sheet) {
  auto& entries = *model.mutable_metadata_props();
  for (int i = entries.size() - 1; i >= 0; --i) {
    if (entries[i].key().starts_with(kPrefix)) entries.DeleteSubrange(i, 1);
  }
  const std::pair<const char*, std::string> texts[] = {
      {"version", sheet.version},
      {"model_sha256", sheet.model_sha256},
      {"data", printable(sheet.data)},
      {"inputs", std::to_string(sheet.inputs())},
      {"format", sheet.stored.format},
      {"fault", sheet.stored.fault},
      {"reading", sheet.reading == Reading::kHigh ? "high" : "resolved"}};
  for (const auto& [key, value] : texts) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(std::string(kPrefix) + key);
    entry.set_value(value);
  }
  put_figure(model, "mvf", "", sheet.mvf);
  for (const SiteFigures& site : sheet.sites) put_figure(model, "lvf", site.site.name, site.lvf);
}

// Tensors in other files are found from the folder of the model.
void check_external(const onnx::ModelProto& model, const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (fs::equivalent(from.empty() ? "." : from, to.empty() ? "." : to, error)) return;
  const auto external = [](const onnx::TensorProto& tensor) {
    return tensor.data_location() == onnx::TensorProto::EXTERNAL;
  };
  bool any = std::ranges::any_of(model.graph().initializer(), external);
  for (const auto& node : model.graph().node()) {
    for (const auto& attribute : node.attribute()) any |= external(attribute.t());
  }
  if (any) {
    fail("overlay", "weights lie in other files: write the copy into the folder of the model");
  }
}

}  // namespace

std::string node_data(const FactorSheet& sheet, const fs::path& model) {
  using nlohmann::json;
  const DrawnModel drawn = open_model(sheet, model);
  json results = json::object();
  for (const auto& node : drawn.proto.graph().node()) {
    const SiteFigures* site = drawn.site_of(node);
    if (!site) continue;
    const std::string& name = node.name().empty() ? node.output(0) : node.name();
    results[name] = {{"value", std::round(1e8 * site->lvf.value) / 1e6}};
  }
  const json document{
      {drawn.proto.graph().name(),
       {{"results", results},
        {"gradient",
         {{{"stop", 0}, {"bgColor", "#fff5eb"}}, {{"stop", 1}, {"bgColor", "#d94801"}}}}}}};
  return document.dump(2, ' ', false, json::error_handler_t::replace) + '\n';
}

std::string annotated_model(const FactorSheet& sheet, const fs::path& model,
                            const fs::path& folder) {
  DrawnModel drawn = open_model(sheet, model);
  check_external(drawn.proto, model.parent_path(), folder);
  put_metadata(drawn.proto, sheet);
  for (auto& node : *drawn.proto.mutable_graph()->mutable_node()) {
    if (const SiteFigures* site = drawn.site_of(node)) {
      node.set_doc_string(with_line(node.doc_string(), sentence(sheet, *site)));
    }
  }
  std::string bytes;
  if (!drawn.proto.SerializeToString(&bytes)) {
    fail(printable(model.string()), "the copy would be larger than 2 GB");
  }
  return bytes;
}

}  // namespace vigor
