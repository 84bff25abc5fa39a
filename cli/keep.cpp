#include "keep.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "error.h"
#include "usage.h"

namespace vigor {

namespace {

// "2/3": the second of three.
std::pair<int64_t, int64_t> parse_shard(const std::string& text) {
  if (text.empty()) return {0, 0};
  int64_t shard = 0, shards = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, shard);
  const bool slash = first.ec == std::errc() && first.ptr != end && *first.ptr == '/';
  const auto second = std::from_chars(slash ? first.ptr + 1 : end, end, shards);
  if (!slash || second.ec != std::errc() || second.ptr != end || shard < 1 || shard > shards) {
    fail("--shard", "got '{}', expected i/n with 1 <= i <= n", text);
  }
  return {shard - 1, shards};
}

KeepOptions keep_options(const std::string& output, const std::string& shard, const Source& source,
                         Progress& progress) {
  const auto [index, count] = parse_shard(shard);
  return {
      output + ".parts", index, count, {}, to_json(source), [&progress](const std::string& line) {
        progress.line(line);
      }};
}

}  // namespace

void add_shard_option(CLI::App& command, std::string& text) {
  command
      .add_option("--shard", text,
                  "Do part i of n (\"2/3\"): vigor merge joins the parts to the whole")
      ->check(CLI::Validator(
          [](const std::string& given) {
            try {
              parse_shard(given);
              return std::string();
            } catch (const Error& error) {
              return std::string(error.what());
            }
          },
          ""));
}

std::string to_json(const Source& source) {
  const nlohmann::json json{
      {"model", source.model}, {"faults", source.faults}, {"data", source.data}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Source parse_source(const std::string& text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    return {json.at("model"), json.at("faults"), json.at("data")};
  } catch (const nlohmann::json::exception& error) {
    fail("source", "cannot be understood: {}", error.what());
  }
}

KeptRun::KeptRun(const std::string& output, const std::string& shard, const Source& source,
                 Progress& progress)
    : folder_(output + ".parts"),
      progress_(progress),
      log_(keep_options(output, shard, source, progress)),
      interrupt_([this] {
        log_.stop();
        tell();
      }) {}

void KeptRun::run(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    tell();
    throw;
  }
  log_.remove();
}

// The number of units may be of an earlier stage; that there are any is what matters.
void KeptRun::tell() const {
  progress_.line(log_.wrote() ? fmt::format("Finished work is kept in {}: the same command goes on "
                                            "from there",
                                            folder_)
                              : std::string("Nothing was finished yet: the same command starts "
                                            "again"));
}

}  // namespace vigor
