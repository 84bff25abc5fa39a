#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "data_bytes.h"
#include "error.h"
#include "test_data.h"

namespace vigor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kFloats = npy_bytes("<f4", "(2, 3)", little_all<float>({1, 2, 3, 4, 5, 6.5F}));
const std::string kLabels = npy_bytes("<i8", "(2,)", little_all<int64_t>({9, 4}));

std::string npz(const std::string& x, const std::string& y, bool deflated = false,
                bool zip64 = false) {
  return zip_bytes({{.name = "x.npy", .data = x, .deflated = deflated},
                    {.name = "y.npy", .data = y, .deflated = deflated}},
                   zip64);
}

void expect_error(const std::string& spec, const std::string& why) {
  EXPECT_THAT([&] { open_spec(spec); }, ThrowsMessage<Error>(HasSubstr(why))) << spec;
}

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

TEST(Npz, ReadsAllFormsOfArchive) {
  const TempDir dir;
  for (const bool deflated : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const Dataset data =
          open_spec("npz:" + dir.write("a.npz", npz(kFloats, kLabels, deflated, zip64)));
      EXPECT_EQ(data.size(), 2);
      EXPECT_EQ(data.sample_shape(), (Shape{3}));
      EXPECT_THAT(sample(data, 1), ElementsAre(4, 5, 6.5F));
      EXPECT_EQ(data.label(0), 9);
      EXPECT_EQ(data.label(1), 4);
      EXPECT_EQ(data.description(), "npz:a.npz");
    }
  }
}

// numpy 1.24: savez_compressed(f, x=array([[1.5, -2], [inf, 4]], float32), y=array([3, 1]))
TEST(Npz, ReadsNumpysOwn) {
  const TempDir dir;
  const std::string bytes = from_hex(
      "504b030414000000080000002100133d5560530000009000000005001400782e6e7079010010009000000000"
      "00000053000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f5452"
      "9498179f5f94920a12774bcc294e058a17672416a402f91a463a0a469a3a0ab50a64032e068603f60c408281"
      "a1a11e881d00504b0304140000000800000021008cde33e04a0000009000000005001400792e6e7079010010"
      "0090000000000000004a000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3"
      "a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e66060860"
      "84d200504b0102140314000000080000002100133d5560530000009000000005000000000000000000000080"
      "0100000000782e6e7079504b01021403140000000800000021008cde33e04a00000090000000050000000000"
      "00000000000080018a000000792e6e7079504b05060000000002000200660000000b0100000000");
  const Dataset data = open_spec("npz:" + dir.write("numpy.npz", bytes));
  EXPECT_THAT(sample(data, 0), ElementsAre(1.5F, -2));
  EXPECT_THAT(sample(data, 1), ElementsAre(INFINITY, 4));
  EXPECT_EQ(data.label(0), 3);
  EXPECT_EQ(data.label(1), 1);
}

