// What a long command shows meanwhile: a bar on a terminal, lines otherwise.
#pragma once

#include <chrono>
#include <string>

namespace vigor {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  bool on_terminal() const { return terminal_; }
  /// Share of the work that is done, 0 to 1. Redraws the bar at most ten times a second.
  void advance(double share);
  /// A line that stays, above the bar.
  void line(const std::string& text);

 private:
  void clear();

  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point begin_, last_;
};

}  // namespace vigor
