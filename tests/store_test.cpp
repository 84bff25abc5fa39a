#include "store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>

#include "dataset.h"
#include "error_of.h"
#include "example_run.h"
#include "hdf5_group.h"
#include "seal.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

class Store : public testing::Test {
 protected:
  using Run = vigor::Run;  // not testing::Test::Run
  Store() : folder_(fs::path(testing::TempDir()) / fmt::format("vigor_store_{}", getpid())) {
    fs::create_directories(folder_);
  }
  ~Store() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name) const { return folder_ / name; }
  bool is_clean(size_t files) const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})) == files;
  }
  fs::path folder_;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

template <typename T>
void expect_same(const std::vector<T>& got, const std::vector<T>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(static_cast<double>(expected[i]))) {
      EXPECT_TRUE(std::isnan(static_cast<double>(got[i]))) << i;
    } else {
      EXPECT_EQ(got[i], expected[i]) << i;
    }
  }
}

void expect_same(const SiteResult& got, const SiteResult& expected) {
  EXPECT_EQ(got.site.name, expected.site.name);
  EXPECT_EQ(got.site.kind, expected.site.kind);
  EXPECT_EQ(got.site.node, -1);
  EXPECT_EQ(got.site.tensor, -1);
  EXPECT_EQ(got.site.population, expected.site.population);
  EXPECT_EQ(got.site.neurons, expected.site.neurons);
  EXPECT_EQ(got.node_name, expected.node_name);
  EXPECT_EQ(got.tensor_name, expected.tensor_name);
  EXPECT_EQ(got.shape, expected.shape);
  EXPECT_EQ(got.tally.neurons, expected.tally.neurons);
  EXPECT_EQ(got.tally.rows, expected.tally.rows);
  expect_same(got.tally.nonvulnerable, expected.tally.nonvulnerable);
  expect_same(got.tally.vulnerable, expected.tally.vulnerable);
  expect_same(got.tally.vulnerable_finite, expected.tally.vulnerable_finite);
  expect_same(got.tally.golden, expected.tally.golden);
  expect_same(got.thresholds, expected.thresholds);
  EXPECT_EQ(got.tally.finite, expected.tally.finite);
  EXPECT_EQ(got.tally.critical, expected.tally.critical);
  EXPECT_EQ(got.tally.critical_nan, expected.tally.critical_nan);
  EXPECT_EQ(got.tally.critical_beyond, expected.tally.critical_beyond);
  EXPECT_EQ(got.tally.critical_low, expected.tally.critical_low);
  EXPECT_EQ(got.tally.critical_high, expected.tally.critical_high);
  EXPECT_EQ(got.tally.contradictions, expected.tally.contradictions);
  EXPECT_EQ(got.tally.probes, expected.tally.probes);
  EXPECT_EQ(got.tally.overflow, expected.tally.overflow);
  EXPECT_EQ(got.tally.histogram, expected.tally.histogram);
  EXPECT_EQ(got.tally.audited, expected.tally.audited);
  EXPECT_EQ(got.tally.disagreements, expected.tally.disagreements);
  EXPECT_EQ(got.tally.macs, expected.tally.macs);
  EXPECT_EQ(got.far_class, expected.far_class);
  EXPECT_EQ(got.cuts, expected.cuts);
}

// What a file keeps of a run: NaN where there was nothing to merge.
Run as_stored(Run run) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  SiteTally& tally = run.sites[0].tally;
  for (size_t i = 8; i < 16; ++i) {  // row of class 1
    tally.nonvulnerable[i] = tally.vulnerable[i] = kNan;
    tally.golden[i] = static_cast<float>(kNan);
  }
  for (size_t i = 0; i < 32; ++i) {
    if (tally.finite[i] == 0) tally.vulnerable_finite[i] = kNan;
  }
  return run;
}

