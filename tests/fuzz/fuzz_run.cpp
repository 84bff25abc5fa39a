// The readers of run, injection and map files and of parts. HDF5 itself does not survive every
// damaged file, which is why a seal stands before it; so the bytes say how a good file's content is
// changed (objects removed, of other types, extents and values), and the seal is right. A first
// byte of 0: the rest is the file as it stands.
#include <hdf5.h>

#include "../example_run.h"
#include "difference.h"
#include "export.h"
#include "fuzz.h"
#include "gate.h"
#include "hdf5_handle.h"
#include "injection.h"
#include "injection_part.h"
#include "injection_text.h"
#include "mapping.h"
#include "part.h"
#include "report.h"
#include "seal.h"
#include "store.h"
#include "tables.h"
#include "tally_part.h"

namespace {

using vigor::fuzz::Choices;
namespace fs = std::filesystem;

vigor::Injection example_injection() {
  vigor::Injection injection;
  const vigor::Run run = vigor::example_run();
  static_cast<vigor::RunHead&>(injection) = run;
  injection.method = "injection";
  for (const vigor::SiteResult& site : run.sites) {
    injection.sites.push_back({site, vigor::InjectionTally(3, 4)});
    vigor::Outcome outcome;
    outcome.critical = true;
    injection.sites.back().tally.add(0, 0, 0, 30, outcome);
  }
  return injection;
}

vigor::Run paper_run() {
  vigor::Run run = vigor::example_run();
  run.method = vigor::kPaperMethod;
  for (vigor::SiteResult& site : run.sites) site.tally.paper.assign(site.tally.paper.size(), 2);
  return run;
}

// Ranges alone.
vigor::Run ranges_run() {
  vigor::Run run = vigor::example_run();
  run.options = R"({"factors":"none","ranges":"inner"})";
  run.has_factors = run.has_vulnerable = false;
  for (vigor::SiteResult& site : run.sites) {
    const vigor::SiteTally full = site.tally;
    site.tally = vigor::SiteTally(full.neurons, full.rows, false);
    site.tally.nonvulnerable = full.nonvulnerable;
    site.tally.golden = full.golden;
    site.thresholds.clear();
  }
  return run;
}

vigor::Mapping example_mapping() {
  vigor::Mapping mapping;
  const vigor::Run run = vigor::example_run();
  static_cast<vigor::RunHead&>(mapping) = run;
  mapping.method = "map";
  mapping.stored = {"int8", "flip"};
  mapping.per_input = true;
  mapping.bins = 8;
  for (const vigor::SiteResult& site : run.sites) {
    mapping.sites.push_back({site, vigor::MapTally(site.tally.neurons, mapping.bins)});
  }
  return mapping;
}

// Kinds of files, by number.
enum Kind {
  kRun,
  kPaperRun,
  kRangesRun,
  kInjection,
  kMapping,
  kAnalysisPart,
  kInjectionPart,
  kKinds
};

vigor::Part analysis_part() {
  vigor::Part part;
  part.units = {1, 5};
  put_tally(part, vigor::example_run().sites[0].tally);
  return part;
}

vigor::Part injection_part() {
  vigor::Part part;
  part.units = {0};
  put_tally(part, example_injection().sites[0].tally);
  put_outcomes(part, std::vector<vigor::Outcome>(3));
  return part;
}

const std::vector<std::string>& examples() {
  static const std::vector<std::string> files = [] {
    const vigor::PartHead head = vigor::part_head(vigor::example_run(), "{}");
    std::vector<std::string> contents;
    for (int kind = 0; kind < kKinds; ++kind) {
      const fs::path file = vigor::fuzz::folder() / "example.h5";
      if (kind == kRun) vigor::write_run(file, vigor::example_run());
      if (kind == kPaperRun) vigor::write_run(file, paper_run());
      if (kind == kRangesRun) vigor::write_run(file, ranges_run());
      if (kind == kInjection) vigor::write_injection(file, example_injection());
      if (kind == kMapping) vigor::write_mapping(file, example_mapping());
      if (kind == kAnalysisPart) vigor::write_part(file, head, analysis_part());
      if (kind == kInjectionPart) vigor::write_part(file, head, injection_part());
      std::ifstream in(file, std::ios::binary);
      contents.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return contents;
  }();
  return files;
}

struct Object {
  std::string group, name;
  bool attribute;
};

herr_t note_attribute(hid_t, const char* name, const H5A_info_t*, void* data) {
  auto& found = *static_cast<std::vector<Object>*>(data);
  found.push_back({found.back().attribute ? found.back().group : found.back().name, name, true});
  return 0;
}

herr_t note_object(hid_t object, const char* name, const H5O_info_t*, void* data) {
  auto& found = *static_cast<std::vector<Object>*>(data);
  found.push_back({".", name, false});
  const hid_t opened = H5Oopen(object, name, 0);
  H5Aiterate2(opened, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, note_attribute, data);
  H5Oclose(opened);
  return 0;
}

hid_t any_type(Choices& choices, size_t& size) {
  static const hid_t kTypes[] = {H5T_NATIVE_INT64,  H5T_NATIVE_INT32, H5T_NATIVE_UINT64,
                                 H5T_NATIVE_DOUBLE, H5T_NATIVE_FLOAT, H5T_NATIVE_INT8};
  const hid_t type = H5Tcopy(kTypes[choices.below(std::size(kTypes))]);
  size = H5Tget_size(type);
  return type;
}

std::vector<char> any_values(Choices& choices, size_t bytes) {
  std::vector<char> values(bytes);
  const bool constant = choices.byte() % 2 == 0;
  const char value = static_cast<char>(choices.byte());
  for (char& c : values) c = constant ? value : static_cast<char>(choices.byte());
  return values;
}

void add(hid_t group, const Object& object, Choices& choices) {
  hsize_t extents[3] = {choices.below(6), choices.below(40), choices.below(4)};
  const int rank = static_cast<int>(choices.below(4));
  if (choices.byte() % 16 == 0) extents[0] = hsize_t{1} << choices.below(63);
  size_t size = 0;
  const hid_t type = any_type(choices, size);
  const hid_t space = H5Screate_simple(rank, extents, nullptr);
  hsize_t count = 1;
  for (int i = 0; i < rank; ++i) count *= extents[i];
  const bool small = count < 4096;
  const std::vector<char> values = any_values(choices, small ? count * size : 0);
  if (object.attribute && small) {
    const hid_t made = H5Acreate2(group, object.name.c_str(), type, space, 0, 0);
    if (made >= 0 && count > 0) H5Awrite(made, type, values.data());
    H5Aclose(made);
  } else if (!object.attribute) {
    const hid_t made = H5Dcreate2(group, object.name.c_str(), type, space, 0, 0, 0);
    if (made >= 0 && small && count > 0) H5Dwrite(made, type, H5S_ALL, H5S_ALL, 0, values.data());
    if (made >= 0) H5Dclose(made);
  }
  H5Sclose(space);
  H5Tclose(type);
}

// Other values of the type and extents there are.
void overwrite(hid_t group, const Object& object, Choices& choices) {
  const hid_t opened = object.attribute ? H5Aopen(group, object.name.c_str(), 0)
                                        : H5Oopen(group, object.name.c_str(), 0);
  if (!object.attribute && H5Iget_type(opened) != H5I_DATASET) {
    H5Oclose(opened);
    return;
  }
  const hid_t type = object.attribute ? H5Aget_type(opened) : H5Dget_type(opened);
  const hid_t space = object.attribute ? H5Aget_space(opened) : H5Dget_space(opened);
  const auto count = static_cast<size_t>(H5Sget_simple_extent_npoints(space));
  const size_t bytes = count < 4096 ? count * H5Tget_size(type) : 0;
  const std::vector<char> values = any_values(choices, bytes);
  if (bytes > 0 && object.attribute) H5Awrite(opened, type, values.data());
  if (bytes > 0 && !object.attribute) H5Dwrite(opened, type, H5S_ALL, H5S_ALL, 0, values.data());
  H5Sclose(space);
  H5Tclose(type);
  object.attribute ? H5Aclose(opened) : H5Dclose(opened);
}

void change(hid_t file, const std::vector<Object>& objects, Choices& choices) {
  const Object& object = objects[choices.below(objects.size())];
  if (object.name == ".") return;
  const hid_t group = H5Oopen(file, object.group.c_str(), 0);
  if (group < 0) return;
  const bool there = object.attribute ? H5Aexists(group, object.name.c_str()) > 0
                                      : H5Lexists(group, object.name.c_str(), 0) > 0;
  const uint8_t what = choices.byte() % 4;
  if (there && what < 2) {
    overwrite(group, object, choices);
  } else if (there) {
    object.attribute ? H5Adelete(group, object.name.c_str())
                     : H5Ldelete(group, object.name.c_str(), 0);
    if (what == 3) add(group, object, choices);
  }
  H5Oclose(group);
}

void change_file(const fs::path& path, Choices& choices) {
  const vigor::QuietHdf5 quiet;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, 0);
  if (file < 0) std::abort();
  std::vector<Object> objects;
  H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, note_object, &objects);
  while (!choices.empty()) change(file, objects, choices);
  H5Fclose(file);
}

