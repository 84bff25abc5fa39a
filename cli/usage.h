// Wrong values of options: wrong usage, exit code 2.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <string>

#include "error.h"

namespace vigor {

/// What `parse` returns. An Error that it throws becomes wrong usage.
template <typename Parse>
auto checked_usage(Parse parse) {
  try {
    return parse();
  } catch (const Error& error) {
    throw CLI::ValidationError(error.what());
  }
}

/// For Option::check: a whole number from `least` on. (CLI11's own names a limit of 300 digits.)
inline CLI::Validator at_least(int64_t least) {
  return {[least](const std::string& text) {
            int64_t value = 0;
            const char* end = text.data() + text.size();
            const auto [stop, error] = std::from_chars(text.data(), end, value);
            const bool good = error == std::errc() && stop == end && value >= least;
            return good ? std::string()
                        : fmt::format("got '{}', expected a number from {} on", text, least);
          },
          ""};
}

inline void add_memory_option(CLI::App& command, int64_t& memory) {
  command
      .add_option("--memory", memory,
                  "Memory for golden runs and for plans that are kept, such as 500M or 4G (2G, or "
                  "half of the machine's); what a batch itself touches comes on top. Same results")
      ->transform(CLI::AsSizeValue(false))
      ->check(at_least(1));
}

}  // namespace vigor