TEST_F(Store, ReadsBackEveryField) {
  write_run(file("a.h5"), example_run());
  EXPECT_TRUE(is_clean(1));
  const Run got = read_run(file("a.h5"));
  const Run expected = as_stored(example_run());
  EXPECT_EQ(got.version, expected.version);
  EXPECT_EQ(got.model, expected.model);
  EXPECT_EQ(got.model_sha256, expected.model_sha256);
  EXPECT_EQ(got.data, expected.data);
  EXPECT_EQ(got.data_sha256, expected.data_sha256);
  EXPECT_EQ(got.preprocessing, expected.preprocessing);
  EXPECT_EQ(got.split, expected.split);
  EXPECT_EQ(got.options, expected.options);
  EXPECT_EQ(got.method, expected.method);
  EXPECT_EQ(got.graph_json, expected.graph_json);
  EXPECT_EQ(got.seed, expected.seed);
  EXPECT_EQ(got.class_names, expected.class_names);
  EXPECT_EQ(got.classes, expected.classes);
  EXPECT_EQ(got.forward_macs, expected.forward_macs);
  EXPECT_EQ(got.input_index, expected.input_index);
  EXPECT_EQ(got.golden_class, expected.golden_class);
  EXPECT_EQ(got.label, expected.label);
  EXPECT_EQ(got.provenance.seconds, expected.provenance.seconds);
  EXPECT_EQ(got.provenance.machine, expected.provenance.machine);
  EXPECT_EQ(got.provenance.isa, expected.provenance.isa);
  EXPECT_EQ(got.provenance.time, expected.provenance.time);
  EXPECT_EQ(got.provenance.command, expected.provenance.command);
  EXPECT_EQ(got.provenance.threads, expected.provenance.threads);
  EXPECT_EQ(got.provenance.ranks, expected.provenance.ranks);
  EXPECT_EQ(got.provenance.source, expected.provenance.source);
  ASSERT_EQ(got.sites.size(), expected.sites.size());
  for (size_t i = 0; i < got.sites.size(); ++i) expect_same(got.sites[i], expected.sites[i]);
}

TEST_F(Store, KeepsWhatARunWithoutMuchHas) {
  Run run = example_run();
  run.class_names.clear();
  run.sites.erase(run.sites.begin());
  write_run(file("a.h5"), run);
  expect_same(read_run(file("a.h5")).sites.at(0), run.sites[0]);
  EXPECT_TRUE(read_run(file("a.h5")).class_names.empty());
}

// More than one chunk per array, and more class names than fit into a small attribute.
TEST_F(Store, KeepsLargeArrays) {
  Run run = example_run();
  run.classes = 30000;
  run.class_names.assign(30000, "a name");
  SiteResult& site = run.sites[1];
  constexpr int64_t kNeurons = 20000;
  site.site.population = kNeurons;
  site.shape = {2, 100, 100};
  site.site.neurons.resize(kNeurons);
  for (size_t k = 0; k < kNeurons; ++k) site.site.neurons[k] = static_cast<int64_t>(k);
  site.tally = SiteTally(kNeurons, 1);
  site.tally.nonvulnerable[30001] = 7;
  site.tally.finite.assign(2 * kNeurons, 1);
  site.tally.critical[600001] = 2;
  site.far_class.assign(2 * kNeurons, -1);
  run.sites.erase(run.sites.begin());
  write_run(file("a.h5"), run);
  const Run got = read_run(file("a.h5"));
  EXPECT_EQ(got.class_names, run.class_names);
  expect_same(got.sites[0], run.sites[0]);
}

// What a data set may bring can be read again.
TEST_F(Store, KeepsTheLongestClassNames) {
  Run run = example_run();
  run.class_names.assign(4096, "a name");
  run.class_names[7].assign(kMostClassNameBytes / run.class_names.size(), 'x');
  write_run(file("a.h5"), run);
  EXPECT_EQ(read_run(file("a.h5")).class_names, run.class_names);
}

