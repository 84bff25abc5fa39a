// A run by many ranks in simulated time. The decisions are the real scheduler's; machines, their
// speeds, failures and file system are as given (docs/cluster.md).
#pragma once

#include <algorithm>
#include <cmath>
#include <deque>
#include <queue>
#include <vector>

#include "random.h"
#include "scheduler.h"

namespace vigor {

struct Cluster {
  std::vector<double> speed;  // of each rank's threads; 1: that of the units' seconds
  int threads = 1;            // of each rank
  double start = 10;          // seconds from the start to the first unit, and for the last steps
  double golden = 0;          // of a block's golden run
  double way = 1e-3;          // of a question and its answer
  double answer = 2e-4;       // of rank 0, for an answer
  double read = 2e-3;         // of rank 0, for a part
  double rank_hours = 0;      // between two failures of one rank; 0: none fails
  uint64_t seed = 0;
};

struct Simulated {
  double seconds = 0;
  double lost = 0;  // thread seconds of work done again
  int64_t starts = 0, questions = 0, parts = 0;
};

/// What docs/cluster.md says such a run takes.
inline double modelled_seconds(const std::vector<std::vector<double>>& blocks, const Cluster& c) {
  double work = 0, squares = 0, last = 0, speed = 0;
  for (const auto& block : blocks) {
    for (const double unit : block) {
      work += unit;
      squares += unit * unit;
    }
    last = std::max(last, block.back());
  }
  for (const double s : c.speed) speed += s * c.threads;
  const auto ranks = static_cast<double>(c.speed.size());
  const double threads = ranks * c.threads;
  const double slowest = *std::min_element(c.speed.begin(), c.speed.end());
  const double goldens =
      c.golden * std::ceil(static_cast<double>(blocks.size()) / ranks) * threads / speed;
  // Threads end within the time of a last unit, the slowest one last. Before that, ranks help with
  // other blocks than their own: all of a rank's threads wait for its last one once, about.
  const double changes = blocks.size() > 1 ? 2 : 1;
  const double tail = changes * last / slowest - last * threads / speed / 2;
  const double seconds = c.start + goldens + work / speed + tail;
  if (c.rank_hours == 0) return seconds;
  // Every thread has half a unit in progress: a unit is met in proportion to its length.
  const double per_failure = c.start + goldens + threads * squares / work / 2 / speed;
  return seconds / (1 - ranks / (c.rank_hours * 3600) * per_failure);
}

/// `blocks`: seconds of the units of each block of inputs, on a thread of speed 1. A rank that
/// fails ends the job, which is started again without it.
class ClusterSimulation {
 public:
  ClusterSimulation(const std::vector<std::vector<double>>& blocks, const Cluster& cluster)
      : cluster_(cluster), random_(cluster.seed), speed_(cluster.speed) {
    for (const auto& block : blocks) {
      std::vector<int64_t> numbers;
      for (const double seconds : block) {
        numbers.push_back(static_cast<int64_t>(seconds_.size()));
        seconds_.push_back(seconds);
        block_.push_back(static_cast<int64_t>(todo_.size()));
      }
      todo_.push_back(numbers);
    }
    done_.assign(seconds_.size(), false);
  }

  Simulated run() {
    while (!job()) {
      for (auto& block : todo_) {
        std::erase_if(block, [&](int64_t unit) { return done_[static_cast<size_t>(unit)]; });
      }
    }
    result_.seconds = now_;
    return result_;
  }

 private:
  struct Rank {
    std::deque<int64_t> queue;
    std::vector<int64_t> finished;  // and in no part yet
    Appetite appetite;
    double saved = 0;
    int64_t block = -1, parts = 0;
    int idle, busy = 0;  // threads
    bool asking = false, over = false;
  };
  enum Kind { kAnswered, kFinished, kFailed };
  struct Event {
    double time;
    Kind kind;
    size_t rank;
    int64_t unit;
    bool operator<(const Event& other) const { return time > other.time; }
  };

