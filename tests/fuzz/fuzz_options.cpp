// Options as text: numbers, lists, samples, sites, data options, and the JSON that parts carry. A
// line each; the first byte of a line says which.
#include "../networks.h"
#include "analyze.h"
#include "commands.h"
#include "fuzz.h"
#include "inject.h"
#include "keep.h"
#include "preprocess.h"

namespace {

void parse(char kind, const std::string& text) {
  static const vigor::Graph graph = [] {
    vigor::Graph made = vigor::network({1, 2});
    vigor::dense(made, made.input, {1, 2, 3, 4}, {0, 0});
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
    case 'a':
      vigor::parse_analyze_options(text, 1);
      break;
    case 'i':
      vigor::parse_inject_options(text, 1);
      break;
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