TEST_F(Store, EqualRunsGiveEqualFiles) {
  if (std::system("h5diff --version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no h5diff";
  Run run = example_run();
  write_run(file("a.h5"), run);
  sleep(1);  // time stamps would differ
  run.provenance.seconds = 99;
  run.provenance.command = "another, longer one";
  write_run(file("b.h5"), run);
  const auto diff = [&](const std::string& options) {
    return WEXITSTATUS(std::system(fmt::format("h5diff {} '{}' '{}' > /dev/null 2>&1", options,
                                               file("a.h5").string(), file("b.h5").string())
                                       .c_str()));
  };
  EXPECT_EQ(diff("--exclude-path /provenance"), 0);
  EXPECT_EQ(diff(""), 1);
  run = example_run();
  write_run(file("b.h5"), run);
  EXPECT_EQ(bytes_of(file("a.h5")), bytes_of(file("b.h5")));
}

// Gives a file whose HDF5 part was changed a seal that fits again.
void seal_again(const fs::path& file) {
  const std::string content = bytes_of(file).substr(kSealBytes);
  write_bytes(file, make_seal(content) + content);
}

TEST_F(Store, RefusesOtherFiles) {
  EXPECT_THAT(error_of([&] { read_run(file("none.h5")); }),
              testing::AllOf(HasSubstr("none.h5]"), HasSubstr("No such file")));
  write_bytes(file("text"), "this is no HDF5 file, however long it may get");
  EXPECT_THAT(error_of([&] { read_run(file("text")); }), HasSubstr("text] not a vigor run file"));
  write_bytes(file("empty"), "");
  EXPECT_THAT(error_of([&] { read_run(file("empty")); }), HasSubstr("not a vigor run file"));
  EXPECT_THAT(error_of([&] { read_run(folder_); }), HasSubstr("not a vigor run file"));
  { const Handle other(H5Fcreate(file("other.h5").c_str(), H5F_ACC_TRUNC, 0, 0), H5Fclose); }
  EXPECT_THAT(error_of([&] { read_run(file("other.h5")); }),
              HasSubstr("other.h5] not a vigor run file"));
  write_bytes(file("other.h5"), std::string(kSealBytes, '\0') + bytes_of(file("other.h5")));
  seal_again(file("other.h5"));
  EXPECT_THAT(error_of([&] { read_run(file("other.h5")); }),
              HasSubstr("other.h5] not a vigor run file"));
  write_bytes(file("text"), make_seal(std::string_view("text")) + "text");
  EXPECT_THAT(error_of([&] { read_run(file("text")); }), HasSubstr("text] damaged run file: "));
}

// Applies `change` to a written run and gives the error of reading it.
template <typename Change>
std::string error_after(const fs::path& file, Change change) {
  write_run(file, example_run());
  {
    const QuietHdf5 quiet;
    const Handle handle(H5Fopen(file.c_str(), H5F_ACC_RDWR, 0), H5Fclose);
    change(handle);
  }
  EXPECT_THAT(error_of([&] { read_run(file); }), HasSubstr("damaged"));
  seal_again(file);
  return error_of([&] { read_run(file); });
}

// The seal vouches for the file alone, and once.
TEST_F(Store, ReadsNothingOutsideOfTheFile) {
  const fs::path path = file("a.h5");
  write_run(file("other.h5"), example_run());
  const std::string other = bytes_of(file("other.h5")).substr(kSealBytes);
  write_bytes(file("plain.h5"), other);
  EXPECT_THAT(error_after(path,
                          [&](hid_t handle) {
                            H5Ldelete(handle, "sites", 0);
                            H5Lcreate_external(file("plain.h5").c_str(), "/sites", handle, "sites",
                                               0, 0);
                          }),
              HasSubstr("/sites lies outside of the file"));
  EXPECT_THAT(error_after(path,
                          [&](hid_t handle) {
                            H5Lcreate_hard(handle, "sites/0000", handle, "sites/0002", 0, 0);
                          }),
              HasSubstr("/sites/0000 has another name too"));
  EXPECT_THAT(error_after(path,
                          [&](hid_t handle) {
                            H5Ldelete(handle, "sites/0000/count", 0);
                            const hsize_t extents[] = {4, 32};
                            const Handle space(H5Screate_simple(2, extents, nullptr), H5Sclose);
                            const Handle made(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
                            H5Pset_external(made, "/dev/zero", 0, H5F_UNLIMITED);
                            H5Dclose(H5Dcreate2(handle, "sites/0000/count", H5T_NATIVE_INT64, space,
                                                0, made, 0));
                          }),
              HasSubstr("/sites/0000/count has its values outside of the file"));
  EXPECT_THAT(error_after(path,
                          [&](hid_t handle) {
                            H5Ldelete(handle, "sites", 0);
                            H5Gclose(H5Gcreate2(handle, "sites", 0, 0, 0));
                          }),
              HasSubstr("/sites: got 0, expected 1"));
}

TEST_F(Store, ChecksWhatItReads) {
  const fs::path path = file("a.h5");
  const auto replace = [&](const char* name, auto value) {
    return error_after(path, [&](hid_t handle) {
      H5Adelete(handle, name);
      Hdf5Group::root(handle).put(name, value);
    });
  };
  EXPECT_EQ(replace("schema", int64_t{2}),
            fmt::format("[{}] schema 2 is newer than this program", path.string()));
  EXPECT_THAT(replace("schema", int64_t{0}), HasSubstr("got schema 0, expected 1"));
  EXPECT_THAT(replace("schema", 1.0), HasSubstr("another type"));
  EXPECT_THAT(replace("classes", int64_t{-5}), HasSubstr("/classes: got -5"));
  EXPECT_THAT(replace("classes", int64_t{4}), HasSubstr("/sites/0000/nonvulnerable: got extents"));
  EXPECT_THAT(replace("classes", int64_t{1}), HasSubstr("golden_class: got 2"));
  EXPECT_THAT(replace("finished", int32_t{0}), HasSubstr("/finished"));
  EXPECT_THAT(replace("model", 3.0), HasSubstr("/model is no text"));

  const auto without = [&](const char* name) {
    return error_after(path, [&](hid_t handle) { H5Ldelete(handle, name, 0); });
  };
  EXPECT_THAT(without("/sites/0001/count"), HasSubstr("/sites/0001/count is missing"));
  EXPECT_THAT(without("/sites/0000"), HasSubstr("/sites/0000 is missing"));
  EXPECT_THAT(without("/provenance"), HasSubstr("/provenance is missing"));
  EXPECT_THAT(without("/graph"), HasSubstr("a.h5] damaged run file: /graph is missing"));

  const auto swap = [&](const char* site, const char* name, auto values, const Extents& extents) {
    return error_after(path, [&](hid_t handle) {
      const Hdf5Group group = Hdf5Group::root(handle).open("sites").open(site);
      H5Ldelete(handle, group.path(name).c_str(), 0);
      group.put_array(name, values, extents);
    });
  };
  using Integers = std::vector<int64_t>;
  EXPECT_THAT(swap("0001", "neuron", Integers{4, 1}, {2}), HasSubstr("not ascending"));
  EXPECT_THAT(swap("0001", "neuron", Integers{1, 6}, {2}), HasSubstr("got 6, expected 0 to 5"));
  EXPECT_THAT(swap("0001", "neuron", Integers(7), {7}), HasSubstr("expected at most 6"));
  EXPECT_THAT(swap("0001", "probes", Integers(3), {3}), HasSubstr("got extents 3, expected 2"));
  EXPECT_THAT(swap("0001", "probes", std::vector<float>(2), {2}), HasSubstr("another type"));
  EXPECT_THAT(swap("0001", "count", Integers(64, 4), {2, 32}), HasSubstr("got 4, expected 0 to 3"));
  EXPECT_THAT(swap("0001", "far_class", std::vector<int32_t>(4, 3), {2, 2}), HasSubstr("got 3"));

  // Counts of which two have no sum.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  for (const char* name : {"contradictions", "probes", "overflow"}) {
    EXPECT_THAT(swap("0001", name, Integers(2, kMost / 2 + 1), {2}), HasSubstr(name));
  }

  // Claims 2^36 neurons, stores none.
  EXPECT_THAT(error_after(path,
                          [&](hid_t handle) {
                            const hsize_t count = hsize_t{1} << 36, chunk = 1024;
                            const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
                            const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
                            H5Pset_chunk(properties, 1, &chunk);
                            H5Ldelete(handle, "/inputs/index", 0);
                            const Handle set(H5Dcreate2(handle, "/inputs/index", H5T_STD_I64LE,
                                                        space, 0, properties, 0),
                                             H5Dclose);
                          }),
              HasSubstr("out of 0 bytes"));
}

TEST_F(Store, SurvivesTruncation) {
  write_run(file("a.h5"), example_run());
  const std::string whole = bytes_of(file("a.h5"));
  for (size_t length = 0; length < whole.size(); length += length < 100 ? 1 : 97) {
    write_bytes(file("cut.h5"), whole.substr(0, length));
    EXPECT_THAT(error_of([&] { read_run(file("cut.h5")); }),
                StartsWith(fmt::format("[{}] {}", file("cut.h5").string(),
                                       length < 15 ? "not a vigor run file" : "truncated")))
        << length;
  }
}

TEST_F(Store, SurvivesRandomBytes) {
  write_run(file("a.h5"), example_run());
  const std::string whole = bytes_of(file("a.h5"));
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::string damaged = whole;
    for (int change = 0; change <= round % 8; ++change) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    }
    write_bytes(file("damaged.h5"), damaged);
    EXPECT_NE(error_of([&] { read_run(file("damaged.h5")); }), "no error") << round;
  }
}

