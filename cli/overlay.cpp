#include "overlay.h"

#include "commands.h"
#include "error.h"
#include "output.h"
#include "partial_file.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  std::string run, model, output, kind;
};

std::string kind_of(const Given& given) {
  if (!given.kind.empty()) return given.kind;
  const std::string extension = std::filesystem::path(given.output).extension().string();
  if (extension == ".json") return "node-data";
  if (extension == ".onnx") return "onnx";
  fail("--output", "got '{}', expected .json or .onnx, or --as", given.output);
}

void run(const Given& given, const std::string& kind) {
  check_output(given.output, {given.model, given.run});
  const FactorSheet sheet = read_factor_sheet(given.run);
  const std::filesystem::path output = given.output;
  write_whole(output, kind == "onnx" ? annotated_model(sheet, given.model, output.parent_path())
                                     : node_data(sheet, given.model));
}

}  // namespace

void add_overlay(CLI::App& app) {
  const auto given = std::make_shared<Given>();
  CLI::App* command =
      app.add_subcommand("overlay", "Put a run's factors on the network's graph, for viewers");
  command->add_option("run", given->run, "File of vigor analyze or vigor map")
      ->required()
      ->type_name("RUN.h5");
  command->add_option("model", given->model, "The network of the run; any other is refused")
      ->required()
      ->type_name("MODEL.onnx");
  command
      ->add_option("-o,--output", given->output,
                   "File to write: .json for Google's Model Explorer (node data), .onnx for a copy "
                   "of the network whose metadata and nodes' descriptions hold the factors, as "
                   "Netron shows them")
      ->required();
  command->add_option("--as", given->kind, "Which of the two, whatever the file is called")
      ->check(CLI::IsMember({"node-data", "onnx"}));
  command->footer(
      "The copy computes the same as the network.\n"
      "Examples:\n"
      "  vigor overlay run.h5 net.onnx -o factors.json\n"
      "  vigor overlay run.h5 net.onnx -o net-factors.onnx");
  command->callback([given] {
    const std::string kind = checked_usage([&] { return kind_of(*given); });
    run(*given, kind);
  });
}

}  // namespace vigor