void seal(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string content = all.substr(vigor::kSealBytes);
  std::ofstream(path, std::ios::binary) << vigor::make_seal(content) << content;
}

void read_tallies(const vigor::Part& part) {
  vigor::fuzz::expect_error_or_success([&] {
    vigor::PartReader reader(part);
    vigor::get_tally(reader, 4, 4);
    reader.finish();
  });
  vigor::fuzz::expect_error_or_success([&] {
    vigor::PartReader reader(part);
    vigor::get_injection_tally(reader, 3, 4);
    vigor::get_outcomes(reader);
    reader.finish();
  });
}

// As vigor gate and vigor diff do.
void use_factors(const fs::path& path) {
  static const fs::path kExample = [] {
    fs::path file = vigor::fuzz::folder() / "before.h5";
    vigor::write_run(file, vigor::example_run());
    return file;
  }();
  const vigor::SheetPair sheets = vigor::read_sheet_pair(kExample, path);
  const std::vector<vigor::Check> checks =
      vigor::check_limits(sheets.after, {0.5, 0.1, {{"fc1", 0.2}}});
  vigor::to_text(sheets.after, checks);
  vigor::to_json(sheets.after, checks);
  const vigor::Difference found = vigor::difference(sheets.before, sheets.after, 3);
  vigor::to_text(sheets, found);
  vigor::to_json(sheets, found);
}