  // One start. Whether it ended by itself.
  bool job() {
    ++result_.starts;
    begin_ = now_ + cluster_.start;
    const size_t ranks = speed_.size();
    Scheduler scheduler(todo_, std::vector<int>(ranks, cluster_.threads));
    ranks_.assign(ranks, {{}, {}, Appetite(cluster_.threads), begin_, -1, 0, cluster_.threads});
    events_ = {};
    answered_ = read_ = now_ = begin_;
    if (cluster_.rank_hours > 0) {
      const double mean = cluster_.rank_hours * 3600 / static_cast<double>(ranks);
      const double wait = -mean * std::log(1 - random_.uniform(drawn_++));
      const auto who = static_cast<size_t>(random_.uniform(drawn_++) * static_cast<double>(ranks));
      events_.push({begin_ + wait, kFailed, who, 0});
    }
    for (size_t rank = 0; rank < ranks; ++rank) ask(rank);
    size_t over = 0;
    while (over < ranks) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.time;
      Rank& rank = ranks_[event.rank];
      if (event.kind == kFailed) return fail(event.rank), false;
      if (event.kind == kAnswered) {
        rank.asking = false;
        const auto given = scheduler.next(static_cast<int>(event.rank), event.unit);
        rank.queue.assign(given.begin(), given.end());
        rank.over = given.empty();
      } else {
        --rank.busy;
        ++rank.idle;
        rank.finished.push_back(event.unit);
        if (now_ - rank.saved >= part_interval()) save(rank);
      }
      go_on(event.rank);
      over += rank.over && rank.busy == 0 && rank.queue.empty();
      if (rank.over && rank.busy == 0) save(rank);
    }
    now_ = std::max(now_, read_);  // rank 0 has taken in all parts
    return true;
  }

  double part_interval() const { return std::max(0.25, 0.01 * static_cast<double>(speed_.size())); }

  void save(Rank& rank) {
    if (rank.finished.empty()) return;
    for (const int64_t unit : rank.finished) done_[static_cast<size_t>(unit)] = true;
    rank.finished.clear();
    rank.saved = now_;
    ++result_.parts;
    read_ = std::max(read_, now_) + cluster_.read;
  }

  void ask(size_t number) {
    Rank& rank = ranks_[number];
    rank.asking = true;
    ++result_.questions;
    // Rank 0 answers one after the other.
    answered_ = std::max(answered_, now_ + cluster_.way / 2) + cluster_.answer;
    events_.push(
        {answered_ + cluster_.way / 2, kAnswered, number, rank.appetite.at(now_ - begin_)});
  }

  // What idle threads can do now.
  void go_on(size_t number) {
    Rank& rank = ranks_[number];
    if (!rank.queue.empty()) {
      const int64_t block = block_[static_cast<size_t>(rank.queue.front())];
      double golden = 0;
      if (block != rank.block) {
        if (rank.busy > 0) return;  // another block begins when the last one is done
        rank.block = block;
        golden = cluster_.golden / speed_[number];
      }
      for (; rank.idle > 0 && !rank.queue.empty(); --rank.idle, ++rank.busy) {
        const int64_t unit = rank.queue.front();
        rank.queue.pop_front();
        const double seconds = golden + seconds_[static_cast<size_t>(unit)] / speed_[number];
        events_.push({now_ + seconds, kFinished, number, unit});
      }
    }
    if (rank.idle > 0 && rank.queue.empty() && !rank.asking && !rank.over) ask(number);
  }

  // The others save what they have finished; the units in progress are done again.
  void fail(size_t dead) {
    for (const int64_t unit : ranks_[dead].finished) {
      result_.lost += seconds_[static_cast<size_t>(unit)] / speed_[dead];
    }
    ranks_[dead].finished.clear();
    for (Rank& rank : ranks_) save(rank);
    for (; !events_.empty(); events_.pop()) {
      const Event& event = events_.top();
      if (event.kind != kFinished) continue;
      const double seconds = seconds_[static_cast<size_t>(event.unit)] / speed_[event.rank];
      result_.lost += std::max(0.0, seconds - (event.time - now_));
    }
    speed_.erase(speed_.begin() + static_cast<std::ptrdiff_t>(dead));
    now_ = std::max(now_, read_);
  }

  Cluster cluster_;
  Philox random_;
  uint64_t drawn_ = 0;
  std::vector<double> speed_;
  std::vector<double> seconds_;
  std::vector<int64_t> block_;
  std::vector<std::vector<int64_t>> todo_;
  std::vector<bool> done_;
  std::vector<Rank> ranks_;
  std::priority_queue<Event> events_;
  double now_ = 0, begin_ = 0, answered_ = 0, read_ = 0;
  Simulated result_;
};

}  // namespace vigor
