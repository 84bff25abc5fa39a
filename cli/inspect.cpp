#include <nlohmann/json.hpp>

#include "commands.h"
#include "forecast.h"
#include "onnx_import.h"
#include "printable.h"
#include "text.h"
#include "workers.h"

namespace vigor {

namespace {

constexpr int64_t kForecastInputs = 100;

void print_json(const Graph& graph, const std::vector<Site>& sites, const Forecast& cost) {
  nlohmann::json layers = nlohmann::json::array();
  for (const Node& node : graph.nodes) {
    layers.push_back({{"name", node.name},
                      {"op", node.type},
                      {"shape", node.op->shape()},
                      {"parameters", node.op->parameters()},
                      {"macs", node.op->macs()}});
  }
  nlohmann::json site_list = nlohmann::json::array();
  for (const Site& site : sites) {
    site_list.push_back({{"name", site.name},
                         {"kind", to_string(site.kind)},
                         {"tensor", graph.tensor(site.tensor).name},
                         {"shape", graph.tensor(site.tensor).shape},
                         {"neurons", site.population}});
  }
  const auto tensor = [&](int id) {
    return nlohmann::json{{"name", graph.tensor(id).name}, {"shape", graph.tensor(id).shape}};
  };
  const nlohmann::json json{{"file", graph.file},
                            {"sha256", graph.sha256},
                            {"opset", graph.opset},
                            {"input", tensor(graph.input)},
                            {"logits", tensor(graph.logits)},
                            {"classes", graph.classes()},
                            {"parameters", graph.parameters()},
                            {"macs", graph.macs()},
                            {"layers", layers},
                            {"sites", site_list},
                            {"forecast",
                             {{"inputs", kForecastInputs},
                              {"neurons", cost.neurons},
                              {"probes", cost.probes},
                              {"seconds", cost.seconds},
                              {"bytes", cost.bytes}}}};
  fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
}

void print_text(const Graph& graph, const std::vector<Site>& sites, const Forecast& cost) {
  const Tensor& input = graph.tensor(graph.input);
  fmt::print("{}: opset {}, {} parameters, {} multiply-accumulates per input\n",
             printable(graph.file), graph.opset, with_commas(graph.parameters()),
             with_commas(graph.macs()));
  fmt::print("input {} [{}], logits {} ({} classes)\n\n", printable(input.name),
             to_string(input.shape), printable(graph.tensor(graph.logits).name), graph.classes());
  fmt::print("{:<28} {:<20} {:>16} {:>12} {:>14}\n", "layer", "op", "output", "parameters", "macs");
  for (const Node& node : graph.nodes) {
    fmt::print("{:<28.28} {:<20} {:>16} {:>12} {:>14}\n", printable(node.name), node.type,
               to_string(node.op->shape()), with_commas(node.op->parameters()),
               with_commas(node.op->macs()));
  }
  fmt::print("\n{:<16} {:<16} {:>16} {:>12}\n", "site", "kind", "shape", "neurons");
  for (const Site& site : sites) {
    fmt::print("{:<16} {:<16} {:>16} {:>12}\n", site.name, to_string(site.kind),
               to_string(graph.tensor(site.tensor).shape), with_commas(site.population));
  }
  fmt::print("\nforecast for {} inputs on this machine: {} neurons, {} probes, {}, {}\n",
             kForecastInputs, with_commas(cost.neurons),
             with_commas(static_cast<int64_t>(cost.probes)), duration(cost.seconds),
             bytes(static_cast<double>(cost.bytes)));
}

}  // namespace

void add_inspect(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("inspect", "Show a network's layers, its sites and what analysing costs");
  struct Given {
    std::string model;
    bool json = false;
  };
  auto given = std::make_shared<Given>();
  command->add_option("MODEL", given->model, "Trained network (.onnx)")->required();
  command->add_flag("--json", given->json, "Print JSON");
  command->footer("Example:\n  vigor inspect models/lenet5_fashion_mnist.onnx");
  command->callback([given] {
    const Graph graph = import_onnx(given->model);
    const std::vector<Site> sites = select_sites(graph, "post-activation");
    const Forecast cost = forecast(graph, sites, kForecastInputs, available_cores());
    (given->json ? print_json : print_text)(graph, sites, cost);
  });
}

}  // namespace vigor
