#include "validate.h"

#include <memory>
#include <optional>

#include "commands.h"
#include "error.h"
#include "keep.h"
#include "onnx_import.h"
#include "output.h"
#include "partial_file.h"
#include "processes.h"
#include "progress.h"
#include "run_head.h"
#include "store.h"
#include "text.h"
#include "usage.h"
#include "validation_text.h"

namespace vigor {

namespace {

struct Given {
  std::string run, model, output;
  bool unseen_only = false;
  std::optional<double> require;
  KeepGiven keep;
  ValidateOptions options;
};

class Validating {
 public:
  /// `log` may be null: nothing is kept.
  Validating(const Given& given, const std::optional<DataOptions>& data, Progress& progress,
             UnitLog* log)
      : given_(given), data_(data), run_(read_run(given.run)), progress_(progress), log_(log) {}

  Validation run() {
    const std::string model =
        given_.model.empty() ? source_of(run_, given_.run).model : given_.model;
    if (!given_.output.empty()) check_output(given_.output, {model});
    graph_.emplace(import_onnx(model));
    if (!given_.output.empty()) check_output(given_.output, graph_->weight_files);
    check_model(run_, *graph_);
    Validation result = describe_validation(run_);
    std::optional<Dataset> other;
    bool moved = false;
    if (data_) {
      other = Dataset::open(*data_);
      check_data(*graph_, *other);
      moved = holds_inputs_of(run_, *graph_, *other);
    }
    if (moved && given_.unseen_only) {
      fail("data", "{} begins with the inputs of the run: none is unseen", other->description());
    }
    if (!given_.unseen_only) result.sets.push_back(set("set 1", moved ? *other : own_data()));
    if (other && !moved) result.sets.push_back(set("set 2", *other));
    return result;
  }

 private:
  // Data of the run, where its file says that they are.
  Dataset own_data() const {
    const DataOptions options = data_of(source_of(run_, given_.run), given_.run);
    if (!given_.output.empty()) check_output(given_.output, files_of(options));
    Dataset data = Dataset::open(options);
    check_data(*graph_, data);
    if (!holds_inputs_of(run_, *graph_, data)) {
      fail("data", "{} no longer begins with the {} inputs of the run (SHA-256 {})",
           data.description(), run_.golden_class.size(), run_.data_sha256);
    }
    return data;
  }

  ValidationSet set(const std::string& name, const Dataset& data) {
    ValidationSet result = validate(
        *graph_, data, run_, given_.options, [this](double share) { progress_.advance(share); },
        log_);
    result.name = name;
    progress_.line(fmt::format("{}: {} inputs, {}", name, result.inputs, duration(result.seconds)));
    return result;
  }

  const Given& given_;
  const std::optional<DataOptions>& data_;
  Run run_;
  std::optional<Graph> graph_;
  Progress& progress_;
  UnitLog* log_;
};

void run(const Given& given, const std::optional<DataOptions>& data) {
  Progress progress;
  Validation validation;
  if (given.output.empty()) {
    if (processes().many()) fail("--output", "several processes need one: they share OUTPUT.parts");
    validation = Validating(given, data, progress, nullptr).run();
  } else {
    check_output(given.output, joined(data ? files_of(*data) : std::vector<std::filesystem::path>(),
                                      {given.run, given.model}));
    KeptRun kept(given.output, given.keep, {}, progress);
    kept.run([&] {
      validation = Validating(given, data, progress, &kept.log()).run();
      if (is_first()) write_whole(given.output, to_json(validation));
    });
  }
  if (!is_first()) return;
  fmt::print("{}", to_text(validation));
  if (!given.require) return;
  const std::vector<std::string> lines = shortfalls(validation, *given.require);
  for (const std::string& line : lines) fmt::print("below --require: {}\n", line);
  if (!lines.empty()) fail("require", "{} of the shares fall short", lines.size());
}

}  // namespace

void add_validate(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("validate", "Hold the ranges of a run against faults drawn at random");
  const auto given = std::make_shared<Given>();
  ValidateOptions& options = given->options;
  command->add_option("run", given->run, "File of vigor analyze")->required()->type_name("RUN.h5");
  command->add_option("-o,--output", given->output, "Result to write (JSON)")->type_name("V.json");
  command->add_option("--model", given->model, "The network, if it has moved");
  const auto data = add_data_options(*command, false);
  CLI::Option* unseen = command->add_flag("--unseen-only", given->unseen_only,
                                          "Leave out the inputs of the run: --data alone");
  unseen->needs(command->get_option("--data"));
  command
      ->add_option("--plan", options.plan.kind,
                   "What the margin holds for: input (every site and input), layer (every site "
                   "over all inputs); exhaustive: every fault")
      ->capture_default_str()
      ->check(CLI::IsMember({"input", "layer", "exhaustive"}));
  command->add_option("--margin", options.plan.margin, "Margin of error of a critical rate")
      ->capture_default_str()
      ->check(inner_share());
  command->add_option("--inputs", options.inputs, "Use the first N of --data (all)")
      ->transform(at_least(1));
  command
      ->add_option("--require", given->require,
                   "Fail unless this share of true non-critical and true critical faults is "
                   "reached by every site, and over all sites by the lower end of the interval")
      ->check(number("a share from 0 to 1", [](double x) { return x >= 0 && x <= 1; }));
  command->add_option("--threads", options.threads, "Threads (all cores): the same results")
      ->transform(at_least(1));
  add_seed_option(*command, options.seed);
  add_save_every(*command, given->keep);
  command->footer(
      "Without --data: on the inputs that the ranges were computed from (set 1), found where the\n"
      "run found them. With --data: also on those (set 2); if they are the run's own, moved, on\n"
      "them alone.\n"
      "Examples:\n"
      "  vigor validate run.h5 --plan layer\n"
      "  vigor validate run.h5 --data mnist:DIR --scale 1/255 --inputs 1000 -o v.json\n"
      "  vigor validate run.h5 --plan layer --require 0.999");
  command->callback([given, data, command] { run(*given, moved_data(*command, data)); });
}

}  // namespace vigor
