#include "commands.h"
#include "signature.h"
#include "usage.h"

namespace vigor {

namespace {

struct Given {
  bool signature = false;
  AnalyzeOptions options;
};

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("bench", "Check that this machine computes what all others do");
  auto given = std::make_shared<Given>();
  AnalyzeOptions* options = &given->options;
  command
      ->add_flag("--signature", given->signature,
                 "Analyse a fixed small network and print one number over all results: the same "
                 "for any threads, batch, memory and instruction set (VIGOR_ISA)")
      ->required();
  command->add_option("--threads", options->threads, "Threads (all cores)")->transform(at_least(1));
  add_batch_option(*command, options->lanes);
  add_memory_option(*command, options->memory);
  command->footer("Example:\n  vigor bench --signature --threads 1");
  command->callback([given] { fmt::print("{}\n", signature(given->options)); });
}

}  // namespace vigor
