// Who gets which units, and a thousand ranks in simulated time.
#include "scheduler.h"

#include <gmock/gmock.h>

#include <numeric>

#include "cluster_simulation.h"

namespace vigor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Scheduler, OneRankGoesThroughAllInOrder) {
  Scheduler scheduler({{0, 1, 2}, {5, 7}, {9}}, {4});
  std::vector<int64_t> all;
  for (auto units = scheduler.next(0, 100); !units.empty(); units = scheduler.next(0, 100)) {
    all.insert(all.end(), units.begin(), units.end());
  }
  EXPECT_THAT(all, ElementsAre(0, 1, 2, 5, 7, 9));
  EXPECT_EQ(scheduler.left(), 0);
}

TEST(Scheduler, RanksBeginTheirOwnBlocksAndStay) {
  Scheduler scheduler({{0, 1, 2}, {3, 4, 5}}, {1, 1});
  EXPECT_THAT(scheduler.next(1, 1), ElementsAre(0));
  EXPECT_THAT(scheduler.next(0, 1), ElementsAre(3));
  EXPECT_THAT(scheduler.next(1, 1), ElementsAre(1));
  EXPECT_THAT(scheduler.next(1, 1), ElementsAre(2));
  EXPECT_THAT(scheduler.next(1, 1), ElementsAre(4));  // nothing left of its own: helps
  EXPECT_THAT(scheduler.next(0, 1), ElementsAre(5));
  EXPECT_THAT(scheduler.next(0, 1), IsEmpty());
  EXPECT_THAT(scheduler.next(1, 1), IsEmpty());
}

TEST(Scheduler, HelpsWhereTheMostIsLeftForEachThread) {
  Scheduler scheduler({{0, 1, 2, 3, 4, 5, 6, 7}, {10, 11, 12, 13, 14, 15}, {20}}, {8, 1, 1});
  EXPECT_THAT(scheduler.next(0, 1), ElementsAre(0));
  EXPECT_THAT(scheduler.next(1, 1), ElementsAre(10));
  EXPECT_THAT(scheduler.next(2, 1), ElementsAre(20));
  EXPECT_THAT(scheduler.next(2, 1), ElementsAre(11));  // 5 for 2 threads, not 7 for 9
}

TEST(Scheduler, GivesNoRankMoreThanHalfOfItsShare) {
  std::vector<int64_t> units(1000);
  std::iota(units.begin(), units.end(), 0);
  Scheduler scheduler({units}, {3, 1});
  EXPECT_EQ(scheduler.next(1, 1000).size(), 125);
  EXPECT_EQ(scheduler.next(0, 1000).size(), 875 * 3 / 8);
  EXPECT_EQ(scheduler.next(0, 7).size(), 7);
  EXPECT_EQ(scheduler.next(0, 0).size(), 1);
}

TEST(Scheduler, AppetiteGrowsWhileAnswersAreShort) {
  Appetite appetite(2);
  EXPECT_EQ(appetite.at(0), 2);
  EXPECT_EQ(appetite.at(0.01), 4);
  EXPECT_EQ(appetite.at(0.02), 8);
  EXPECT_EQ(appetite.at(0.12), 8);
  EXPECT_EQ(appetite.at(1), 4);
  for (int i = 2; i < 9; ++i) appetite.at(i);
  EXPECT_EQ(appetite.at(9), 1);
}

// A want of 0 would say that the rank is done.
TEST(Scheduler, AppetiteIsBounded) {
  Appetite appetite(1);
  for (int asked = 0; asked < 200; ++asked) EXPECT_GT(appetite.at(0.0), 0);
}

// Units of different cost, as layers are: from half of the mean to twice that.
std::vector<std::vector<double>> work(size_t blocks, size_t units, double seconds) {
  std::vector<double> block;
  for (size_t u = 0; u < units; ++u) {
    block.push_back(seconds *
                    std::exp2(1 - 2.0 * static_cast<double>(u) / static_cast<double>(units)));
  }
  return std::vector(blocks, block);
}

std::vector<double> speeds(size_t ranks, double slowest) {
  std::vector<double> all(ranks);
  for (size_t r = 0; r < ranks; ++r) {
    all[r] = 1 - (1 - slowest) * static_cast<double>(r) / static_cast<double>(ranks - 1);
  }
  return all;
}

double sum(const std::vector<std::vector<double>>& blocks) {
  double all = 0;
  for (const auto& block : blocks) all = std::accumulate(block.begin(), block.end(), all);
  return all;
}

TEST(Simulation, OneRankTakesTheSumOfItsUnits) {
  Cluster cluster{{2.0}};
  cluster.way = cluster.answer = cluster.read = 0;
  const auto blocks = work(3, 10, 1);
  EXPECT_NEAR(ClusterSimulation(blocks, cluster).run().seconds, 10 + sum(blocks) / 2, 1e-6);
}

TEST(Simulation, AThousandRanksOfAnySpeedAsModelled) {
  for (const double slowest : {1.0, 0.25}) {
    Cluster cluster{speeds(1000, slowest), 16};
    cluster.golden = 5;
    const auto blocks = work(7, 40000, 60);
    const Simulated simulated = ClusterSimulation(blocks, cluster).run();
    EXPECT_NEAR(simulated.seconds / modelled_seconds(blocks, cluster), 1, 0.03) << slowest;
  }
}

TEST(Simulation, ASlowRankHoldsUpNobody) {
  const auto blocks = work(16, 20000, 0.5);
  Cluster cluster{std::vector<double>(1000, 1.0)};
  const double even = ClusterSimulation(blocks, cluster).run().seconds;
  cluster.speed[500] = 0.1;
  const double uneven = ClusterSimulation(blocks, cluster).run().seconds;
  // Its last unit may be the longest: 1 s at a tenth of the speed.
  EXPECT_LT(uneven, even + 11);
  // In equal shares it would have had ten times as long as all others.
  EXPECT_GT((sum(blocks) / 1000) * 10, uneven + 300);
}

TEST(Simulation, FailuresLoseUnitsInProgress) {
  const auto blocks = work(7, 40000, 60);
  Cluster cluster{speeds(1000, 0.5), 16};
  cluster.start = 60;
  cluster.rank_hours = 1000;  // of all: one an hour
  double simulated = 0, lost = 0;
  int64_t starts = 0;
  constexpr int kRuns = 20;
  for (uint64_t seed = 0; seed < kRuns; ++seed) {
    cluster.seed = seed;
    const Simulated one = ClusterSimulation(blocks, cluster).run();
    simulated += one.seconds / kRuns;
    starts += one.starts;
    lost += one.lost;
  }
  EXPECT_GT(starts, kRuns);
  // Half a unit for each of 16,000 threads, at speeds from 1 to 0.5. The mean half of a unit that
  // is met in progress is that of its square over its mean: 37.5 s.
  const double failures = static_cast<double>(starts - kRuns);
  EXPECT_NEAR(lost / failures / 16000, 37.5 * 2 * std::log(2), 8);
  EXPECT_NEAR(simulated / modelled_seconds(blocks, cluster), 1, 0.03);
}

}  // namespace
}  // namespace vigor
