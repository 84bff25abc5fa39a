// What the commands that run for hours share: finished units kept beside the output, one shard of a
// run, and what a user is told about it.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

#include "dataset.h"
#include "error.h"
#include "interrupt.h"
#include "progress.h"
#include "unit_log.h"

namespace vigor {

/// How a run is cut and kept, as given.
struct KeepGiven {
  std::string shard;  // "2/3" or empty
  std::optional<double> every;
};
/// --shard and --save-every.
void add_keep_options(CLI::App& command, KeepGiven& given);
void add_save_every(CLI::App& command, KeepGiven& given);

/// Where model, data and fault list of a run were found, kept in its parts for `vigor merge`.
struct Source {
  std::string model, faults;
  std::vector<std::string> data;  // arguments of the command line
};
std::string to_json(const Source& source);
/// Throws Error.
Source parse_source(const std::string& json);
/// Of a run file. Throws Error where it does not say.
Source source_of(const RunHead& run, const std::string& file);
/// Data of a source that stands in `file`. Throws Error.
DataOptions data_of(const Source& source, const std::string& file);
/// What a run file says that it was made of; nothing where it does not say. Throws Error.
std::vector<std::filesystem::path> files_behind(const Provenance& provenance,
                                                const std::string& file);

/// What `read` returns. An Error that it throws is the fault of `file`.
template <typename Read>
auto found_in(const std::string& file, Read read) {
  try {
    return read();
  } catch (const Error& error) {
    fail(file, "{}", error.what());
  }
}

/// Units finished go to OUTPUT.parts until finish().
class KeptRun {
 public:
  /// The process may be interrupted from here on.
  KeptRun(const std::string& output, const KeepGiven& given, const Source& source,
          Progress& progress);

  UnitLog& log() { return log_; }
  bool sharded() const { return log_.sharded(); }
  /// Calls `work`. Where it throws, says what is kept, and throws on.
  void run(const std::function<void()>& work);

 private:
  void tell() const;

  std::string folder_;
  Progress& progress_;
  UnitLog log_;
  Interrupt interrupt_;
};

}  // namespace vigor
