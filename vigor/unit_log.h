// Which work units of a run are done, and where their findings are kept: one mechanism for runs
// that are killed, shards, and merging.
//
// Finished units lie in part files in a folder beside the result. A part is complete, checksummed,
// synced and renamed into place, and bound to the run by the hash of its identity; which units a
// part holds depends on the clock and changes no result. The ranks of a group write parts to one
// folder, and rank 0 takes them in: what the others find never comes any other way.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "group.h"
#include "handout.h"
#include "part.h"

namespace vigor {

struct KeepOptions {
  Group* group = nullptr;                        // none: this process alone
  std::filesystem::path folder;                  // of finished parts; empty: nothing is kept
  int64_t shard = 0, shards = 0;                 // does units with number % shards == shard; 0: all
  std::optional<double> every;                   // seconds between parts; by what they cost
  std::vector<std::filesystem::path> merged;     // parts that hold all units: none is run
  std::string source;                            // PartHead::source of the parts written
  std::function<void(const std::string&)> note;  // lines for the user, may be empty
};

/// Jobs call, in this order: bind, then for each stage begin, run_units with a finish per unit,
/// end; at last release. Then perhaps bind for the next job. Ranks call all of it together.
class UnitLog {
 public:
  explicit UnitLog(KeepOptions options = {});
  ~UnitLog();
  UnitLog(const UnitLog&) = delete;
  UnitLog& operator=(const UnitLog&) = delete;

  /// Whether pending findings must be collected for `pack`.
  bool keeps() const { return !options_.folder.empty(); }
  bool sharded() const { return options_.shards > 0; }
  Group& group() const { return group_; }
  const std::string& source() const { return options_.source; }

  /// `pack` fills a part with what was found since it was called last (units and stage are put in
  /// here). Throws Error: the folder cannot be made, another process works in it, or ranks differ
  /// in the run or do not see one folder.
  void bind(const PartHead& head, std::function<void(Part&)> pack);

  /// Stage of `units` units: hands every finished part to `take`, which throws an Error before it
  /// changes anything where a part does not fit. Damaged and foreign parts in the folder are passed
  /// over; among merged ones they, overlaps and missing units are Errors. Only rank 0 reads parts.
  void begin(int64_t stage, int64_t units, const std::function<void(const Part&)>& take);
  bool done(int64_t unit) const { return done_[static_cast<size_t>(unit)]; }
  /// Whether the unit has to be done by this run or shard. At rank 0.
  bool todo(int64_t unit) const {
    const bool mine = !sharded() || unit % options_.shards == options_.shard;
    return mine && !done(unit) && options_.merged.empty();
  }
  /// Has these units, ascending, done by all ranks. Then rank 0 has what they found.
  void run_units(const std::vector<int64_t>& units, const UnitWork& work,
                 const std::function<void(double share)>& advance);
  /// Calls `merge`, one thread at a time, and writes a part when it is time to.
  void finish(int64_t unit, const std::function<void()>& merge);
  /// Writes what is pending, if anything was written before: short runs leave no files.
  void end();
  /// The job ends, perhaps by an exception: `pack` is called no more.
  void release();

  /// For a shard's own part: the units of the last stage. At rank 0.
  std::vector<int64_t> finished_units() const;
  const PartHead& head() const { return head_; }

  /// Keeps everything finished so far and lets no unit finish any more; the process ends next. May
  /// be called on any thread.
  void stop();
  /// Whether parts of this run lie in the folder.
  bool wrote() const { return wrote_; }

  /// The result is in place: removes the parts of this run, and the folder if that leaves it empty.
  void remove();

 private:
  void read_folder(int64_t stage, const std::function<void(const Part&)>& take);
  void read_merged(int64_t stage, const std::function<void(const Part&)>& take);
  void add(const Part& part, const std::string& file, const std::function<void(const Part&)>& take);
  void check_ranks() const;
  void open_folder();
  void share_folder();
  bool due() const;
  void save();
  void take_part(int64_t first_unit);
  void say(const std::string& line) const;
  std::string prefix() const;
  std::filesystem::path part_file(int64_t first_unit) const;

  using Clock = std::chrono::steady_clock;

  KeepOptions options_;
  Group& group_;
  int folder_ = -1;                    // open and locked by this process, or -1
  std::vector<std::string> prefixes_;  // of all jobs bound
  PartHead head_;
  std::function<void(Part&)> pack_;
  std::function<void(const Part&)> take_;
  int64_t stage_ = 0;
  std::vector<bool> done_;
  std::vector<int64_t> pending_;  // finished, not yet written
  Message written_;               // first units of parts that rank 0 has not been told of
  bool wrote_ = false, broken_ = false;
  Clock::time_point begin_ = Clock::now(), saved_ = begin_;
  Clock::duration cost_{};  // of the last save
  std::timed_mutex mutex_;
};

}  // namespace vigor