TEST(Npz, ReadsImages) {
  const TempDir dir;
  const std::string colour = npy_bytes("|u1", "(1, 1, 2, 3)", "\x01\x02\x03\x04\x05\x06");
  const Dataset rgb = open_spec("npz:" + dir.write("a.npz", zip_bytes({{"x.npy", colour}})));
  EXPECT_EQ(rgb.sample_shape(), (Shape{3, 1, 2}));
  EXPECT_THAT(sample(rgb, 0), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_FALSE(rgb.has_labels());
  const std::string grey = npy_bytes("|u1", "(2, 1, 2)", "\x01\x02\x03\xFF");
  const Dataset one = open_spec("npy:" + dir.write("x.npy", grey));
  EXPECT_EQ(one.sample_shape(), (Shape{1, 1, 2}));
  EXPECT_THAT(sample(one, 1), ElementsAre(3, 255));
  EXPECT_EQ(one.description(), "npy:x.npy");
}

template <typename T>
class NpzLabels : public testing::Test {};
using LabelTypes =
    testing::Types<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, uint64_t, int64_t>;
TYPED_TEST_SUITE(NpzLabels, LabelTypes);

TYPED_TEST(NpzLabels, ReadsType) {
  const TempDir dir;
  const std::string descr =
      (std::is_signed_v<TypeParam> ? "<i" : "<u") + std::to_string(sizeof(TypeParam));
  const TypeParam most =
      static_cast<TypeParam>(std::min<uint64_t>(std::numeric_limits<TypeParam>::max(), 2147483647));
  const std::string y = npy_bytes(descr, "(2, 1)", little_all<TypeParam>({5, most}));
  const Dataset data = open_spec("npz:" + dir.write("a.npz", npz(kFloats, y)));
  EXPECT_EQ(data.label(0), 5);
  EXPECT_EQ(data.label(1), static_cast<int64_t>(most));
  if (std::is_signed_v<TypeParam>) {
    const TypeParam negative = static_cast<TypeParam>(-1);
    const std::string bad = npy_bytes(descr, "(2,)", little_all<TypeParam>({0, negative}));
    expect_error("npz:" + dir.write("a.npz", npz(kFloats, bad)), "got label -1");
  }
}

TEST(Npz, RefusesLabelsThatDoNotFit) {
  const TempDir dir;
  const auto refuses = [&](const std::string& y, const std::string& why) {
    expect_error("npz:" + dir.write("a.npz", npz(kFloats, y)), why);
  };
  refuses(npy_bytes("<i8", "(3,)", little_all<int64_t>({1, 2, 3})),
          "labels of shape 3, expected 2");
  refuses(npy_bytes("<i8", "(0,)", ""), "labels of shape 0");
  refuses(npy_bytes("<f4", "(2,)", little_all<float>({1, 2})), "labels of type f4");
  refuses(npy_bytes("<u8", "(2,)", little_all<uint64_t>({1, ~uint64_t{0}})), "out of range");
  refuses(npy_bytes("<i8", "(2,)", little_all<int64_t>({1, int64_t{1} << 31})), "2147483648");
}

TEST(Npy, RefusesHeadersItCannotRead) {
  const TempDir dir;
  const auto refuses = [&](const std::string& content, const std::string& why) {
    expect_error("npy:" + dir.write("x.npy", content), why);
  };
  const std::string data(24, '\0');
  refuses("", "no npy header");
  refuses("garbage, and a lot of it", "no npy header");
  refuses(npy_bytes(">f4", "(2, 3)", data), "big-endian");
  refuses(npy_bytes("<f4", "(2, 3)", data, "True"), "Fortran order");
  refuses(npy_bytes("<f8", "(1, 3)", data), "element type f8");
  refuses(npy_bytes("|O", "(2, 3)", data), "element type");
  refuses(npy_bytes("<i4", "(2, 3)", data), "got element type i4");
  refuses(npy_bytes("<f4", "(6,)", data), "expected [N,...]");
  refuses(npy_bytes("<f4", "()", data.substr(0, 4)), "expected [N,...]");
  refuses(npy_bytes("<f4", "(0, 3)", ""), "is empty");
  refuses(npy_bytes("<f4", "(2, 0)", ""), "is empty");
  refuses(npy_bytes("<f4", "(2, 4)", data), "got 24 bytes of data, expected 32");
  refuses(npy_bytes("<f4", "(2, 2)", data), "got 24 bytes of data, expected 16");
  refuses(npy_bytes("<f4", "(-2, -3)", data), "shape");
  refuses(npy_bytes("<f4", "(2; 3)", data), "shape");
  refuses(npy_bytes("<f4", "(2, 3", data), "shape");
  refuses(npy_bytes("<f4", "(99999999999999999999,)", data), "shape");
  refuses(npy_bytes("<f4", "(4611686018427387904, 4)", data), "GiB");
  refuses(npy_bytes("<f4", "(0, 4611686018427387904, 9223372036854775807)", ""), "is empty");
  refuses(npy_bytes("|u1", "(2, 12)", data), "expected images");
  refuses(npy_bytes("|u1", "(1, 3, 2, 4)", data), "expected images");
  refuses(npy_bytes("<f4", "(2, 3), 'shape': (3, 2)", data), "got 'shape' twice");
  refuses(npy_bytes("<f4", "(2, 3), \"shape\": (3, 2)", data), "got 'shape' twice");
  refuses(npy_bytes("<f4', 'descr': '<i4", "(2, 3)", data), "got 'descr' twice");
  refuses(npy_bytes("<f4", "(2, 3)", data, "False, 'fortran_order': True"),
          "got 'fortran_order' twice");
  std::string version = npy_bytes("<f4", "(2, 3)", data);
  version[6] = 4;
  refuses(version, "npy version 4");
}

TEST(Npy, TakesNoPreprocessingForFloats) {
  const TempDir dir;
  DataOptions options;
  options.spec = "npy:" + dir.write("x.npy", kFloats);
  options.preprocessing.scale = {1, 255};
  EXPECT_THAT([&] { Dataset::open(options); }, ThrowsMessage<Error>(HasSubstr("preprocessing")));
}

TEST(Npy, RefusesEveryTruncation) {
  const TempDir dir;
  for (size_t length = 0; length < kFloats.size(); ++length) {
    EXPECT_THROW(open_spec("npy:" + dir.write("x.npy", kFloats.substr(0, length))), Error)
        << length;
  }
}

TEST(Npz, RefusesEveryTruncation) {
  const TempDir dir;
  for (const bool zip64 : {false, true}) {
    const std::string whole = npz(kFloats, kLabels, true, zip64);
    for (size_t length = 0; length < whole.size(); ++length) {
      EXPECT_THROW(open_spec("npz:" + dir.write("a.npz", whole.substr(0, length))), Error)
          << length;
    }
  }
}

// Each byte in turn, several values: an Error or a data set, nothing else.
TEST(Npz, SurvivesEveryDamagedByte) {
  const TempDir dir;
  for (const bool zip64 : {false, true}) {
    const std::string whole = npz(kFloats, kLabels, true, zip64);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const char value : {'\x00', '\xFF', static_cast<char>(whole[at] ^ 4)}) {
        std::string damaged = whole;
        damaged[at] = value;
        const std::string spec = "npz:" + dir.write("a.npz", damaged);
        try {
          const Dataset data = open_spec(spec);
          EXPECT_THAT(sample(data, 1), ElementsAre(4, 5, 6.5F)) << at;
        } catch (const Error& error) {
          EXPECT_THAT(error.what(), HasSubstr("a.npz"));
        }
      }
    }
  }
}

