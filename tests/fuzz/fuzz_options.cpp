// Options as text: numbers, lists, samples, sites, data options, formats, limits, and JSON that
// parts carry or validate prints. A line each; the first byte of a line says which.
#include "../example_run.h"
#include "../networks.h"
#include "analyze_options.h"
#include "commands.h"
#include "fuzz.h"
#include "gate.h"
#include "inject.h"
#include "keep.h"
#include "preprocess.h"
#include "report_json.h"

namespace {

// "FORMAT FAULT": some values are stored, hit and read.
void store(const std::string& text) {
  const size_t space = std::min(text.find(' '), text.size());
  const vigor::NumberFormat format = vigor::NumberFormat::parse(text.substr(0, space));
  const vigor::FaultModel fault =
      vigor::FaultModel::parse(text.substr(std::min(space + 1, text.size())), format.bits());
  for (const float value : {0.0F, -1.5F, 1e30F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    const float scale = format.has_scale() ? format.scale(2) : 1;
    const uint32_t pattern = format.encode(value, scale);
    for (const int64_t place : {int64_t{0}, fault.places() / 2, fault.places() - 1}) {
      format.decode(fault.apply(pattern, place), scale);
    }
  }
}

void parse(char kind, const std::string& text) {
  static const vigor::Graph graph = [] {
    vigor::Graph made = vigor::network({1, 2});
    const int h =
        vigor::layer(made, "Relu", {vigor::dense(made, made.input, {1, 2, 3, 4, 5, 6}, {0, 0, 0})});
    vigor::dense(made, vigor::layer(made, "Add", {h, h}), {1, 2, 3, 4, 5, 6}, {0, 0});
    return made;
  }();
  switch (kind) {
    case 'f':
      vigor::parse_fraction(text);
      break;
    case 'n':
      vigor::parse_numbers(text);
      break;
    case 's':
      vigor::choose_sites(graph, "all", text, 1);
      break;
    case 'c':
      vigor::select_sites(graph, text);
      break;
    case 'a': {
      const vigor::AnalyzeOptions options = vigor::parse_analyze_options(text, 1);
      check_options(options);
      paper_init(options);
      rows_per_class(options, graph, vigor::all_sites(graph));
      const std::string kept = canonical(options, options.inputs, options.classes == "all");
      const vigor::AnalyzeOptions again = vigor::parse_analyze_options(kept, 1);
      if (canonical(again, again.inputs, again.classes == "all") != kept) std::abort();
      break;
    }
    case 'i':
      vigor::parse_inject_options(text, 1);
      break;
    case 'g':
      vigor::parse_share(text, "--max-mvf");
      break;
    case 'l': {
      vigor::Limits limits;
      vigor::add_lvf_limit(limits, text);
      break;
    }
    case 'm':
      store(text);
      break;
    case 'v': {
      static const vigor::Run kRun = vigor::example_run();
      vigor::ReportOptions options;
      options.validation = text;
      vigor::report_json(kRun, options, {0});
      break;
    }
    case 'o': {
      const vigor::Source source = vigor::parse_source(text);
      if (vigor::to_json(vigor::parse_source(vigor::to_json(source))) != vigor::to_json(source)) {
        std::abort();
      }
      break;
    }
    default: {
      std::vector<std::string> arguments;
      for (size_t at = 0; at <= text.size();) {
        const size_t end = std::min(text.find(' ', at), text.size());
        arguments.push_back(text.substr(at, end - at));
        at = end + 1;
      }
      vigor::to_json(vigor::parse_data_arguments(arguments).preprocessing);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  vigor::fuzz::count_bytes(size);
  const std::string text(vigor::fuzz::as_text(bytes, size));
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (!line.empty()) {
      vigor::fuzz::expect_error_or_success([&] { parse(line[0], line.substr(1)); });
    }
    at = end + 1;
  }
  return 0;
}