void read(const fs::path& path) {
  vigor::fuzz::expect_error_or_success([&] {
    if (vigor::holds_injection(path)) {
      const vigor::Injection injection = vigor::read_injection(path);
      vigor::to_text(injection);
      vigor::to_json(injection);
    } else if (vigor::holds_mapping(path)) {
      const vigor::Mapping mapping = vigor::read_mapping(path);
      vigor::to_text(mapping);
      vigor::to_json(mapping);
      use_factors(path);
    } else {
      const vigor::Run run = vigor::read_run(path);
      vigor::to_text(run, 5);
      vigor::to_json(run);
      vigor::report_data(run, {});
      use_factors(path);
    }
  });
  vigor::fuzz::expect_error_or_success([&] {
    const vigor::PartHead head = vigor::read_part_head(path);
    difference(head, vigor::part_head(vigor::example_run(), "{}"));
    const vigor::Shard shard = vigor::read_part(path);
    if (shard.head.hash() != head.hash()) std::abort();
    read_tallies(shard.part);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  vigor::fuzz::count_bytes(size);
  if (size == 0 || size > 4096) return 0;
  if (bytes[0] == 0) {
    read(vigor::fuzz::put_file("changed.h5", vigor::fuzz::as_text(bytes + 1, size - 1)));
    return 0;
  }
  Choices choices(bytes + 1, size - 1);
  const fs::path path = vigor::fuzz::put_file("changed.h5", examples()[bytes[0] % kKinds]);
  change_file(path, choices);
  seal(path);
  read(path);
  return 0;
}
