// Part files: what some finished work units of a run found out. A run that was killed continues
// from them, shards hand them over, and merging reads nothing else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "run.h"

namespace vigor {

/// Units number [0, ...) in an order that model, data and options fix. What the arrays mean is the
/// business of the job that fills them, by putting and getting in the same order.
struct Part {
  int64_t stage = 0;           // units are numbered anew in each stage of a run
  std::vector<int64_t> units;  // ascending
  std::vector<int64_t> integers;
  std::vector<double> doubles;
  std::vector<float> floats;

  void put(int64_t value) { integers.push_back(value); }
  template <typename T>
  void put(const std::vector<T>& values) {
    auto& all = array<T>();
    all.insert(all.end(), values.begin(), values.end());
  }

  template <typename T>
  auto& array() {
    if constexpr (std::is_same_v<T, double>) return doubles;
    if constexpr (std::is_same_v<T, float>) return floats;
    if constexpr (std::is_same_v<T, int64_t>) return integers;
  }
};

/// Takes a part's arrays apart again. Throws Error where the part has fewer values than asked for.
class PartReader {
 public:
  explicit PartReader(const Part& part) : part_(part) {}
  /// An integer in [0, most].
  int64_t get(int64_t most);
  /// As many as `values` holds; integers are none below 0.
  void get(std::vector<double>& values);
  void get(std::vector<float>& values);
  void get(std::vector<int64_t>& values);
  /// Integers not taken yet.
  int64_t left() const { return std::ssize(part_.integers) - static_cast<int64_t>(integers_); }
  /// Throws unless everything was taken.
  void finish() const;

 private:
  const Part& part_;
  size_t integers_ = 0, doubles_ = 0, floats_ = 0;
};

/// What two parts must share to be of one run.
struct PartHead {
  /// Name and value of all that results depend on: version, model, data, labels, options, ...
  std::vector<std::pair<std::string, std::string>> identity;
  std::string method;  // "lattice" or "injection"
  uint64_t seed = 0;
  std::string options;  // canonical JSON
  std::string source;   // where model and data were found: JSON of the caller

  /// SHA-256 of the identity.
  std::string hash() const;
};

/// A part by itself: what one shard of a run found.
struct Shard {
  PartHead head;
  Part part;
};

/// The head of the parts of a run whose inputs are known; `more` joins the identity.
PartHead part_head(const RunHead& run, const std::string& source, const std::string& more = "");

/// "options: got A, expected B" for the first thing in which they differ; empty: nothing.
std::string difference(const PartHead& got, const PartHead& expected);

/// Like write_run and read_run.
void write_part(const std::filesystem::path& file, const PartHead& head, const Part& part);
Shard read_part(const std::filesystem::path& file);
PartHead read_part_head(const std::filesystem::path& file);

}  // namespace vigor
