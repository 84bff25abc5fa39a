#include "analyze.h"

#include <algorithm>

#include "analyze_options.h"
#include "commands.h"
#include "error.h"
#include "finish.h"
#include "forecast.h"
#include "keep.h"
#include "onnx_import.h"
#include "output.h"
#include "processes.h"
#include "progress.h"
#include "stats.h"
#include "store.h"
#include "text.h"
#include "usage.h"
#include "workers.h"

namespace vigor {

namespace {

struct Given {
  std::string model, output, audit;
  KeepGiven keep;
  std::vector<std::string> without;
  AnalyzeOptions options;
  bool dry_run = false, stats = false;
};

// "5%" or "5" are both 5 percent.
double parse_percent(std::string text) {
  if (!text.empty() && text.back() == '%') text.pop_back();
  const float percent = parse_number(text, "--audit");
  if (percent < 0 || percent > 100) fail("--audit", "got {} %, expected 0 to 100", percent);
  return static_cast<double>(percent) / 100;
}

void check_values(Given& given) {
  AnalyzeOptions& options = given.options;
  if (!given.audit.empty()) options.audit = parse_percent(given.audit);
  for (const std::string& name : given.without) {
    for (const auto& [known, member] : kShortcuts) {
      if (name == known) options.shortcuts.*member = false;
    }
  }
  const bool lattice_options = options.search != "guided" || !given.without.empty() ||
                               options.tolerance_bits != AnalyzeOptions().tolerance_bits;
  if (options.method == kPaperMethod && (lattice_options || options.audit > 0)) {
    fail("--method paper",
         "got --search, --without, --tolerance-bits or --audit, which are of --method lattice");
  }
  check_options(options);
  check_sample(options.neurons);
}

void print_forecast(const Graph& graph, const Dataset& data, const AnalyzeOptions& options) {
  if (!is_first()) return;
  const int64_t inputs = options.inputs > 0 ? std::min(options.inputs, data.size()) : data.size();
  const int threads =
      (options.threads > 0 ? options.threads : available_cores()) * processes().size();
  const double probes = !merges_amortised(options)  ? kSearchProbes
                        : options.ranges == "inner" ? kAmortisedInnerProbes
                                                    : kAmortisedProbes;
  const Forecast cost =
      forecast(graph, choose_sites(graph, options.sites, options.neurons, options.seed), inputs,
               threads, probes);
  fmt::print("{} neurons, {} inputs: about {} probes, {} on {} threads, {} of memory\n",
             with_commas(cost.neurons), with_commas(inputs),
             with_commas(static_cast<int64_t>(cost.probes)), duration(cost.seconds), threads,
             bytes(static_cast<double>(cost.bytes)));
}

void run(Given& given, const DataOptions& data_options, const Source& source) {
  if (!given.dry_run) check_output(given.output, joined(files_of(data_options), {given.model}));
  const Graph graph = import_onnx(given.model);
  if (!given.dry_run) check_output(given.output, graph.weight_files);
  const Dataset data = Dataset::open(data_options);
  check_data(graph, data);
  if (given.dry_run) return print_forecast(graph, data, given.options);
  Progress progress;
  KeptRun kept(given.output, given.keep, source, progress);
  AnalyzeProgress events = show_progress(progress);
  if (given.stats && is_first()) {
    events.stats = [&](const Run& run, const AnalyzeStats& stats) {
      fmt::print("{}", stats_table(graph, run, stats));
    };
  }
  kept.run([&] {
    if (kept.sharded()) {
      const Shard shard = analyze_shard(graph, data, given.options, events, kept.log());
      if (!is_first()) return;
      write_part(given.output, shard.head, shard.part);
      progress.line(fmt::format("{} units, part {} -> {}", shard.part.units.size(),
                                given.keep.shard, given.output));
    } else {
      Run run = analyze(graph, data, given.options, events, &kept.log());
      if (!is_first()) return;
      run.provenance.source = kept.log().source();
      finish_run(run, data_options, given.output, progress);
    }
  });
}

}  // namespace

AnalyzeProgress show_progress(Progress& progress) {
  AnalyzeProgress events;
  events.advance = [&](double share) { progress.advance(share); };
  events.site_done = [&](const SiteResult& site) {
    int64_t probes = 0;
    for (const int64_t count : site.tally.probes) probes += count;
    progress.line(fmt::format("{:16} {:>9} neurons {:>12} probes", site.site.name,
                              site.site.neurons.size(), probes));
  };
  return events;
}

void finish_run(Run& run, const DataOptions& data, const std::string& output, Progress& progress) {
  run.split = data.split;
  describe_caller(run.provenance);
  write_run(output, run);
  progress.line(
      fmt::format("{} inputs, {} -> {}", run.inputs(), duration(run.provenance.seconds), output));
}

void add_analyze(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("analyze", "Find the vulnerability ranges and factors of a network");
  auto given = std::make_shared<Given>();
  AnalyzeOptions& options = given->options;
  command->add_option("MODEL", given->model, "Trained network (.onnx)")->required();
  CLI::Option* output =
      command->add_option("-o,--output", given->output, "Run file to write (HDF5)");
  command->add_flag("--stats", given->stats, "Show where the time went");
  command->add_flag("--dry-run", given->dry_run, "Only forecast neurons, probes, time and memory");
  const auto data = add_data_options(*command);
  command->add_option("--neurons", options.neurons,
                      "Analyse a random sample of each site: a number, or a share such as 5%");
  command->add_option("--inputs", options.inputs, "Use the first N of the split (all)")
      ->transform(at_least(1));
  command
      ->add_option("--sites", options.sites,
                   "post-activation, pre-activation, logits, all, or names, comma-separated")
      ->capture_default_str();
  command
      ->add_option("--tolerance-bits", options.tolerance_bits,
                   "Mantissa bits of the points probed: 10 finds thresholds to 1 in 1024")
      ->capture_default_str()
      ->check(CLI::Range(0, 23));
  command
      ->add_option("--classes", options.classes,
                   "Ranges per golden class: auto (up to 256 MiB), all, none")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "all", "none"}));
  command->add_flag("--keep-thresholds", options.keep_thresholds,
                    "Keep the thresholds of every input, not only the merged ranges");
  command
      ->add_option("--method", options.method,
                   "lattice, or paper: the method of the paper, to compare with (docs/search.md)")
      ->capture_default_str()
      ->check(CLI::IsMember({"lattice", kPaperMethod}));
  command
      ->add_option("--paper-init", options.paper_init,
                   "How --method paper chooses intervals: gradient, or class")
      ->capture_default_str()
      ->check(CLI::IsMember({"gradient", "class"}));
  command
      ->add_option("--search", options.search,
                   "guided, or bisect: plain bisection, the oracle (docs/search.md)")
      ->capture_default_str()
      ->check(CLI::IsMember({"guided", "bisect"}));
  command
      ->add_option("--ranges", options.ranges,
                   "both, or inner: the non-vulnerable ranges alone (with --factors none)")
      ->capture_default_str()
      ->check(CLI::IsMember({"both", "inner"}));
  command
      ->add_option("--factors", options.factors,
                   "resolved, or none: ranges alone, no bit flips; a fraction of the probes "
                   "(docs/search.md)")
      ->capture_default_str()
      ->check(CLI::IsMember({"resolved", "none"}));
  std::vector<std::string> shortcuts;
  for (const auto& [name, member] : kShortcuts) shortcuts.emplace_back(name);
  command
      ->add_option("--without", given->without,
                   "Shortcuts of the guided search to leave out, comma-separated")
      ->delimiter(',')
      ->check(CLI::IsMember(shortcuts));
  command
      ->add_option("--prober", options.prober, "region (fast), suffix, or reference (the oracle)")
      ->capture_default_str()
      ->check(CLI::IsMember({"region", "suffix", "reference"}));
  command->add_option("--audit", given->audit,
                      "Run this percentage of the flips that the thresholds settle, and count");
  add_batch_option(*command, options.lanes);
  add_memory_option(*command, options.memory);
  command->add_option("--threads", options.threads, "Threads (all cores): the same results")
      ->transform(at_least(1));
  add_seed_option(*command, options.seed);
  command->footer(
      "Examples:\n"
      "  vigor analyze lenet5.onnx --data mnist:DIR --scale 1/255 --inputs 100 -o run.h5\n"
      "  vigor analyze net.onnx --data npz:images.npz --audit 1% --keep-thresholds -o run.h5\n"
      "  vigor analyze net.onnx --data npz:images.npz --ranges inner --factors none -o run.h5");
  add_keep_options(*command, given->keep);
  command->callback([given, data, output, command] {
    if (!given->dry_run && output->empty()) throw CLI::RequiredError("--output");
    const DataOptions data_options = checked_usage([&] {
      check_values(*given);
      return data();
    });
    run(*given, data_options, {given->model, "", data_arguments(*command)});
  });
}

}  // namespace vigor
