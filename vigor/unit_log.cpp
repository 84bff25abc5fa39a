#include "unit_log.h"

#include <fcntl.h>
#include <gnu/libc-version.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <thread>
#include <utility>

#include "error.h"
#include "partial_file.h"

namespace vigor {

namespace {

namespace fs = std::filesystem;

/// Unless told otherwise no part is written before the work since the last one is worth it: this
/// long, a hundred times what writing took, and a fiftieth of the time spent.
constexpr auto kLeast = std::chrono::milliseconds(250);
constexpr int kCostFactor = 100;
constexpr int kShareOfRun = 50;
/// Ranks write as soon as that is worth it, but not more parts than rank 0 can take in.
constexpr auto kLeastOfRank = std::chrono::milliseconds(10);
/// File systems show a file of another machine at last after this time.
constexpr auto kVisible = std::chrono::seconds(60);

Group& alone() {
  static Group group;
  return group;
}

// Whether what is open still bears the name.
bool is_named(int opened, const std::string& name) {
  struct stat one {
  }, other{};
  return ::fstat(opened, &one) == 0 && ::stat(name.c_str(), &other) == 0 &&
         one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

UnitLog::UnitLog(KeepOptions options)
    : options_(std::move(options)), group_(options_.group ? *options_.group : alone()) {}

UnitLog::~UnitLog() {
  if (folder_ < 0) return;
  // Only where nothing is in it, and no other rank may want to save what it has.
  if (!group_.many()) ::rmdir(options_.folder.c_str());
  ::close(folder_);
}

void UnitLog::bind(const PartHead& head, std::function<void(Part&)> pack) {
  head_ = head;
  pack_ = std::move(pack);
  if (group_.many()) check_ranks();
  if (!keeps()) return;
  prefixes_.push_back(prefix());
  if (group_.rank() == 0 && folder_ < 0) open_folder();
  if (group_.many()) share_folder();
}

// All ranks do the same run, by libraries that compute the same.
void UnitLog::check_ranks() const {
  if (!keeps()) fail(place(group_), "has no folder for what it finds");
  PartHead mine = head_;
  mine.identity.emplace_back("C library", gnu_get_libc_version());
  const nlohmann::json json{{"host", host_name()}, {"identity", mine.identity}};
  const auto all =
      group_.gather(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  for (size_t rank = 1; rank < all.size(); ++rank) {
    const nlohmann::json other = nlohmann::json::parse(all[rank]);
    PartHead head;
    head.identity = other.at("identity");
    const std::string differs = difference(head, mine);
    if (differs.empty()) continue;
    const bool isa = differs.starts_with("instruction set");
    fail(fmt::format("rank {} on {}", rank, other.at("host").get<std::string>()),
         "does not fit rank 0 on {}: {}{}", host_name(), differs,
         isa ? "; the environment variable VIGOR_ISA sets one for all" : "");
  }
}

// Made, opened and locked. Whoever had it may remove it meanwhile.
void UnitLog::open_folder() {
  const std::string name = options_.folder.string();
  for (;;) {
    if (::mkdir(name.c_str(), 0777) != 0 && errno != EEXIST) {
      fail(name, "cannot be made: {}", reason());
    }
    const int opened = ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) fail(name, "cannot be opened: {}", reason());
    // Where the file system knows no locks there is none.
    if (::flock(opened, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      ::close(opened);
      fail(name, "another process is working on this run");
    }
    if (is_named(opened, name)) {
      const std::lock_guard lock(mutex_);
      folder_ = opened;
      return;
    }
    ::close(opened);
  }
}

// A file of rank 0's, which all must see.
void UnitLog::share_folder() {
  int64_t number = Clock::now().time_since_epoch().count();
  const auto token = [&] { return options_.folder / fmt::format("{}{}.shared", prefix(), number); };
  if (group_.rank() == 0) PartialFile(token()).finish();
  group_.broadcast(std::as_writable_bytes(std::span(&number, 1)));
  const auto until = Clock::now() + kVisible;
  while (!fs::exists(token())) {
    if (Clock::now() > until) {
      fail(place(group_), "does not see {} of rank 0: ranks need a file system that all share",
           options_.folder.string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  group_.gather("");
  if (group_.rank() == 0) fs::remove(token());
}

void UnitLog::begin(int64_t stage, int64_t units, const std::function<void(const Part&)>& take) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
  take_ = take;
  done_.assign(static_cast<size_t>(units), false);
  if (group_.rank() != 0) return;
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
  if (!sharded()) return hash + "-all-";
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

void UnitLog::run_units(const std::vector<int64_t>& units, const UnitWork& work,
                        const std::function<void(double share)>& advance) {
  std::vector<std::vector<int64_t>> blocks;
  for (const int64_t unit : units) {
    if (blocks.empty() || work.block(blocks.back().front()) != work.block(unit))
      blocks.push_back({});
    blocks.back().push_back(unit);
  }
  PartExchange exchange;
  exchange.written = [this] {
    const std::lock_guard lock(mutex_);
    return std::exchange(written_, {});
  };
  exchange.flush = [this] { end(); };
  exchange.take = [this](int64_t part) { take_part(part); };
  exchange.advance = [&](int64_t finished, int64_t of) {
    const std::lock_guard lock(mutex_);
    if (advance) advance(static_cast<double>(finished) / static_cast<double>(of));
  };
  hand_out(group_, std::move(blocks), work, exchange);
  if (group_.rank() != 0) return;
  const auto missing =
      std::find_if(units.begin(), units.end(), [this](int64_t unit) { return !done(unit); });
  if (missing != units.end()) fail("parts", "unit {} was done by no rank", *missing);
}

// What another rank has written.
void UnitLog::take_part(int64_t first_unit) {
  const std::lock_guard lock(mutex_);
  const fs::path file = part_file(first_unit);
  const auto [head, part] = read_part(file);
  if (!difference(head, head_).empty() || part.stage != stage_) {
    fail(file.string(), "is another run's");
  }
  add(part, file.string(), take_);
  wrote_ = true;
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
  const bool wanted = wrote_ || group_.rank() != 0;
  if (keeps() && !broken_ && wanted && !pending_.empty()) save();
}

void UnitLog::release() {
  try {
    end();
  } catch (const std::exception&) {  // what made the job fail is said elsewhere
  }
  const std::lock_guard lock(mutex_);
  pending_.clear();
  pack_ = nullptr;
  take_ = nullptr;
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
  const Clock::duration least =
      group_.many() ? kLeastOfRank * group_.size() : (now - begin_) / kShareOfRun;
  return now - saved_ >= std::max<Clock::duration>({kLeast, kCostFactor * cost_, least});
}

void UnitLog::save() {
  const auto before = Clock::now();
  Part part;
  part.stage = stage_;
  part.units = std::exchange(pending_, {});
  std::sort(part.units.begin(), part.units.end());
  pack_(part);
  write_part(part_file(part.units.front()), head_, part);
  if (group_.rank() != 0) written_.push_back(part.units.front());
  wrote_ = true;
  saved_ = Clock::now();
  cost_ = saved_ - before;
}

// Units are of one part each, so that the first one names it.
fs::path UnitLog::part_file(int64_t first_unit) const {
  return options_.folder / fmt::format("{}{}-{:09}.part", prefix(), stage_, first_unit);
}

void UnitLog::stop() {
  // For good. Who holds it longer is reading or writing parts: whole ones, or ones that never were.
  if (!mutex_.try_lock_for(std::chrono::milliseconds(500))) return;
  if (keeps() && !broken_ && !pending_.empty()) save();
  if (folder_ >= 0 && !group_.many()) ::rmdir(options_.folder.c_str());
}

void UnitLog::remove() {
  if (folder_ < 0) return;
  std::vector<fs::path> files;
  std::error_code error;  // the result is in place: what cannot be removed stays
  for (fs::directory_iterator entry(options_.folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const auto begins = [&](const std::string& prefix) { return name.starts_with(prefix); };
    if (std::any_of(prefixes_.begin(), prefixes_.end(), begins)) files.push_back(entry->path());
  }
  for (const fs::path& file : files) fs::remove(file, error);
  ::rmdir(options_.folder.c_str());
}

void UnitLog::say(const std::string& line) const {
  if (options_.note) options_.note(line);
}

}  // namespace vigor
