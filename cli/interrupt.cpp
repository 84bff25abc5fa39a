#include "interrupt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <exception>

#include "progress.h"

namespace vigor {

namespace {

sigset_t signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

Interrupt::Interrupt(std::function<void()> save) : save_(std::move(save)) {
  const sigset_t set = signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::jthread([this](const std::stop_token& stop) { wait(stop); });
}

Interrupt::~Interrupt() {
  thread_.request_stop();
  thread_.join();
  const sigset_t set = signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::wait(const std::stop_token& stop) {
  const sigset_t set = signals();
  const timespec look{0, 50'000'000};
  while (!stop.stop_requested()) {
    const int signal = sigtimedwait(&set, nullptr, &look);
    if (signal < 0) continue;
    try {
      save_();
    } catch (const std::exception& error) {
      to_stderr(fmt::format("vigor: {}\n", error.what()));
    }
    std::fflush(stderr);
    _exit(128 + signal);
  }
}

}  // namespace vigor
