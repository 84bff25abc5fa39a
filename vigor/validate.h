// Validation: faults drawn at random, run, and held against what the ranges of a run say of them
// (METHOD sections 6 and 8).
#pragma once

#include <functional>
#include <string>

#include "dataset.h"
#include "unit_log.h"
#include "validation.h"

namespace vigor {

struct ValidateOptions {
  FaultPlan plan;      // input, layer or exhaustive
  int64_t inputs = 0;  // of unseen data the first N; 0: all. The run's own are all used.
  uint64_t seed = 0;
  int threads = 0;                 // 0: all cores; the same results
  int64_t most_examined = 100000;  // disagreements whose cause is looked for
};

/// Whether these data begin with the inputs of the run: by hash.
bool holds_inputs_of(const Run& run, const Graph& graph, const Dataset& data);

/// What the validation says of the run; no sets yet.
Validation describe_validation(const Run& run);

/// Faults in the run's neurons on `data`: the run's own inputs where it holds them (set 1), else
/// unseen ones (set 2). Throws Error: another model, data that do not fit, a site that the network
/// has not, unknown plan. `advance` (may be empty) gets the share of faults run. `log` (may be
/// null) keeps finished units; of several ranks, rank 0 has the result.
ValidationSet validate(const Graph& graph, const Dataset& data, const Run& run,
                       const ValidateOptions& options,
                       const std::function<void(double share)>& advance = {},
                       UnitLog* log = nullptr);

}  // namespace vigor
