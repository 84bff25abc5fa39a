// Writes a network's fault-free logits, as the analysis computes them, for tests/python.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>

#include "commands.h"
#include "error.h"
#include "execute.h"
#include "onnx_import.h"
#include "site.h"

namespace {

using namespace vigor;

template <typename T>
void write(std::ofstream& out, const std::vector<T>& values) {
  out.write(reinterpret_cast<const char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(T)));
}

/// FILE.logits: float32 [N,classes]; FILE.classes: int32 [N]. Prints what docs/models.md says.
void run(const std::string& model, const DataOptions& options, int64_t inputs,
         const std::string& file) {
  const Graph graph = import_onnx(model);
  const Dataset data = Dataset::open(options);
  const int64_t size = graph.tensor(graph.input).size;
  if (element_count(data.sample_shape()) != size) {
    fail(model, "got samples of {}, expected {}", to_string(data.sample_shape()),
         to_string(graph.tensor(graph.input).shape));
  }
  const int64_t count = std::min(inputs, data.size());
  const int64_t block = inputs_per_block(graph);
  std::ofstream logits(file + ".logits", std::ios::binary);
  std::ofstream classes(file + ".classes", std::ios::binary);
  for (int64_t first = 0; first < count; first += block) {
    const int64_t n = std::min(block, count - first);
    std::vector<float> samples(static_cast<size_t>(n * size));
    for (int64_t i = 0; i < n; ++i) data.read(first + i, samples.data() + i * size);
    const Golden golden(graph, std::move(samples), first);
    std::vector<float> rows;
    std::vector<int32_t> tops;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t c = 0; c < graph.classes(); ++c) {
        rows.push_back(golden.value(graph.logits, c, i));
      }
      tops.push_back(golden.golden_class(i));
    }
    write(logits, rows);
    write(classes, tops);
  }
  if (!logits.flush() || !classes.flush()) fail(file, "cannot be written");
  fmt::print(R"({{"inputs": {}, "classes": {}, "ops": {}, "sites": {}, "macs": {}}})"
             "\n",
             count, graph.classes(), graph.nodes.size(),
             select_sites(graph, "post-activation").size(), graph.macs());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes FILE.logits (float32) and FILE.classes (int32)");
  std::string model, file;
  int64_t inputs = 0;
  app.add_option("MODEL", model)->required();
  app.add_option("FILE", file)->required();
  app.add_option("--inputs", inputs)->required();
  const auto options = vigor::add_data_options(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(model, options(), inputs, file);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
