// Which work units of a run are done, and where their findings are kept: one mechanism for runs
// that are killed, shards, and merging.
//
// Finished units lie in part files in a folder beside the result. A part is complete, checksummed,
// synced and renamed into place, and bound to the run by the hash of its identity; which units a
// part holds depends on the clock and changes no result.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "part.h"

namespace vigor {

struct KeepOptions {
  std::filesystem::path folder;                  // of finished parts; empty: nothing is kept
  int64_t shard = 0, shards = 0;                 // does units with number % shards == shard; 0: all
  std::optional<double> every;                   // seconds between parts; by what they cost
  std::vector<std::filesystem::path> merged;     // parts that hold all units: none is run
  std::string source;                            // PartHead::source of the parts written
  std::function<void(const std::string&)> note;  // lines for the user, may be empty
};

/// Jobs call, in this order: bind, then for each stage begin, finish per unit, end; at last
/// release.
class UnitLog {
 public:
  explicit UnitLog(KeepOptions options = {});
  ~UnitLog();
  UnitLog(const UnitLog&) = delete;
  UnitLog& operator=(const UnitLog&) = delete;

  /// Whether pending findings must be collected for `pack`.
  bool keeps() const { return !options_.folder.empty(); }
  bool sharded() const { return options_.shards > 0; }
  const std::string& source() const { return options_.source; }

  /// `pack` fills a part with what was found since it was called last (units and stage are put in
  /// here). Throws Error: the folder cannot be made, or another process works in it.
  void bind(const PartHead& head, std::function<void(Part&)> pack);

  /// Stage of `units` units: hands every finished part to `take`, which throws an Error before it
  /// changes anything where a part does not fit. Damaged and foreign parts in the folder are passed
  /// over; among merged ones they, overlaps and missing units are Errors.
  void begin(int64_t stage, int64_t units, const std::function<void(const Part&)>& take);
  bool done(int64_t unit) const { return done_[static_cast<size_t>(unit)]; }
  /// Whether this process has to do the unit.
  bool todo(int64_t unit) const {
    const bool mine = !sharded() || unit % options_.shards == options_.shard;
    return mine && !done(unit) && options_.merged.empty();
  }
  /// Calls `merge`, one thread at a time, and writes a part when it is time to.
  void finish(int64_t unit, const std::function<void()>& merge);
  /// Writes what is pending, if anything was written before: short runs leave no files.
  void end();
  /// The job ends, perhaps by an exception: `pack` is called no more.
  void release();

  /// The units of this process, for a shard's own part: those of the last stage.
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
  bool due() const;
  void save();
  void say(const std::string& line) const;
  std::string prefix() const;

  using Clock = std::chrono::steady_clock;

  KeepOptions options_;
  int folder_ = -1;  // locked
  PartHead head_;
  std::function<void(Part&)> pack_;
  int64_t stage_ = 0;
  std::vector<bool> done_;
  std::vector<int64_t> pending_;  // finished, not yet written
  bool wrote_ = false, broken_ = false;
  Clock::time_point begin_ = Clock::now(), saved_ = begin_;
  Clock::duration cost_{};  // of the last save
  std::timed_mutex mutex_;
};

}  // namespace vigor
