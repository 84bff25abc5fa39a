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

namespace {

int given_cores = 0;

}  // namespace

void share_work(int threads, const std::function<std::optional<int64_t>()>& next,
                const std::function<void(int worker, int64_t item)>& work) {
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto fail_all = [&] {
    failed = true;
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::current_exception();
  };
  const auto loop = [&](int worker) {
    try {
      while (!failed) {
        const std::optional<int64_t> item = next();
        if (!item) return;
        work(worker, *item);
      }
    } catch (...) {
      fail_all();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (int worker = 1; worker < threads; ++worker) others.emplace_back(loop, worker);
    } catch (...) {  // no more threads, or no memory for them
      fail_all();
    }
    loop(0);
  }
  if (failure) std::rethrow_exception(failure);
}

void share_work(int threads, int64_t items,
                const std::function<void(int worker, int64_t item)>& work) {
  std::atomic<int64_t> first{0};
  const auto next = [&]() -> std::optional<int64_t> {
    const int64_t item = first++;
    return item < items ? std::optional(item) : std::nullopt;
  };
  share_work(static_cast<int>(std::min<int64_t>(threads, items)), next, work);
}

void use_cores(int cores) { given_cores = cores; }

int available_cores() {
  if (given_cores > 0) return given_cores;
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
