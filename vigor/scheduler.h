// Which rank does which work units next. Nothing but the decisions: what runs use, and what
// simulations of a thousand ranks use (docs/cluster.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vigor {

/// Hands units out one block of inputs at a time: a rank stays with its block, whose golden run it
/// has, until nothing is left of it. Then it begins a block of its own or, when all are begun,
/// joins the one with the most work left for each of its threads.
class Scheduler {
 public:
  /// `blocks`: the units to do of each block of inputs, in the order in which to do them.
  /// `threads`: of each rank.
  Scheduler(std::vector<std::vector<int64_t>> blocks, std::vector<int> threads);

  /// Units of one block, at most `want` (and at least one); none: nothing is left. No rank gets
  /// more than half of its fair share of what is left, so that slow ones hold up nobody for long.
  std::vector<int64_t> next(int rank, int64_t want);

  int64_t units() const { return units_; }
  /// Not handed out yet.
  int64_t left() const { return left_; }

 private:
  struct Block {
    std::vector<int64_t> units;
    size_t at = 0;        // first one not handed out
    int64_t threads = 0;  // of the ranks that are at it
    size_t left() const { return units.size() - at; }
  };
  Block* choose(int64_t threads);

  std::vector<Block> blocks_;
  std::vector<int64_t> threads_;
  std::vector<Block*> of_rank_;
  int64_t units_ = 0, left_ = 0, all_threads_ = 0;
};

/// How many units a rank asks for at once: they are worth a tenth of a second, against which the
/// way of the answer is short.
class Appetite {
 public:
  explicit Appetite(int threads) : want_(threads) {}
  /// It asks now: units of the last answer lasted until then.
  int64_t at(double seconds);

 private:
  int64_t want_;
  double asked_ = -1;
};

}  // namespace vigor
