// What a long command shows meanwhile: a bar on a terminal, lines otherwise. Of several processes
// the first one shows it for all.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace vigor {

/// Never fails: what a run says of itself must not end it.
void to_stderr(std::string_view text);

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool on_terminal() const { return terminal_; }
  /// Share of the work that is done, 0 to 1. Redraws the bar at most ten times a second. Without a
  /// terminal, which mpirun takes away, several processes write a line now and then.
  void advance(double share);
  /// A line that stays, above the bar.
  void line(const std::string& text);

 private:
  void clear();

  bool terminal_, quiet_;
  bool drawn_ = false;
  double said_ = 0;  // share in the last line
  std::chrono::steady_clock::time_point begin_, last_;
};

}  // namespace vigor
