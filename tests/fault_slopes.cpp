// Writes what single faults do to a network's logits, and their derivatives, for tests/python.
#include <CLI/CLI.hpp>
#include <fstream>

#include "commands.h"
#include "error.h"
#include "onnx_import.h"
#include "prober.h"
#include "run_head.h"

namespace {

using namespace vigor;

/// A line per fault of one block of inputs: tensor, element, input, value, logits, slopes; `count`
/// neurons of every site, at +-5 from the golden values.
void run(const std::string& model, const DataOptions& options, int64_t inputs, int64_t count,
         const std::string& file) {
  const Graph graph = import_onnx(model);
  const Dataset data = Dataset::open(options);
  check_data(graph, data);
  const Golden golden = golden_block(graph, data, 0, inputs);
  const std::vector<Site> sites = choose_sites(graph, "all", std::to_string(count), 1);
  const auto prober = make_prober("suffix", graph, sites);
  prober->bind(golden);
  std::ofstream out(file);
  const int lanes = golden.lanes();
  for (size_t s = 0; s < sites.size(); ++s) {
    for (const int64_t k : sites[s].neurons) {
      for (const float deviation : {-5.0F, 5.0F}) {
        const float* row = golden.values(sites[s].tensor) + k * lanes;
        std::vector<float> values(row, row + lanes);
        for (float& value : values) value += deviation;
        const Slopes& slopes = prober->slopes(static_cast<int32_t>(s), k, values.data());
        for (int64_t i = 0; i < golden.count(); ++i) {
          out << fmt::format("{} {} {} {:.9g}", graph.tensor(sites[s].tensor).name, k, i,
                             values[static_cast<size_t>(i)]);
          for (const float* from : {slopes.logits, slopes.slopes}) {
            for (int64_t c = 0; c < graph.classes(); ++c) {
              out << fmt::format(" {:.9g}", from[c * lanes + i]);
            }
          }
          out << '\n';
        }
      }
    }
  }
  if (!out.flush()) fail(file, "cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Writes a line per fault: tensor, element, input, value, logits, slopes");
  std::string model, file;
  int64_t inputs = 0, count = 0;
  app.add_option("MODEL", model)->required();
  app.add_option("FILE", file)->required();
  app.add_option("--inputs", inputs)->required();
  app.add_option("--neurons", count)->required();
  const auto options = vigor::add_data_options(app);
  CLI11_PARSE(app, argc, argv);
  try {
    run(model, options(), inputs, count, file);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
