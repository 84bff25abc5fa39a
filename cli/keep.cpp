#include "keep.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "output.h"
#include "partial_file.h"
#include "processes.h"
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

// Beside the file that is written, where a link leads to one.
std::string parts_folder(const std::string& output) {
  return written_file(output).string() + ".parts";
}

KeepOptions keep_options(const std::string& output, const KeepGiven& given, const Source& source,
                         Progress& progress) {
  const auto [index, count] = parse_shard(given.shard);
  KeepOptions options;
  options.group = &processes();
  options.folder = parts_folder(output);
  options.shard = index;
  options.shards = count;
  options.every = given.every;
  options.source = to_json(source);
  options.note = [&progress](const std::string& line) { progress.line(line); };
  return options;
}

}  // namespace

void add_keep_options(CLI::App& command, KeepGiven& given) {
  const auto wrong = [](const std::string& text) {
    try {
      parse_shard(text);
      return std::string();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  command
      .add_option("--shard", given.shard,
                  "Do part i of n (\"2/3\"): vigor merge joins the parts to the whole")
      ->check(CLI::Validator(wrong, ""));
  add_save_every(command, given);
}

void add_save_every(CLI::App& command, KeepGiven& given) {
  command
      .add_option("--save-every", given.every,
                  "Seconds between writing finished work to OUTPUT.parts (by what it costs)")
      ->check(number("seconds from 0 on", [](double x) { return x >= 0; }));
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

Source source_of(const RunHead& run, const std::string& file) {
  if (run.provenance.source.empty()) {
    fail(file, "does not say where its model and data are: give --model and --data");
  }
  return found_in(file, [&] { return parse_source(run.provenance.source); });
}

DataOptions data_of(const Source& source, const std::string& file) {
  return found_in(file, [&] { return parse_data_arguments(source.data); });
}

std::vector<std::filesystem::path> files_behind(const Provenance& provenance,
                                                const std::string& file) {
  if (provenance.source.empty()) return {};
  const Source source = found_in(file, [&] { return parse_source(provenance.source); });
  return joined(files_of(data_of(source, file)), {source.model});
}

KeptRun::KeptRun(const std::string& output, const KeepGiven& given, const Source& source,
                 Progress& progress)
    : folder_(parts_folder(output)),
      progress_(progress),
      log_(keep_options(output, given, source, progress)),
      interrupt_([this] {
        log_.stop();
        tell();
      }) {}

void KeptRun::run(const std::function<void()>& work) {
  try {
    work();
  } catch (...) {
    if (log_.wrote()) tell();
    throw;
  }
  log_.remove();
}

void KeptRun::tell() const {
  progress_.line(log_.wrote() ? fmt::format("Finished work is kept in {}: the same command goes on "
                                            "from there",
                                            folder_)
                              : std::string("Nothing was finished yet: the same command starts "
                                            "again"));
}

}  // namespace vigor
