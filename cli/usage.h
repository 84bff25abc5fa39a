// Wrong values of options: wrong usage, exit code 2.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string>

#include "error.h"
#include "kernels/kernels.h"
#include "site.h"

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

/// Of a sample as given with --neurons, empty where it was not. Throws Error.
inline void check_sample(const std::string& neurons) {
  std::vector<Site> none;
  if (!neurons.empty()) sample_neurons(none, neurons, 0);
}

/// The whole text as a number; nothing where it is none, or none that T holds.
template <typename T>
std::optional<T> parse_as(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

/// What an option must be, for Option::check or Option::transform. `parse` gives the value as CLI11
/// shall read it, or nothing. (CLI11's own validators name limits of 300 digits.)
template <typename Parse>
CLI::Validator expecting(const std::string& expected, Parse parse) {
  return {[expected, parse](std::string& text) {
            const std::optional<std::string> value = parse(text);
            if (!value) return fmt::format("got '{}', expected {}", text, expected);
            text = *value;
            return std::string();
          },
          ""};
}

/// A whole number from `least` on that T holds. As transform it is decimal, where CLI11 takes 010
/// for 8 and whatever is too large for the largest.
template <std::integral T>
CLI::Validator whole_number(T least, const std::string& expected) {
  return expecting(expected, [least](const std::string& text) {
    const std::optional<T> value = parse_as<T>(text);
    return value && *value >= least ? std::optional(fmt::to_string(*value)) : std::nullopt;
  });
}

inline CLI::Validator at_least(int64_t least) {
  return whole_number(least, fmt::format("a number from {} on", least));
}

/// A number that `good` accepts; NaN and infinity are none.
template <typename Good>
CLI::Validator number(const std::string& expected, Good good) {
  return expecting(expected, [good](const std::string& text) {
    const std::optional<double> value = parse_as<double>(text);
    return value && std::isfinite(*value) && good(*value) ? std::optional(text) : std::nullopt;
  });
}

/// Neither 0 nor 1: margins and confidences.
inline CLI::Validator inner_share() {
  return number("a share between 0 and 1", [](double x) { return x > 0 && x < 1; });
}

inline void add_batch_option(CLI::App& command, int& lanes) {
  command.add_option("--batch", lanes, "Batch of the probers, a multiple of 16: same results")
      ->capture_default_str()
      ->transform(expecting(fmt::format("a multiple of {} up to {}", kLaneStep, kMostLanes),
                            [](const std::string& text) {
                              const std::optional<int> value = parse_as<int>(text);
                              const bool good = value && *value >= kLaneStep &&
                                                *value <= kMostLanes && *value % kLaneStep == 0;
                              return good ? std::optional(fmt::to_string(*value)) : std::nullopt;
                            }));
}

inline void add_seed_option(CLI::App& command, uint64_t& seed) {
  command.add_option("--seed", seed, "Of everything drawn at random")
      ->capture_default_str()
      ->transform(whole_number<uint64_t>(
          0, fmt::format("a number from 0 to {}", std::numeric_limits<uint64_t>::max())));
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
