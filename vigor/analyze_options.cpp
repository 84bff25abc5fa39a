#include "analyze_options.h"

#include <nlohmann/json.hpp>

#include "error.h"

namespace vigor {

namespace {

std::vector<std::string> without(const AnalyzeOptions& options) {
  std::vector<std::string> names;
  for (const auto& [name, member] : kShortcuts) {
    if (options.search == "guided" && !(options.shortcuts.*member)) names.emplace_back(name);
  }
  return names;
}

}  // namespace

void check_options(const AnalyzeOptions& options) {
  if (options.search != "guided" && options.search != "bisect") {
    fail("search", "got '{}', expected guided or bisect", options.search);
  }
  if (options.audit < 0 || options.audit > 1) {
    fail("audit", "got {}, expected a share from 0 to 1", options.audit);
  }
  if (options.ranges != "both" && options.ranges != "inner") {
    fail("ranges", "got '{}', expected both or inner", options.ranges);
  }
  if (options.factors != "resolved" && options.factors != "none") {
    fail("factors", "got '{}', expected resolved or none", options.factors);
  }
  if (!merges_amortised(options)) {
    if (options.ranges == "inner") fail("ranges", "inner needs factors none");
    return;
  }
  if (options.method == kPaperMethod || options.search != "guided" || options.keep_thresholds ||
      options.audit > 0) {
    fail("factors",
         "none leaves most thresholds open: it has no method paper, no search bisect, no audit, "
         "and no thresholds to keep");
  }
}

bool merges_amortised(const AnalyzeOptions& options) { return options.factors == "none"; }

bool rows_per_class(const AnalyzeOptions& options, const Graph& graph,
                    const std::vector<Site>& sites) {
  if (options.classes == "all") return true;
  if (options.classes == "none") return false;
  if (options.classes != "auto") {
    fail("classes", "got '{}', expected auto, all or none", options.classes);
  }
  int64_t neurons = 0;
  for (const Site& site : sites) neurons += static_cast<int64_t>(site.neurons.size());
  return class_rows_fit(graph, neurons);
}

PaperInit paper_init(const AnalyzeOptions& options) {
  if (options.method == "lattice") return PaperInit::kNone;
  if (options.method != kPaperMethod) {
    fail("method", "got '{}', expected lattice or paper", options.method);
  }
  if (options.audit > 0) fail("audit", "is of the method lattice alone");
  if (options.paper_init == "gradient") return PaperInit::kGradient;
  if (options.paper_init == "class") return PaperInit::kClass;
  fail("paper-init", "got '{}', expected gradient or class", options.paper_init);
}

std::string canonical(const AnalyzeOptions& options, int64_t inputs, bool per_class) {
  nlohmann::json json{{"sites", options.sites},
                      {"neurons", options.neurons},
                      {"inputs", inputs},
                      {"search", options.search},
                      {"without", without(options)},
                      {"prober", options.prober == "region" ? "region" : "exact"},
                      {"tolerance_bits", options.tolerance_bits},
                      {"per_class", per_class},
                      {"keep_thresholds", options.keep_thresholds},
                      {"audit", options.audit}};
  if (options.method == kPaperMethod) json["paper_init"] = options.paper_init;
  if (merges_amortised(options)) {
    json["factors"] = options.factors;
    json["ranges"] = options.ranges;
  }
  return json.dump();
}

AnalyzeOptions parse_analyze_options(const std::string& text, uint64_t seed) {
  AnalyzeOptions options;
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    options.sites = json.at("sites");
    options.neurons = json.at("neurons");
    options.inputs = json.at("inputs");
    options.prober = json.at("prober") == "region" ? "region" : "suffix";
    options.tolerance_bits = json.at("tolerance_bits");
    options.classes = json.at("per_class").get<bool>() ? "all" : "none";
    options.keep_thresholds = json.at("keep_thresholds");
    options.audit = json.at("audit");
    options.search = json.at("search");
    for (const auto& [name, member] : kShortcuts) {
      for (const std::string left_out : json.at("without")) {
        if (left_out == name) options.shortcuts.*member = false;
      }
    }
    if (json.contains("paper_init")) {
      options.method = kPaperMethod;
      options.paper_init = json.at("paper_init");
    }
    if (json.contains("factors")) {
      options.factors = json.at("factors");
      options.ranges = json.at("ranges");
    }
  } catch (const nlohmann::json::exception& error) {
    fail("options", "cannot be understood: {}", error.what());
  }
  options.seed = seed;
  return options;
}

}  // namespace vigor
