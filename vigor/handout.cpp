#include "handout.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "error.h"
#include "scheduler.h"
#include "workers.h"

namespace vigor {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

/// File systems show a file of another machine at last after this time.
constexpr auto kVisible = std::chrono::seconds(60);

// [want (0: is done), finished since the last question, parts written...]
struct Asking {
  int64_t want, finished;
  std::span<const int64_t> parts;
};

Message packed(const Asking& asking) {
  Message message{asking.want, asking.finished};
  message.insert(message.end(), asking.parts.begin(), asking.parts.end());
  return message;
}

Asking unpacked(const Message& message) {
  return {message.at(0), message.at(1), std::span(message).subspan(2)};
}

// Rank 0 at work for the others, on a thread of its own.
class Server {
 public:
  Server(Group& group, std::vector<std::vector<int64_t>> blocks, std::vector<int> threads,
         const PartExchange& exchange)
      : group_(group),
        exchange_(exchange),
        scheduler_(std::move(blocks), std::move(threads)),
        others_(group.size() - 1) {
    if (group.many()) thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }

  std::vector<int64_t> next(int rank, int64_t want) {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    return scheduler_.next(rank, want);
  }

  void finished(int64_t units) {
    const int64_t all = finished_ += units;
    if (exchange_.advance) exchange_.advance(all, scheduler_.units());
  }

  // Until all others are done and their parts taken in.
  void wait() {
    if (thread_.joinable()) thread_.join();
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Unread {
    int rank;
    int64_t part;
    Clock::time_point until;  // it must be visible
  };

  void serve(const std::stop_token& stop) {
    try {
      microseconds pause{0};
      while (!stop.stop_requested() && (others_ > 0 || !unread_.empty())) {
        if (std::optional<Question> question = group_.asked()) {
          answer(*question);
        } else if (!read_part()) {
          pause = std::min<microseconds>(2 * pause + microseconds(20), milliseconds(1));
          std::this_thread::sleep_for(pause);
          continue;
        }
        pause = microseconds(0);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
  }

  void answer(const Question& question) {
    const Asking asking = unpacked(question.message);
    for (const int64_t part : asking.parts) {
      unread_.push_back({question.rank, part, Clock::now() + kVisible});
    }
    if (asking.want == 0) {
      --others_;
      group_.answer(question.rank, {});
    } else {
      group_.answer(question.rank, next(question.rank, asking.want));
    }
    if (asking.finished > 0) finished(asking.finished);
  }

  // Whether there was one.
  bool read_part() {
    if (unread_.empty()) return false;
    const Unread unread = unread_.front();
    unread_.pop_front();
    try {
      exchange_.take(unread.part);
      return true;
    } catch (const Error& error) {
      if (Clock::now() > unread.until) {
        throw Error(
            fmt::format("{}: what rank {} wrote cannot be read", error.what(), unread.rank));
      }
    }
    unread_.push_back(unread);
    return false;
  }

  Group& group_;
  const PartExchange& exchange_;
  std::mutex mutex_;  // of the next two
  Scheduler scheduler_;
  std::exception_ptr failure_;
  std::atomic<int64_t> finished_ = 0;
  int others_;
  std::deque<Unread> unread_;
  std::jthread thread_;  // the last member: it uses the others
};

// The units that this rank has been given and has not begun.
class Queue {
 public:
  Queue(Group& group, Server* server, const UnitWork& work, const PartExchange& exchange)
      : group_(group), server_(server), work_(work), exchange_(exchange), appetite_(work.threads) {}

  /// The first unit of what comes next; none: nothing is left.
  std::optional<int64_t> open() {
    const std::lock_guard lock(mutex_);
    fill();
    if (units_.empty()) return {};
    block_ = work_.block(units_.front());
    return units_.front();
  }
  /// The next one of the block opened.
  std::optional<int64_t> next() {
    const std::lock_guard lock(mutex_);
    fill();
    if (units_.empty() || work_.block(units_.front()) != block_) return {};
    const int64_t unit = units_.front();
    units_.pop_front();
    return unit;
  }
  void finish() {
    if (server_) {
      server_->finished(1);
    } else {
      ++finished_;
    }
  }
  void close() {
    if (server_) {
      server_->wait();
      return;
    }
    exchange_.flush();
    ask(0);
  }

 private:
  void fill() {
    if (over_ || !units_.empty()) return;
    const int64_t want = appetite_.at(std::chrono::duration<double>(Clock::now() - begin_).count());
    const Message given = server_ ? server_->next(0, want) : ask(want);
    units_.assign(given.begin(), given.end());
    over_ = given.empty();
  }

  Message ask(int64_t want) {
    const Message written = exchange_.written();
    return group_.ask(packed({want, finished_.exchange(0), written}));
  }

  Group& group_;
  Server* server_;  // at rank 0
  const UnitWork& work_;
  const PartExchange& exchange_;
  const Clock::time_point begin_ = Clock::now();
  std::atomic<int64_t> finished_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<int64_t> units_;
  Appetite appetite_;
  int64_t block_ = -1;
  bool over_ = false;
};

[[noreturn]] void fail_at(const Group& group, int64_t unit, const char* what) {
  throw Error(fmt::format("[{}, unit {}] {}", place(group), unit, what));
}

}  // namespace

void hand_out(Group& group, std::vector<std::vector<int64_t>> blocks, const UnitWork& work,
              const PartExchange& exchange) {
  std::vector<int> threads;
  for (const std::string& text : group.gather(std::to_string(work.threads))) {
    threads.push_back(std::stoi(text));
  }
  std::unique_ptr<Server> server;
  if (group.rank() == 0) {
    server = std::make_unique<Server>(group, std::move(blocks), std::move(threads), exchange);
  }
  Queue queue(group, server.get(), work, exchange);
  // In a group of one, errors are the caller's as they are.
  const auto named = [&](int64_t unit, const auto& call) {
    try {
      call();
    } catch (const std::bad_alloc&) {
      if (!group.many()) throw;
      fail_at(group, unit, "out of memory");
    } catch (const std::exception& error) {
      if (!group.many()) throw;
      fail_at(group, unit, error.what());
    }
  };
  while (const std::optional<int64_t> first = queue.open()) {
    named(*first, [&] { work.open(*first); });
    share_work(
        work.threads, [&] { return queue.next(); },
        [&](int worker, int64_t unit) {
          named(unit, [&] { work.run(worker, unit); });
          queue.finish();
        });
  }
  queue.close();
}

}  // namespace vigor
