// Exit codes of the program: the one list that --help, the man page and the code share.
#pragma once

namespace vigor {

inline constexpr int kFailed = 1, kWrongUsage = 2, kOverLimits = 3, kInterrupted = 130;

struct ExitCode {
  int code;
  const char* meaning;
};
inline constexpr ExitCode kExitCodes[] = {{0, "done"},
                                          {kFailed, "failed; one line on stderr says why"},
                                          {kWrongUsage, "wrong usage"},
                                          {kOverLimits, "vigor gate: something is over its limit"},
                                          {kInterrupted, "interrupted (128 + the signal)"}};

}  // namespace vigor
