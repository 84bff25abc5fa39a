// A pool of threads that share a list of work.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace vigor {

/// Calls work(worker, item) once for every item in [0, items), on `threads` threads (the caller is
/// worker 0). Items are handed out in order. The first exception stops the handing out and is
/// thrown here once all threads have ended.
void share_work(int threads, int64_t items,
                const std::function<void(int worker, int64_t item)>& work);

/// The same for items that `next` gives, until it gives none; it is called on all threads.
void share_work(int threads, const std::function<std::optional<int64_t>()>& next,
                const std::function<void(int worker, int64_t item)>& work);

/// Cores this process may use: what the system lets it have, or what use_cores said.
int available_cores();
/// For the whole process, before any thread: processes beside it use the others.
void use_cores(int cores);

/// For the whole process, before the work: what plans free is kept for the next ones. Giving pages
/// back and taking them again was a fifth of the time of sparse faults on AlexNet.
void keep_freed_memory();

}  // namespace vigor
