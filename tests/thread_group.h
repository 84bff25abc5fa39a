// A group whose ranks are threads of one process.
#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "error.h"
#include "group.h"

namespace vigor {

/// What the ranks share.
struct ThreadWorld {
  explicit ThreadWorld(int ranks)
      : size(ranks), step(ranks), texts(static_cast<size_t>(ranks)), answers(texts.size()) {}
  int size;
  std::barrier<> step;
  std::atomic<bool> over = false;  // a rank has failed
  std::vector<std::string> texts;
  std::span<std::byte> bytes;
  std::vector<int64_t> sums;
  std::mutex mutex;  // of what follows
  std::deque<Question> questions;
  std::vector<std::optional<Message>> answers;
};

class ThreadGroup final : public Group {
 public:
  ThreadGroup(ThreadWorld& world, int rank) : world_(world), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return world_.size; }

  std::vector<std::string> gather(const std::string& text) override {
    world_.texts[static_cast<size_t>(rank_)] = text;
    world_.step.arrive_and_wait();
    std::vector<std::string> all;
    if (rank_ == 0) all = world_.texts;
    world_.step.arrive_and_wait();
    return all;
  }
  void broadcast(std::span<std::byte> bytes) override {
    if (rank_ == 0) world_.bytes = bytes;
    world_.step.arrive_and_wait();
    if (rank_ != 0) std::copy(world_.bytes.begin(), world_.bytes.end(), bytes.begin());
    world_.step.arrive_and_wait();
  }
  void add_up(std::span<int64_t> values) override {
    if (rank_ == 0) world_.sums.assign(values.size(), 0);
    world_.step.arrive_and_wait();
    {
      const std::lock_guard lock(world_.mutex);
      for (size_t i = 0; i < values.size(); ++i) world_.sums[i] += values[i];
    }
    world_.step.arrive_and_wait();
    if (rank_ == 0) std::copy(world_.sums.begin(), world_.sums.end(), values.begin());
  }

  Message ask(const Message& question) override {
    {
      const std::lock_guard lock(world_.mutex);
      world_.questions.push_back({rank_, question});
    }
    for (;; std::this_thread::yield()) {
      const std::lock_guard lock(world_.mutex);
      auto& mine = world_.answers[static_cast<size_t>(rank_)];
      if (mine) return *std::exchange(mine, {});
      if (world_.over) throw Error("the other ranks have ended");
    }
  }
  std::optional<Question> asked() override {
    const std::lock_guard lock(world_.mutex);
    if (world_.questions.empty()) return {};
    Question first = std::move(world_.questions.front());
    world_.questions.pop_front();
    return first;
  }
  void answer(int rank, const Message& message) override {
    const std::lock_guard lock(world_.mutex);
    world_.answers[static_cast<size_t>(rank)] = message;
  }

 private:
  ThreadWorld& world_;
  int rank_;
};

}  // namespace vigor