TEST(Npz, RefusesTwoEntriesOfOneName) {
  const TempDir dir;
  const auto refuses = [&](const std::vector<ZipMember>& members, const std::string& why) {
    expect_error("npz:" + dir.write("a.npz", zip_bytes(members)), why);
  };
  const ZipMember x{.name = "x.npy", .data = kFloats}, y{.name = "y.npy", .data = kLabels};
  refuses({x, y, x}, "got 2 entries x.npy, expected one");
  refuses({x, y, y, y}, "got 3 entries y.npy, expected one");
}

TEST(Npz, RefusesEntriesItCannotRead) {
  const TempDir dir;
  const auto refuses = [&](const ZipMember& member, const std::string& why) {
    expect_error("npz:" + dir.write("a.npz", zip_bytes({member}, true)), why);
  };
  refuses({.name = "z.npy", .data = kFloats}, "got arrays \"z.npy\"");
  refuses({.name = "x.npy", .data = kFloats, .flags = 1}, "encrypted");
  refuses({.name = "x.npy", .data = kFloats, .bytes = 5}, "stored entry of 5 bytes");
  const auto packed = [&](int64_t bytes) {
    return ZipMember{.name = "x.npy", .data = kFloats, .deflated = true, .bytes = bytes};
  };
  refuses(packed(std::ssize(kFloats) - 1), "damaged deflate data");
  refuses(packed(std::ssize(kFloats) + 1), "damaged deflate data");
  refuses(packed(0), "damaged deflate data");
  refuses(packed(10'000'000), "which cannot be");
  refuses(packed(int64_t{1} << 60), "GiB");
  // 16 MiB of zeros behind a header of 24 bytes are unpacked no further than announced.
  ZipMember bomb{.name = "x.npy", .data = kFloats + std::string(size_t{1} << 24, '\0')};
  bomb.deflated = true;
  refuses(bomb, "expected 24");
  bomb.bytes = std::ssize(kFloats);
  refuses(bomb, "damaged deflate data");
}

TEST(Npz, ReadsRealData) {
  const std::filesystem::path file = data_dir() / "imagenet-sample" / "images.npz";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no real data in " << data_dir();
  const Dataset data = open_spec("npz:" + file.string());
  EXPECT_EQ(data.size(), 100);
  EXPECT_EQ(data.sample_shape(), (Shape{3, 256, 256}));
  EXPECT_EQ(data.label(1), 10);
  // numpy.load(FILE)["x"][99, 7, 9]
  const std::vector<float> last = sample(data, 99);
  EXPECT_THAT((std::vector<float>{last[7 * 256 + 9], last[65536 + 7 * 256 + 9],
                                  last[2 * 65536 + 7 * 256 + 9]}),
              ElementsAre(176, 173, 168));
}

}  // namespace
}  // namespace vigor
