#include "inject.h"

#include <algorithm>
#include <optional>

#include "commands.h"
#include "error.h"
#include "finish.h"
#include "keep.h"
#include "onnx_import.h"
#include "output.h"
#include "processes.h"
#include "progress.h"
#include "stored_options.h"
#include "text.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  std::string model, output, faults, save;
  KeepGiven keep;
  InjectOptions options;
};

int64_t faults_of(const Injection& injection) {
  int64_t sum = 0;
  for (const InjectionSite& site : injection.sites) sum += total(site, FaultCount::kFaults);
  return sum;
}

void tell_left_out(const Injection& injection, const FaultList& list, Progress& progress) {
  const auto left_out = std::ranges::count_if(list.faults, [&](const ListedFault& fault) {
    return injection.golden_class[static_cast<size_t>(fault.input)] < 0;
  });
  if (left_out == 0) return;
  progress.line(
      fmt::format("{} of {} listed faults left out: the fault-free run of their inputs "
                  "holds NaN or infinity",
                  with_commas(left_out), with_commas(std::ssize(list.faults))));
}

void run(const Given& given, const DataOptions& data_options, const Source& source) {
  std::vector<std::filesystem::path> others =
      joined(files_of(data_options), {given.model, given.faults});
  check_output(given.output, others);
  if (!given.save.empty()) {
    others = joined(others, {given.output, given.output + ".partial", given.output + ".parts"});
    check_output(given.save, others);
  }
  const Graph graph = import_onnx(given.model);
  check_output(given.output, graph.weight_files);
  if (!given.save.empty()) check_output(given.save, graph.weight_files);
  const Dataset data = Dataset::open(data_options);
  check_data(graph, data);
  std::optional<FaultList> list;
  if (!given.faults.empty()) list = read_fault_list(given.faults, graph, data.size());
  std::optional<FaultListWriter> writer;
  if (!given.save.empty() && is_first()) {
    writer.emplace(given.save, given.options.stored.is_default());
  }
  Progress progress;
  KeptRun kept(given.output, given.keep, source, progress);
  InjectProgress events;
  events.advance = [&](double share) { progress.advance(share); };
  if (!given.save.empty()) {  // only the first process gets them
    events.faults = [&](auto faults, const auto& sites) { writer->write(faults, sites); };
  }
  const FaultList* listed = list ? &*list : nullptr;
  kept.run([&] {
    if (kept.sharded()) {
      const Shard shard = inject_shard(graph, data, given.options, listed, events, kept.log());
      if (!is_first()) return;
      if (writer) writer->finish();
      write_part(given.output, shard.head, shard.part);
      progress.line(fmt::format("{} units, part {} -> {}", shard.part.units.size(),
                                given.keep.shard, given.output));
    } else {
      Injection injection = inject(graph, data, given.options, listed, events, &kept.log());
      if (!is_first()) return;
      if (writer) writer->finish();
      finish_injection(injection, data_options, listed, given.output, progress);
    }
  });
}

}  // namespace

void finish_injection(Injection& injection, const DataOptions& data, const FaultList* list,
                      const std::string& output, Progress& progress) {
  injection.split = data.split;
  describe_caller(injection.provenance);
  write_injection(output, injection);
  progress.line(fmt::format("{} faults on {} inputs, {} -> {}", with_commas(faults_of(injection)),
                            injection.inputs(), duration(injection.provenance.seconds), output));
  if (list) tell_left_out(injection, *list, progress);
}

void add_inject(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("inject", "Run bit flips at random, all of them, or those of a list");
  auto given = std::make_shared<Given>();
  InjectOptions& options = given->options;
  command->add_option("MODEL", given->model, "Trained network (.onnx)")->required();
  command->add_option("-o,--output", given->output, "Injection file to write (HDF5)")->required();
  const auto data = add_data_options(*command);
  command
      ->add_option("--plan", options.plan.kind,
                   "What the margin holds for: input (every site and input), layer (every site "
                   "over all inputs), model")
      ->capture_default_str()
      ->check(CLI::IsMember({"input", "layer", "model"}));
  command->add_option("--margin", options.plan.margin, "Margin of error of a critical rate")
      ->capture_default_str()
      ->check(inner_share());
  command->add_option("--confidence", options.plan.confidence, "Confidence of the margin")
      ->capture_default_str()
      ->check(inner_share());
  command->add_flag("--until-margin", options.plan.until_margin,
                    "Stop as soon as the Wilson interval is as narrow as the margin asks");
  CLI::Option* exhaustive = command->add_flag(
      "--exhaustive", [&options](int64_t) { options.plan.kind = "exhaustive"; },
      "Every bit of every neuron for every input");
  CLI::Option* faults = command->add_option(
      "--faults", given->faults, "Run this list: CSV with input, site, element, bit or value");
  CLI::Option* format =
      command->add_option("--format", options.stored.format, kFormatHelp)->capture_default_str();
  CLI::Option* fault =
      command->add_option("--fault", options.stored.fault, kFaultHelp)->capture_default_str();
  command->add_option("--save-faults", given->save, "Write every fault with its outcome (CSV)");
  CLI::Option* neurons =
      command->add_option("--neurons", options.neurons,
                          "A random sample of each site: a number, or a share such as 5%");
  CLI::Option* inputs =
      command->add_option("--inputs", options.inputs, "Use the first N of the split (all)")
          ->transform(at_least(1));
  CLI::Option* sites =
      command
          ->add_option("--sites", options.sites,
                       "post-activation, pre-activation, logits, all, or names, comma-separated")
          ->capture_default_str();
  command
      ->add_option("--prober", options.prober, "region (fast), suffix, or reference (the oracle)")
      ->capture_default_str()
      ->check(CLI::IsMember({"region", "suffix", "reference"}));
  add_batch_option(*command, options.lanes);
  add_memory_option(*command, options.memory);
  command->add_option("--threads", options.threads, "Threads (all cores): the same results")
      ->transform(at_least(1));
  add_seed_option(*command, options.seed);
  for (const char* name : {"--plan", "--margin", "--until-margin"}) {
    exhaustive->excludes(command->get_option(name));
    faults->excludes(command->get_option(name));
  }
  for (CLI::Option* option : {exhaustive, neurons, inputs, sites, format, fault})
    faults->excludes(option);
  command->footer(
      "Examples:\n"
      "  vigor inject lenet5.onnx --data mnist:DIR --scale 1/255 --inputs 20 -o fi.h5\n"
      "  vigor inject net.onnx --data npz:images.npz --plan layer --margin 0.005 -o fi.h5\n"
      "  vigor inject net.onnx --data npz:images.npz --inputs 5 --exhaustive \\\n"
      "      --sites fc1 --save-faults faults.csv -o all.h5\n"
      "  vigor inject net.onnx --data npz:images.npz --faults faults.csv -o again.h5");
  add_keep_options(*command, given->keep);
  // It looks at all faults.
  command->get_option("--until-margin")->excludes(command->get_option("--shard"));
  command->callback([given, data, command] {
    check_stored(given->options.stored);
    const DataOptions data_options = checked_usage([&] {
      check_sample(given->options.neurons);
      return data();
    });
    run(*given, data_options, {given->model, given->faults, data_arguments(*command)});
  });
}

}  // namespace vigor
