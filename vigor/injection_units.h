// The faults of an injection, cut into work units that the plan alone decides.
#pragma once

#include <cstdint>
#include <vector>

#include "execute.h"
#include "fault_list.h"
#include "fault_plan.h"
#include "injection.h"
#include "stored_faults.h"

namespace vigor {

/// Rounds of units, each about as many faults. All but plans that stop at a margin have one round.
class InjectionUnits {
 public:
  /// `head` has its inputs; `list` (may be null) replaces plan and `stored`. All outlive this.
  InjectionUnits(const std::vector<Site>& sites, const RunHead& head, const FaultPlan& plan,
                 const StoredFaults& stored, const FaultList* list, int64_t inputs_per_block);

  /// Numbers the units of the next round: all that are planned or, where the interval may end it
  /// earlier, as many faults again as were run. `found`: the sums of the rounds before. False when
  /// nothing is left.
  bool begin_round(const std::vector<InjectionSite>& found);
  int64_t count() const { return std::ssize(units_); }
  /// First input of the unit's block; ascending.
  int64_t first_input(int64_t unit) const { return at(unit).block * block_; }
  /// The unit's faults, without outcomes.
  std::vector<InjectedFault> draw(int64_t unit, const Golden& golden) const;

  /// Faults of this round, about: some may be left out with their input.
  int64_t faults() const { return faults_; }
  /// Faults planned in all rounds.
  int64_t planned() const { return planned_; }

 private:
  // Sites that share a plan; their faults are one space for all inputs, or one for each input.
  struct Group {
    FaultSpace space;
    int32_t first_site, site_count;
    int64_t planned;           // faults to draw of a space
    int64_t from = 0, to = 0;  // numbers of this round
    std::vector<bool> done;    // by input, or of the one space
  };
  // Faults number [from, to) of a group's spaces, or of the listed ones, as far as in the block.
  struct Unit {
    int64_t block;
    size_t group;
    int64_t from, to;
  };

  const Unit& at(int64_t unit) const { return units_[static_cast<size_t>(unit)]; }
  void plan_groups();
  void note_done(Group& group, const std::vector<InjectionSite>& found);
  void cut(int64_t block, int64_t inputs);
  bool list_units();
  std::vector<InjectedFault> listed(const Unit& unit, const Golden& golden) const;

  const std::vector<Site>& sites_;
  const RunHead& head_;
  const FaultPlan& plan_;
  const StoredFaults& stored_;
  const FaultList* list_;
  bool per_input_;
  int64_t block_;
  std::vector<int64_t> counted_;             // inputs whose golden run is finite
  std::vector<size_t> rank_;                 // by block: its first place in counted_; and the end
  std::vector<std::vector<size_t>> blocks_;  // listed faults by block
  std::vector<Group> groups_;
  std::vector<Unit> units_;
  int64_t faults_ = 0, planned_ = 0;
};

}  // namespace vigor
