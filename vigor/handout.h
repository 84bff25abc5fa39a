// One rank's end of the handing out of work units: rank 0 answers all the others' questions beside
// its own work, and takes in the parts that they have written.
#pragma once

#include <functional>
#include <vector>

#include "group.h"

namespace vigor {

/// Where the findings of finished units go. All but `advance` may be empty in a group of one.
struct PartExchange {
  /// Numbers of the parts written here since the last call.
  std::function<Message()> written;
  /// Writes what is pending.
  std::function<void()> flush;
  /// At rank 0: takes in a part that another rank wrote. Throws Error, perhaps as it is not visible
  /// yet.
  std::function<void(int64_t part)> take;
  /// At rank 0, on any of its threads: how many units are finished, of all.
  std::function<void(int64_t finished, int64_t units)> advance;
};

/// What this process does with a unit.
struct UnitWork {
  int threads;
  std::function<int64_t(int64_t unit)> block;  // of inputs, by any number
  std::function<void(int64_t unit)> open;      // before the units of another block than the last
  std::function<void(int worker, int64_t unit)> run;
};

/// Does units until no rank has anything left to do; then rank 0 has taken in every part. All ranks
/// call this together; `blocks` (Scheduler) counts at rank 0 alone. A unit that fails ends this
/// with an Error that names it and, in a group of many, rank and host.
void hand_out(Group& group, std::vector<std::vector<int64_t>> blocks, const UnitWork& work,
              const PartExchange& exchange);

}  // namespace vigor
