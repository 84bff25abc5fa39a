#include "scheduler.h"

#include <algorithm>
#include <numeric>

namespace vigor {

namespace {

constexpr double kSecondsOfWork = 0.1;  // of an answer
constexpr int64_t kMostWanted = 1 << 20;

}  // namespace

Scheduler::Scheduler(std::vector<std::vector<int64_t>> blocks, std::vector<int> threads)
    : threads_(threads.begin(), threads.end()), of_rank_(threads.size(), nullptr) {
  for (std::vector<int64_t>& units : blocks) {
    units_ += std::ssize(units);
    blocks_.push_back({std::move(units)});
  }
  left_ = units_;
  all_threads_ = std::accumulate(threads_.begin(), threads_.end(), int64_t{0});
}

// The first block that nobody has begun, or the one where these threads find the most to do.
Scheduler::Block* Scheduler::choose(int64_t threads) {
  Block* best = nullptr;
  double most = 0;
  for (Block& block : blocks_) {
    if (block.left() == 0) continue;
    if (block.threads == 0) return &block;
    const double share =
        static_cast<double>(block.left()) / static_cast<double>(block.threads + threads);
    if (share > most) {
      best = &block;
      most = share;
    }
  }
  return best;
}

std::vector<int64_t> Scheduler::next(int rank, int64_t want) {
  const int64_t threads = threads_[static_cast<size_t>(rank)];
  Block*& block = of_rank_[static_cast<size_t>(rank)];
  if (!block || block->left() == 0) {
    if (block) block->threads -= threads;
    block = choose(threads);
    if (!block) return {};
    block->threads += threads;
  }
  const int64_t share = left_ * threads / (2 * all_threads_);
  const auto count =
      std::min(static_cast<size_t>(std::max<int64_t>(std::min(want, share), 1)), block->left());
  const auto first = block->units.begin() + static_cast<std::ptrdiff_t>(block->at);
  block->at += count;
  left_ -= static_cast<int64_t>(count);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

int64_t Appetite::at(double seconds) {
  const double spent = seconds - asked_;
  if (asked_ >= 0 && spent < kSecondsOfWork / 2) want_ = std::min(2 * want_, kMostWanted);
  if (asked_ >= 0 && spent > kSecondsOfWork * 2) want_ = std::max<int64_t>(want_ / 2, 1);
  asked_ = seconds;
  return want_;
}

}  // namespace vigor
