// Handing out among ranks that are threads: every unit once, every part taken in, failures named.
#include "handout.h"

#include <gmock/gmock.h>

#include <atomic>
#include <numeric>

#include "error.h"
#include "thread_group.h"

namespace vigor {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBlock = 100;

std::vector<std::vector<int64_t>> blocks(int64_t count) {
  std::vector<std::vector<int64_t>> all;
  for (int64_t b = 0; b < count; ++b) {
    all.emplace_back(kBlock);
    std::iota(all.back().begin(), all.back().end(), b * kBlock);
  }
  return all;
}

// Ranks with 1, 2, 3... threads. `run` may throw; returns what each rank threw.
struct Job {
  explicit Job(int ranks) : world(ranks), done(1000), messages(static_cast<size_t>(ranks)) {}

  void start(int64_t count, const std::function<void(int rank, int64_t unit)>& run) {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < world.size; ++rank) {
      threads.emplace_back([&, rank] { rank_of_job(rank, count, run); });
    }
  }

  void rank_of_job(int rank, int64_t count,
                   const std::function<void(int rank, int64_t unit)>& run) {
    ThreadGroup group(world, rank);
    std::atomic<int64_t> opened = -1;
    std::mutex mutex;
    Message pending, written;
    PartExchange exchange;
    exchange.written = [&] {
      const std::lock_guard lock(mutex);
      return std::exchange(written, {});
    };
    exchange.flush = [&] {
      const std::lock_guard lock(mutex);
      written.insert(written.end(), pending.begin(), pending.end());
      pending.clear();
    };
    exchange.take = [&](int64_t part) {
      if (part % 7 == 0 && !late.exchange(true)) fail("part", "not visible yet");
      taken += part;
    };
    exchange.advance = [&](int64_t finished, int64_t units) {
      EXPECT_LE(finished, units);
      if (finished == units) whole = true;
    };
    const UnitWork work{rank + 1, [](int64_t unit) { return unit / kBlock; },
                        [&](int64_t unit) { opened = unit / kBlock; },
                        [&](int, int64_t unit) {
                          EXPECT_EQ(opened, unit / kBlock);
                          run(rank, unit);
                          ++done[static_cast<size_t>(unit)];
                          const std::lock_guard lock(mutex);
                          if (rank > 0) pending.push_back(unit);
                          if (rank > 0 && unit % 10 == 0) std::swap(pending, written);
                          if (rank == 0) taken += unit;
                        }};
    try {
      hand_out(group, rank == 0 ? blocks(count) : blocks(0), work, exchange);
    } catch (const Error& error) {
      messages[static_cast<size_t>(rank)] = error.what();
      world.over = true;
    }
  }

  ThreadWorld world;
  std::vector<std::atomic<int>> done;
  std::atomic<int64_t> taken = 0;
  std::atomic<bool> late = false, whole = false;
  std::vector<std::string> messages;
};

TEST(ParallelHandout, DoesEveryUnitOnceAndTakesInEveryPart) {
  for (const int ranks : {1, 2, 3, 5}) {
    Job job(ranks);
    job.start(10, [](int, int64_t) { std::this_thread::yield(); });
    for (const auto& count : job.done) ASSERT_EQ(count, 1) << ranks;
    EXPECT_TRUE(job.whole);
    EXPECT_EQ(job.taken, 999 * 1000 / 2);
    for (const std::string& message : job.messages) EXPECT_EQ(message, "");
  }
}

TEST(ParallelHandout, FewerUnitsThanRanks) {
  Job job(4);
  job.start(0, [](int, int64_t) {});
  for (const std::string& message : job.messages) EXPECT_EQ(message, "");
}

TEST(ParallelHandout, NamesRankHostAndUnit) {
  Job job(2);
  job.start(1, [](int rank, int64_t unit) {
    if (rank == 0 && unit == 0) return;
    if (rank == 0) fail("unit", "a failure of unit {}", unit);
  });
  EXPECT_THAT(job.messages[0], HasSubstr("[rank 0 on " + host_name() + ", unit "));
  EXPECT_THAT(job.messages[0], HasSubstr("a failure of unit"));
}

TEST(Handout, AloneAnErrorStaysAsItIs) {
  Group alone;
  const UnitWork work{1, [](int64_t) { return 0; }, [](int64_t) {},
                      [](int, int64_t unit) { fail("net", "unit {}", unit); }};
  try {
    hand_out(alone, blocks(1), work, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[net] unit 0");
  }
}

}  // namespace
}  // namespace vigor
