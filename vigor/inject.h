// Fault injection, the yardstick: random (or all, or listed) bit flips, run one by one.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "dataset.h"
#include "fault_list.h"
#include "injection.h"
#include "run_head.h"
#include "unit_log.h"

namespace vigor {

struct InjectOptions {
  std::string sites = "post-activation";
  std::string neurons;       // a sample of each site, "200" or "5%"; empty: all
  std::vector<Site> chosen;  // these instead, if any
  int64_t inputs = 0;        // the first N of the data; 0: all
  FaultPlan plan;
  StoredKind stored;  // number format and fault model; the default beside a list
  std::string prober = "region";
  uint64_t seed = 0;
  int threads = 0;     // 0: all cores
  int lanes = 64;      // largest batch
  int64_t memory = 0;  // bytes for activations and plans, 0: default_memory()
};

/// What a caller may do meanwhile. Called on one thread at a time.
struct InjectProgress {
  std::function<void(double share)> advance;  // of all faults planned, 0 to 1
  /// Every fault of this process once, in an order that depends on the plan alone. Margins are
  /// those of faults run now, and 0 for those that a part file holds.
  std::function<void(std::span<const InjectedFault>, const std::vector<Site>&)> faults;
};

/// Everything an injection file holds but the command line; the same for any threads, batch and
/// prober. `list` (may be null) replaces sites, neurons, inputs and plan; its faults on inputs
/// whose golden run is not finite are left out. `log` (may be null) keeps finished units, or holds
/// those of parts to merge. Throws Error: data that do not fit the network, no input with a finite
/// golden run, unknown options.
Injection inject(const Graph& graph, const Dataset& data, const InjectOptions& options,
                 const FaultList* list = nullptr, const InjectProgress& progress = {},
                 UnitLog* log = nullptr);

/// The shard that `log` names. Plans that stop at a margin look at all faults: Error.
Shard inject_shard(const Graph& graph, const Dataset& data, const InjectOptions& options,
                   const FaultList* list, const InjectProgress& progress, UnitLog& log);

/// The options behind RunHead::options and its seed, but for a list. Throws Error where the text is
/// not of those.
InjectOptions parse_inject_options(const std::string& json, uint64_t seed);

}  // namespace vigor
