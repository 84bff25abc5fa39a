#include "map.h"

#include <optional>

#include "commands.h"
#include "error.h"
#include "keep.h"
#include "onnx_import.h"
#include "output.h"
#include "progress.h"
#include "store.h"
#include "stored_options.h"
#include "text.h"

namespace vigor {

namespace {

struct Given {
  std::string run, model, output;
  StoredKind stored;
  int threads = 0;
};

void map_run(const Given& given, const std::optional<DataOptions>& data_given) {
  const Run run = read_run(given.run);
  Source source;
  if (given.model.empty() || !data_given) source = source_of(run, given.run);
  const std::string model = given.model.empty() ? source.model : given.model;
  const DataOptions options = data_given ? *data_given : data_of(source, given.run);
  check_output(given.output, joined(files_of(options), {model, given.run}));
  const Graph graph = import_onnx(model);
  check_output(given.output, graph.weight_files);
  const Dataset data = Dataset::open(options);
  Mapping mapping = map_faults(graph, data, run, given.stored, given.threads);
  mapping.split = options.split;
  describe_caller(mapping.provenance);
  write_mapping(given.output, mapping);
  Progress progress;
  progress.line(fmt::format("{} {}, {} inputs, {} -> {}", given.stored.format, given.stored.fault,
                            mapping.inputs(), duration(mapping.provenance.seconds), given.output));
}

}  // namespace

void add_map(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "map", "What a run says of another number format or fault model, without probing");
  auto given = std::make_shared<Given>();
  command->add_option("RUN", given->run, "Run file of vigor analyze")->required();
  command->add_option("-o,--output", given->output, "Map file to write (HDF5)")->required();
  command->add_option("--format", given->stored.format, kFormatHelp)->capture_default_str();
  command->add_option("--fault", given->stored.fault, kFaultHelp)->capture_default_str();
  command->add_option("--model", given->model, "The network (that of the run)");
  const auto data = add_data_options(*command, false);
  command->add_option("--threads", given->threads, "Threads (all cores): the same results")
      ->transform(at_least(1));
  command->footer(
      "Network and data default to those that the run names; they must be the same.\n"
      "Examples:\n"
      "  vigor analyze net.onnx --data npz:images.npz --keep-thresholds -o run.h5\n"
      "  vigor map run.h5 --format int8 --fault flip -o int8.h5\n"
      "  vigor map run.h5 --format q3.12 --fault burst-2 -o fixed.h5\n"
      "  vigor show int8.h5");
  command->callback([given, data, command] {
    check_stored(given->stored);
    map_run(*given, moved_data(*command, data));
  });
}

}  // namespace vigor