TEST_F(Store, SaysWhyItCannotWrite) {
  const Run run = example_run();
  EXPECT_THAT(error_of([&] { write_run(file("none/a.h5"), run); }),
              testing::AllOf(HasSubstr("none/a.h5]"), HasSubstr("No such file or directory")));
  write_bytes(file("plain"), "x");
  EXPECT_THAT(error_of([&] { write_run(file("plain/a.h5"), run); }), HasSubstr("Not a directory"));
  EXPECT_THAT(error_of([&] { write_run(folder_, run); }), HasSubstr("not a regular file"));
  EXPECT_THAT(error_of([&] { write_run("/dev/null", run); }), HasSubstr("not a regular file"));
  EXPECT_TRUE(is_clean(1));
  if (geteuid() != 0) {
    fs::permissions(folder_, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THAT(error_of([&] { write_run(file("a.h5"), run); }), HasSubstr("Permission denied"));
    fs::permissions(folder_, fs::perms::owner_all);
  }
  Run broken = run;
  broken.sites[0].tally.probes.pop_back();
  EXPECT_THAT(error_of([&] { write_run(file("a.h5"), broken); }),
              HasSubstr("/sites/0000/probes: got 3 values, expected 4"));
  EXPECT_TRUE(is_clean(1));
}

// In a child: the limit on the size of files stands for a full disk. The old result stays, nothing
// else does, and nothing is printed, at exit neither.
TEST_F(Store, SurvivesAFullDisk) {
  write_run(file("a.h5"), example_run());
  const std::string before = bytes_of(file("a.h5"));
  for (const rlim_t limit : {0U, 4000U, 9000U, 20000U}) {
    if (limit >= before.size()) continue;
    const fs::path printed = file("printed");
    const pid_t child = fork();
    if (child == 0) {
      if (!std::freopen(printed.c_str(), "w", stderr)) _exit(9);
      std::signal(SIGXFSZ, SIG_IGN);
      const rlimit full{limit, limit};
      setrlimit(RLIMIT_FSIZE, &full);
      const std::string error = error_of([&] { write_run(file("a.h5"), example_run()); });
      const bool right = error.find("File too large") != std::string::npos;
      H5close();
      _exit(right ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0) << limit;
    EXPECT_EQ(bytes_of(printed), "") << limit;
    EXPECT_EQ(bytes_of(file("a.h5")), before);
    fs::remove(printed);
    EXPECT_TRUE(is_clean(1)) << limit;
  }
}

}  // namespace
}  // namespace vigor
