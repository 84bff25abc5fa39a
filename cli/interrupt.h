// Ctrl-C and other polite ends of a process that works for hours.
#pragma once

#include <functional>
#include <thread>

namespace vigor {

/// While it lives SIGINT, SIGTERM and SIGHUP call `save` on a thread of its own and then end the
/// process at once, whatever its other threads are doing, with 128 + the signal's number (Ctrl-C:
/// 130). Make it before any other thread: they inherit what is blocked.
class Interrupt {
 public:
  explicit Interrupt(std::function<void()> save);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void wait(const std::stop_token& stop);

  std::function<void()> save_;
  std::jthread thread_;
};

}  // namespace vigor
