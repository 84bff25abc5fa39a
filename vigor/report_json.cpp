#include "report_json.h"

#include <nlohmann/json.hpp>
#include <numeric>

#include "error.h"
#include "export.h"
#include "factors.h"
#include "injection_text.h"
#include "printable.h"

namespace vigor {

namespace {

using nlohmann::json;

constexpr int64_t kReportSchema = 1;

// nlohmann's copies and dumps call themselves once a level.
constexpr int kMostDepth = 100;

// What a file calls JSON may be anything: null where it is none, or too deep.
json parsed(const std::string& text) {
  bool deep = false;
  const auto look = [&](int depth, json::parse_event_t, const json&) {
    deep |= depth > kMostDepth;
    return !deep;
  };
  json value = json::parse(text, look, false);
  return deep || value.is_discarded() ? json() : value;
}

json head_of(const Run& run) {
  json head = parsed(to_json(run));
  head.erase("sites");
  head["model"]["graph"] = parsed(run.graph_json);
  head["model"]["forward_macs"] = run.forward_macs;
  head["model"]["classes"] = run.classes;
  head["model"]["class_names"] = run.class_names;
  head["model"]["bits"] = {{"low", model_bit_means(run, Reading::kLow)},
                           {"resolved", model_bit_means(run)},
                           {"high", model_bit_means(run, Reading::kHigh)},
                           {"nan", model_bit_means(run, Reading::kNan)}};
  head["data"]["preprocessing"] = parsed(run.preprocessing);
  head["data"]["split"] = run.split;
  head["data"]["class_inputs"] = run.class_inputs();
  int64_t labelled = 0, correct = 0;
  for (size_t i = 0; i < run.label.size(); ++i) {
    if (run.label[i] < 0 || run.golden_class[i] < 0) continue;
    ++labelled;
    correct += run.label[i] == run.golden_class[i];
  }
  head["data"]["labelled"] = labelled;
  head["data"]["correct"] = correct;
  const Provenance& provenance = run.provenance;
  head["made"] = {{"version", run.version},        {"options", parsed(run.options)},
                  {"method", run.method},          {"seed", std::to_string(run.seed)},
                  {"isa", provenance.isa},         {"seconds", provenance.seconds},
                  {"machine", provenance.machine}, {"threads", provenance.threads},
                  {"time", provenance.time},       {"command", provenance.command}};
  return head;
}

json sites_of(const Run& run) {
  json sites = parsed(to_json(run))["sites"];
  for (size_t s = 0; s < run.sites.size(); ++s) {
    const SiteResult& site = run.sites[s];
    const SiteTally& tally = site.tally;
    sites[s]["bits"] = {{"low", bit_means(site, run.inputs(), Reading::kLow)},
                        {"resolved", bit_means(site, run.inputs())},
                        {"high", bit_means(site, run.inputs(), Reading::kHigh)},
                        {"nan", bit_means(site, run.inputs(), Reading::kNan)}};
    const auto half = tally.histogram.begin() + kHistogramBins;
    sites[s]["histogram"] = {{"below", std::vector(tally.histogram.begin(), half)},
                             {"above", std::vector(half, tally.histogram.end())}};
    sites[s]["class_rows"] = tally.rows > 1;
    sites[s]["audited"] = tally.audited;
    sites[s]["disagreements"] = tally.disagreements;
    const auto sum = [](const std::vector<int64_t>& counts) {
      return std::accumulate(counts.begin(), counts.end(), int64_t{0});
    };
    sites[s]["overflow"] = sum(tally.overflow);
    sites[s]["critical_beyond"] = sum(tally.critical_beyond);
  }
  return sites;
}

json injection_of(const Run& run, const Injection* given) {
  if (!given) return {};
  const Injection& injection = *given;
  if (injection.model_sha256 != run.model_sha256) {
    fail("injection", "got one of model {} ({}), expected {} ({}) as the run",
         printable(injection.model), injection.model_sha256, printable(run.model),
         run.model_sha256);
  }
  json result = parsed(to_json(injection));
  result["same_inputs"] = injection.data_sha256 == run.data_sha256;
  return result;
}

json validation_of(const Run& run, const std::string& text) {
  if (text.empty()) return {};
  json result = parsed(text);
  if (!result.is_object()) fail("validation", "got no JSON object, expected that of validate");
  const json model = result.value("model", json::object());
  const json hash = model.is_object() ? model.value("sha256", json()) : json();
  if (hash.is_string() && hash != run.model_sha256) {
    fail("validation", "got one of model {}, expected {} as the run",
         printable(hash.get<std::string>()), run.model_sha256);
  }
  return result;
}

}  // namespace

std::string report_json(const Run& run, const ReportOptions& options,
                        const std::vector<int64_t>& rows) {
  const json content{{"schema", kReportSchema},
                     {"run", head_of(run)},
                     {"sites", sites_of(run)},
                     {"rows", rows},
                     {"injection", injection_of(run, options.injection)},
                     {"validation", validation_of(run, options.validation)}};
  return content.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace vigor
