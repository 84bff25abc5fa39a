#include <optional>

#include "commands.h"
#include "error.h"
#include "finish.h"
#include "keep.h"
#include "onnx_import.h"
#include "output.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  std::vector<std::string> parts;
  std::string output, model, faults;
  int threads = 0;
};

// Joins the parts as if their units were run here: nothing but the second phase is left to do.
void run(const Given& given, const std::optional<DataOptions>& data_given) {
  const std::string& part = given.parts.front();
  const PartHead head = read_part_head(part);
  const Source source = found_in(part, [&] { return parse_source(head.source); });
  const std::string model = given.model.empty() ? source.model : given.model;
  const std::string faults = given.faults.empty() ? source.faults : given.faults;
  const DataOptions data_options = data_given ? *data_given : data_of(source, part);
  std::vector<std::filesystem::path> others = joined(files_of(data_options), {model, faults});
  others.insert(others.end(), given.parts.begin(), given.parts.end());
  check_output(given.output, others);
  const Graph graph = import_onnx(model);
  check_output(given.output, graph.weight_files);
  const Dataset data = Dataset::open(data_options);
  check_data(graph, data);
  Progress progress;
  KeepOptions joined;
  joined.merged.assign(given.parts.begin(), given.parts.end());
  joined.source = head.source;
  UnitLog log(std::move(joined));
  if (head.method == "injection") {
    InjectOptions options =
        found_in(part, [&] { return parse_inject_options(head.options, head.seed); });
    options.threads = given.threads;
    std::optional<FaultList> list;
    if (!faults.empty()) list = read_fault_list(faults, graph, data.size());
    const FaultList* listed = list ? &*list : nullptr;
    Injection injection = inject(graph, data, options, listed, {}, &log);
    finish_injection(injection, data_options, listed, given.output, progress);
  } else {
    AnalyzeOptions options =
        found_in(part, [&] { return parse_analyze_options(head.options, head.seed); });
    options.threads = given.threads;
    Run run = analyze(graph, data, options, show_progress(progress), &log);
    run.provenance.source = log.source();
    finish_run(run, data_options, given.output, progress);
  }
}

}  // namespace

void add_merge(CLI::App& app) {
  CLI::App* command = app.add_subcommand("merge", "Join the parts of a run that --shard cut");
  auto given = std::make_shared<Given>();
  command->add_option("PART", given->parts, "Files of vigor analyze or inject with --shard")
      ->required();
  command->add_option("-o,--output", given->output, "Result file to write (HDF5)")->required();
  command->add_option("--model", given->model, "The network, if it has moved");
  command->add_option("--faults", given->faults, "The list of faults, if it has moved");
  const auto data = add_data_options(*command, false);
  command->add_option("--threads", given->threads, "Threads (all cores): the same results")
      ->transform(at_least(1));
  command->footer(
      "Model and data are those that the first part names; give --data, with all its options,\n"
      "if they have moved. Others are refused.\n"
      "Example:\n"
      "  vigor analyze net.onnx --data npz:images.npz --shard 1/2 -o 1.h5\n"
      "  vigor analyze net.onnx --data npz:images.npz --shard 2/2 -o 2.h5\n"
      "  vigor merge 1.h5 2.h5 -o run.h5");
  command->callback([given, data, command] { run(*given, moved_data(*command, data)); });
}

}  // namespace vigor
