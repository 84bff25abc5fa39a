#include "unit_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "error.h"

namespace vigor {

namespace {

namespace fs = std::filesystem;

/// Unless told otherwise no part is written before the work since the last one is worth it: this
/// long, a hundred times what writing took, and a fiftieth of the time spent.
constexpr auto kLeast = std::chrono::milliseconds(250);
constexpr int kCostFactor = 100;
constexpr int kShareOfRun = 50;

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

UnitLog::UnitLog(KeepOptions options) : options_(std::move(options)) {}

UnitLog::~UnitLog() {
  if (folder_ < 0) return;
  ::rmdir(options_.folder.c_str());  // only where nothing is in it
  ::close(folder_);
}

void UnitLog::bind(const PartHead& head, std::function<void(Part&)> pack) {
  head_ = head;
  pack_ = std::move(pack);
  if (!keeps()) return;
  const std::string name = options_.folder.string();
  if (::mkdir(name.c_str(), 0777) != 0 && errno != EEXIST) {
    fail(name, "cannot be made: {}", reason());
  }
  folder_ = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) fail(name, "cannot be opened: {}", reason());
  // Where the file system knows no locks there is none.
  if (::flock(folder_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail(name, "another process is working on this run");
  }
}

void UnitLog::begin(int64_t stage, int64_t units, const std::function<void(const Part&)>& take) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
  done_.assign(static_cast<size_t>(units), false);
  if (options_.merged.empty()) {
    if (keeps()) read_folder(stage, take);
  } else {
    read_merged(stage, take);
  }
}

// A part of this run, whole and of units not seen before; or an Error, and nothing is changed.
void UnitLog::add(const Part& part, const std::string& file,
                  const std::function<void(const Part&)>& take) {
  for (const int64_t unit : part.units) {
    if (unit >= std::ssize(done_)) fail(file, "holds unit {} of {}", unit, done_.size());
    if (done(unit)) fail(file, "holds unit {}, which another part holds too", unit);
  }
  try {
    take(part);
  } catch (const Error& error) {
    fail(file, "{}", error.what());
  }
  for (const int64_t unit : part.units) done_[static_cast<size_t>(unit)] = true;
}

// Of the names of this process's parts.
std::string UnitLog::prefix() const {
  const std::string hash = head_.hash().substr(0, 16);
  if (!sharded()) return hash + "-";
  return fmt::format("{}-{}of{}-", hash, options_.shard + 1, options_.shards);
}

void UnitLog::read_folder(int64_t stage, const std::function<void(const Part&)>& take) {
  int64_t damaged = 0, foreign = 0;
  const std::string of_run = prefix(), of_stage = of_run + std::to_string(stage) + "-";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(of_run) && name.ends_with(".part")) ++foreign;
    if (name.starts_with(of_stage) && name.ends_with(".part")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    try {
      const auto [head, part] = read_part(file);
      if (!difference(head, head_).empty() || part.stage != stage) {
        fail(file.string(), "is another run's");
      }
      add(part, file.string(), take);
    } catch (const Error&) {
      ++damaged;
    }
  }
  const auto reused = std::count(done_.begin(), done_.end(), true);
  wrote_ = wrote_ || reused > 0;
  if (reused > 0) {
    say(fmt::format("{}: {} of {} units reused", options_.folder.string(), reused, done_.size()));
  }
  if (damaged > 0) {
    say(fmt::format("{}: {} damaged parts, their units are redone", options_.folder.string(),
                    damaged));
  }
  if (foreign > 0 && stage == 0) {
    say(fmt::format("{}: {} parts of other runs are left alone", options_.folder.string(),
                    foreign));
  }
}

void UnitLog::read_merged(int64_t stage, const std::function<void(const Part&)>& take) {
  for (const fs::path& file : options_.merged) {
    const auto [head, part] = read_part(file);
    const std::string differs = difference(head, head_);
    if (!differs.empty()) fail(file.string(), "is of another run: {}", differs);
    if (part.stage == stage) add(part, file.string(), take);
  }
  const auto missing = std::count(done_.begin(), done_.end(), false);
  if (missing > 0) {
    fail("merge", "{} of {} units are in none of the parts: a shard is missing", missing,
         done_.size());
  }
}

void UnitLog::finish(int64_t unit, const std::function<void()>& merge) {
  const std::lock_guard lock(mutex_);
  if (broken_) return;
  broken_ = true;  // where a merge fails half-way, nothing that it left may be written
  merge();
  done_[static_cast<size_t>(unit)] = true;
  if (keeps()) {
    pending_.push_back(unit);
    if (due()) save();
  }
  broken_ = false;
}

void UnitLog::end() {
  const std::lock_guard lock(mutex_);
  if (keeps() && !broken_ && wrote_ && !pending_.empty()) save();
}

void UnitLog::release() {
  try {
    end();
  } catch (const std::exception&) {  // what made the job fail is said elsewhere
  }
  const std::lock_guard lock(mutex_);
  pending_.clear();
  pack_ = nullptr;
}

std::vector<int64_t> UnitLog::finished_units() const {
  std::vector<int64_t> units;
  for (int64_t unit = 0; unit < std::ssize(done_); ++unit) {
    if (done(unit)) units.push_back(unit);
  }
  return units;
}

bool UnitLog::due() const {
  const auto now = Clock::now();
  if (options_.every) return std::chrono::duration<double>(now - saved_).count() >= *options_.every;
  return now - saved_ >=
         std::max<Clock::duration>({kLeast, kCostFactor * cost_, (now - begin_) / kShareOfRun});
}

void UnitLog::save() {
  const auto before = Clock::now();
  Part part;
  part.stage = stage_;
  part.units = std::exchange(pending_, {});
  std::sort(part.units.begin(), part.units.end());
  pack_(part);
  // Units are of one part each, so that the first one names it.
  const std::string name = fmt::format("{}{}-{:09}.part", prefix(), stage_, part.units.front());
  write_part(options_.folder / name, head_, part);
  wrote_ = true;
  saved_ = Clock::now();
  cost_ = saved_ - before;
}

void UnitLog::stop() {
  // For good. Who holds it longer is reading or writing parts: whole ones, or ones that never were.
  if (!mutex_.try_lock_for(std::chrono::milliseconds(500))) return;
  if (keeps() && !broken_ && !pending_.empty()) save();
  if (keeps()) ::rmdir(options_.folder.c_str());  // only where nothing is in it
}

void UnitLog::remove() {
  if (folder_ < 0) return;
  const std::string of_run = prefix();
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    if (entry.path().filename().string().starts_with(of_run)) files.push_back(entry.path());
  }
  for (const fs::path& file : files) fs::remove(file);
}

void UnitLog::say(const std::string& line) const {
  if (options_.note) options_.note(line);
}

}  // namespace vigor
