#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "processes.h"
#include "text.h"

namespace vigor {

void to_stderr(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

Progress::Progress()
    : terminal_(isatty(STDERR_FILENO) != 0),
      quiet_(!is_first()),
      begin_(std::chrono::steady_clock::now()),
      last_(begin_) {}

Progress::~Progress() { clear(); }

void Progress::advance(double share) {
  const auto now = std::chrono::steady_clock::now();
  const bool lines = !terminal_ && processes().many();
  const auto least = lines ? std::chrono::seconds(10) : std::chrono::milliseconds(100);
  if (quiet_ || !(terminal_ || lines) || now - last_ < least) return;
  const double spent = std::chrono::duration<double>(now - begin_).count();
  const std::string left =
      share > 0.001 ? duration(spent * (1 - share) / share) + " left" : std::string("starting");
  if (lines) {
    if (share < said_ + 0.05) return;
    said_ = share;
    last_ = now;
    return line(fmt::format("{:.0f} % done, {}", 100 * share, left));
  }
  last_ = now;
  drawn_ = true;
  constexpr int kWidth = 30;
  const int full = static_cast<int>(share * kWidth);
  to_stderr(fmt::format("\r\033[K[{:#<{}}{:.<{}}] {:5.1f} %  {}", "", full, "", kWidth - full,
                        100 * share, left));
}

void Progress::line(const std::string& text) {
  if (quiet_) return;
  clear();
  to_stderr(text + "\n");
}

void Progress::clear() {
  if (drawn_) to_stderr("\r\033[K");
  drawn_ = false;
}

}  // namespace vigor
