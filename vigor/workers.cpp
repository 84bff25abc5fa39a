#include "workers.h"

#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace vigor {

void share_work(int threads, int64_t items,
                const std::function<void(int worker, int64_t item)>& work) {
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto fail_all = [&] {
    next = items;
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::current_exception();
  };
  const auto loop = [&](int worker) {
    try {
      for (int64_t item = next++; item < items; item = next++) work(worker, item);
    } catch (...) {
      fail_all();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int worker = 1; worker < std::min<int64_t>(threads, items); ++worker) {
        others.emplace_back(loop, worker);
      }
    } catch (...) {  // no more threads, or no memory for them
      fail_all();
    }
    loop(0);
  }
  if (failure) std::rethrow_exception(failure);
}

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(CPU_COUNT(&set), 1);
  return std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
}

void keep_freed_memory() {
  constexpr int kMost = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, kMost);
}

}  // namespace vigor
