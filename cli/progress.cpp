#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "text.h"

namespace vigor {

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) != 0), begin_(std::chrono::steady_clock::now()) {}

Progress::~Progress() { clear(); }

void Progress::advance(double share) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  constexpr int kWidth = 30;
  const int full = static_cast<int>(share * kWidth);
  const double spent = std::chrono::duration<double>(now - begin_).count();
  const std::string left =
      share > 0.001 ? duration(spent * (1 - share) / share) + " left" : std::string("starting");
  fmt::print(stderr, "\r\033[K[{:#<{}}{:.<{}}] {:5.1f} %  {}", "", full, "", kWidth - full,
             100 * share, left);
  std::fflush(stderr);
}

void Progress::line(const std::string& text) {
  clear();
  fmt::print(stderr, "{}\n", text);
}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace vigor
