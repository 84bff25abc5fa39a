#include "part.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "hash.h"
#include "printable.h"
#include "sealed_file.h"
#include "store.h"
#include "store_head.h"

namespace vigor {

namespace {

template <typename T>
void take(const std::vector<T>& all, size_t& at, std::vector<T>& values) {
  if (values.size() > all.size() - at) throw Error("has fewer values than its units need");
  std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), values.size(), values.begin());
  at += values.size();
}

std::string labels_hash(const RunHead& run) {
  const nlohmann::json json{run.label, run.class_names};
  return sha256(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

template <typename T>
std::vector<T> read_array(const Hdf5Group& root, const std::string& name) {
  const Extents extents = root.extents(name);
  if (extents.size() != 1) throw Error(root.path(name) + ": expected one dimension");
  return root.get_array<T>(name, extents);
}

PartHead read_head_of_part(const std::string& file, const Hdf5Group& root) {
  check_schema(file, root, kPartKind);
  PartHead head;
  const auto names = root.get_texts("identity_names");
  const auto values = root.get_texts("identity_values");
  if (names.size() != values.size()) throw Error("/identity_names: got another number of values");
  for (size_t i = 0; i < names.size(); ++i) head.identity.emplace_back(names[i], values[i]);
  head.method = root.get_string("method");
  head.seed = root.get<uint64_t>("seed");
  head.options = root.get_string("options");
  head.source = root.get_string("source");
  return head;
}

Part read_units(const Hdf5Group& root) {
  Part part;
  part.stage = within(root.get<int64_t>("stage"), 0, kMost, "/stage");
  part.units = read_array<int64_t>(root, "units");
  within(part.units, 0, kMost, "/units");
  const auto unordered = std::adjacent_find(part.units.begin(), part.units.end(),
                                            [](int64_t a, int64_t b) { return a >= b; });
  if (unordered != part.units.end()) throw Error("/units is not ascending");
  part.integers = read_array<int64_t>(root, "integers");
  part.doubles = read_array<double>(root, "doubles");
  part.floats = read_array<float>(root, "floats");
  return part;
}

}  // namespace

int64_t PartReader::get(int64_t most) {
  std::vector<int64_t> value(1);
  get(value);
  return within(value.front(), 0, most, "/integers");
}

void PartReader::get(std::vector<double>& values) { take(part_.doubles, doubles_, values); }

void PartReader::get(std::vector<float>& values) { take(part_.floats, floats_, values); }

void PartReader::get(std::vector<int64_t>& values) {
  take(part_.integers, integers_, values);
  within(values, 0, kMost / 2, "/integers");
}

void PartReader::finish() const {
  if (integers_ != part_.integers.size() || doubles_ != part_.doubles.size() ||
      floats_ != part_.floats.size()) {
    throw Error("has more values than its units need");
  }
}

std::string PartHead::hash() const {
  return sha256(
      nlohmann::json(identity).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

PartHead part_head(const RunHead& run, const std::string& source, const std::string& more) {
  PartHead head;
  head.identity = {{"version", run.version},           {"method", run.method},
                   {"model", run.model_sha256},        {"data", run.data_sha256},
                   {"labels", labels_hash(run)},       {"options", run.options},
                   {"seed", std::to_string(run.seed)}, {"instruction set", run.provenance.isa}};
  if (!more.empty()) head.identity.emplace_back("kept", more);
  head.method = run.method;
  head.seed = run.seed;
  head.options = run.options;
  head.source = source;
  return head;
}

std::string difference(const PartHead& got, const PartHead& expected) {
  const size_t count = std::max(got.identity.size(), expected.identity.size());
  for (size_t i = 0; i < count; ++i) {
    static const std::pair<std::string, std::string> kNothing{"kept", "nothing"};
    const auto& a = i < got.identity.size() ? got.identity[i] : kNothing;
    const auto& b = i < expected.identity.size() ? expected.identity[i] : kNothing;
    if (a != b) {
      return fmt::format("{}: got {}, expected {}", printable(b.first), printable(a.second),
                         printable(b.second));
    }
  }
  return "";
}

void write_part(const std::filesystem::path& file, const PartHead& head, const Part& part) {
  write_sealed(file, [&](const Hdf5Group& root) {
    root.put("schema", kSchema);
    root.put("kind", kPartKind);
    std::vector<std::string> names, values;
    for (const auto& [name, value] : head.identity) {
      names.push_back(name);
      values.push_back(value);
    }
    root.put("vigor_version", VIGOR_VERSION);
    root.put("identity_names", names);
    root.put("identity_values", values);
    root.put("method", head.method);
    root.put("seed", head.seed);
    root.put("options", head.options);
    root.put("source", head.source);
    root.put("stage", part.stage);
    root.put_array("units", part.units, {part.units.size()});
    root.put_array("integers", part.integers, {part.integers.size()});
    root.put_array("doubles", part.doubles, {part.doubles.size()});
    root.put_array("floats", part.floats, {part.floats.size()});
  });
}

Shard read_part(const std::filesystem::path& file) {
  Shard result;
  read_sealed(file, [&](const Hdf5Group& root) {
    result.head = read_head_of_part(file.string(), root);
    result.part = read_units(root);
  });
  return result;
}

PartHead read_part_head(const std::filesystem::path& file) {
  PartHead head;
  read_sealed(file, [&](const Hdf5Group& root) { head = read_head_of_part(file.string(), root); });
  return head;
}

}  // namespace vigor
