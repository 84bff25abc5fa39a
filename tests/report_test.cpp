#include "report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "error_of.h"
#include "example_run.h"
#include "factors.h"

namespace vigor {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    for (size_t j = 0; j < 4; ++j) {
      const size_t digit = digits.find(text[i + j]);
      EXPECT_TRUE(digit != std::string::npos || text[i + j] == '=');
      group = group << 6 | (digit == std::string::npos ? 0U : static_cast<uint32_t>(digit));
    }
    for (size_t j = 0; j < 3 && text[i + j + 1] != '='; ++j) {
      bytes += static_cast<char>(group >> (16 - 8 * j) & 255);
    }
  }
  return bytes;
}

std::string unzipped(const std::string& packed) {
  std::string bytes(size_t{1} << 26, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  bytes.resize(stream.total_out);
  inflateEnd(&stream);
  return bytes;
}

// What the page finds, read by the rules of docs/report.md.
struct Page {
  explicit Page(const vigor::Run& run, const ReportOptions& options = {}) {
    const std::string bytes = unzipped(from_base64(report_data(run, options)));
    uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    head = json::parse(bytes.substr(4, length));
    body = bytes.substr(4 + length);
  }

  template <typename T>
  std::vector<T> array(const std::string& name) const {
    const json& entry = head["arrays"][name];
    EXPECT_EQ(entry["type"].get<std::string>().substr(1), std::to_string(sizeof(T)));
    std::vector<T> values(entry["count"].get<size_t>());
    for (size_t i = 0; i < values.size(); ++i) {
      char whole[sizeof(T)];
      for (size_t b = 0; b < sizeof(T); ++b) {
        whole[b] = body[entry["at"].get<size_t>() + b * values.size() + i];
      }
      std::memcpy(&values[i], whole, sizeof(T));
    }
    return values;
  }

  json head;
  std::string body;
};

TEST(Report, HoldsFactors) {
  const vigor::Run run = example_run();
  const Page page(run);
  const json& content = page.head["content"];
  EXPECT_EQ(content["run"]["model"]["mvf"]["resolved"].get<double>(), mvf(run).resolved);
  EXPECT_EQ(content["run"]["made"]["seed"], "18446744073709551615");
  EXPECT_EQ(content["sites"].size(), 2U);
  EXPECT_EQ(content["sites"][1]["name"], "fc1");
  EXPECT_EQ(content["sites"][0]["lvf"]["high"].get<double>(), lvf(run.sites[0], 3).high);
  EXPECT_EQ(content["sites"][0]["bits"]["nan"][30].get<double>(), 2.0 / 12);
  EXPECT_EQ(content["sites"][0]["critical_beyond"], 2);
  EXPECT_TRUE(content["injection"].is_null());
  EXPECT_TRUE(content["validation"].is_null());
}

TEST(Report, HoldsEveryNeuron) {
  const Page page(example_run());
  EXPECT_THAT(page.array<uint32_t>("neuron"), ElementsAre(0, 1, 2, 3, 1, 4));
  EXPECT_THAT(page.array<uint32_t>("critical"), ElementsAre(3, 4, 3, 3, 6, 18));
  EXPECT_THAT(page.array<uint32_t>("critical_high"), ElementsAre(3, 5, 3, 3, 6, 18));
  EXPECT_THAT(page.array<uint8_t>("worst_bit"), ElementsAre(30, 30, 30, 30, 31, 31));
  EXPECT_THAT(page.array<int32_t>("far_class"),
              ElementsAre(-1, 2, -1, 0, -1, -1, 1, 1, -1, -1, 0, 2));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(page.array<float>("nonvulnerable"),
              ElementsAre(-infinity, 0.5F, -2, 0.5F, -3, 0.5F, -4, 0.5F, -1, 1, -2, 2));
  EXPECT_THAT(page.array<float>("vulnerable"),
              ElementsAre(-infinity, 0.75F, -3, infinity, -4, 0.75F, -5, 0.75F, -3, 3, -infinity,
                          infinity));
}

TEST(Report, DetailHasARowForEachClassWithInputs) {
  const Page page(example_run());
  EXPECT_THAT(page.head["content"]["rows"], (json{0, 2, 3}));
  EXPECT_THAT(page.array<uint32_t>("detail"), ElementsAre(0, 1, 2, 3, 4, 5));
  // Three rows for each neuron of conv1, one for those of fc1.
  EXPECT_EQ(page.array<float>("detail_vulnerable").size(), 2 * (4 * 3 + 2));
  EXPECT_EQ(page.array<float>("detail_golden")[2 * 3 + 1], 0.5F);  // neuron 1, class 0
  EXPECT_TRUE(std::isnan(page.array<float>("detail_vulnerable_finite")[0]));
  EXPECT_EQ(page.array<uint32_t>("detail_critical")[kBits + 29], 1U);
}

// A network of one site with more neurons than can be shown in full.
vigor::Run wide_run(int64_t neurons) {
  vigor::Run run = example_run();
  run.sites.resize(1);
  SiteResult& site = run.sites[0];
  site.shape = {neurons};
  site.site.population = neurons;
  site.site.neurons.clear();
  for (int64_t k = 0; k < neurons; ++k) site.site.neurons.push_back(k);
  site.tally = SiteTally(neurons, 1);
  site.far_class.assign(static_cast<size_t>(2 * neurons), -1);
  for (const int64_t k : {int64_t{5}, neurons - 1}) {
    site.tally.critical[static_cast<size_t>(k * kBits + 30)] = 3;
  }
  site.tally.critical[7 * kBits] = 1;
  return run;
}

TEST(Report, LargeRunsShowTheMostVulnerableInFull) {
  const vigor::Run run = wide_run(14'706);
  ReportOptions options;
  EXPECT_EQ(Page(run, options).array<uint32_t>("detail").size(), 2000U);
  options.detailed = 3;
  EXPECT_THAT(Page(run, options).array<uint32_t>("detail"), ElementsAre(5, 7, 14'705));
  options.detail = {"conv1"};
  EXPECT_EQ(Page(run, options).array<uint32_t>("detail").size(), 14'706U);
  // 680 bytes each, 10 MB at most.
  EXPECT_EQ(Page(wide_run(14'705)).array<uint32_t>("detail").size(), 14'705U);
}

TEST(Report, NamesWhatDoesNotFit) {
  const vigor::Run run = example_run();
  ReportOptions options;
  options.detail = {"fc1", "nope"};
  EXPECT_EQ(error_of([&] { report_data(run, options); }),
            "[detail] got 'nope', expected all or one of: conv1, fc1");
  options.detail.clear();
  Injection injection;
  injection.model = "other.onnx";
  injection.model_sha256 = "22";
  options.injection = &injection;
  EXPECT_THAT(error_of([&] { report_data(run, options); }),
              HasSubstr("got one of model other.onnx (22), expected model.onnx (00ff)"));
  options.injection = nullptr;
  options.validation = "[1";
  EXPECT_THAT(error_of([&] { report_data(run, options); }), HasSubstr("[validation] got no JSON"));
  options.validation = R"({"a": )" + std::string(300000, '[') + std::string(300000, ']') + "}";
  EXPECT_THAT(error_of([&] { report_data(run, options); }), HasSubstr("[validation] got no JSON"));
  options.validation = R"({"model": {"sha256": "33"}})";
  EXPECT_THAT(error_of([&] { report_data(run, options); }), HasSubstr("got one of model 33"));
  options.validation = R"({"model": {"sha256": "00ff"}, "layers": []})";
  EXPECT_EQ(Page(run, options).head["content"]["validation"]["layers"], json::array());
}

TEST(Report, NamesNeverLeaveTheData) {
  vigor::Run run = example_run();
  run.model = run.sites[0].site.name = run.sites[0].tensor_name = "</script><script>\xff\x80";
  const std::string text = report_data(run, {});
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                   "+/="),
            std::string::npos);
  EXPECT_THAT(Page(run).head["content"]["sites"][0]["name"].get<std::string>(),
              HasSubstr("</script><script>"));
}

TEST(Report, RoundsToTheCautiousSide) {
  const double third = 1.0 / 3;
  EXPECT_LT(static_cast<double>(toward_zero(third)), third);
  EXPECT_GT(static_cast<double>(away_from_zero(third)), third);
  EXPECT_GT(static_cast<double>(toward_zero(-third)), -third);
  EXPECT_LT(static_cast<double>(away_from_zero(-third)), -third);
  EXPECT_EQ(toward_zero(0.5), 0.5F);
  EXPECT_EQ(away_from_zero(-0.5), -0.5F);
  EXPECT_EQ(away_from_zero(0), 0.0F);
  EXPECT_EQ(away_from_zero(std::numeric_limits<double>::infinity()),
            std::numeric_limits<float>::infinity());
  EXPECT_GT(away_from_zero(1e-320), 0.0F);
  EXPECT_EQ(toward_zero(1e-320), 0.0F);
  EXPECT_TRUE(std::isnan(away_from_zero(std::nan(""))));
}

TEST(Report, IsWrittenWholeOrNotAtAll) {
  const auto folder = std::filesystem::path(testing::TempDir());
  const auto file = folder / "report.html";
  std::filesystem::remove(file);
  if (!has_report_page()) {
    EXPECT_THAT(error_of([&] { write_report(file, example_run(), {}); }), HasSubstr("Node.js"));
    EXPECT_FALSE(std::filesystem::exists(file));
    GTEST_SKIP() << "built without the page";
  }
  EXPECT_THAT(error_of([&] { write_report(folder / "none" / "x", example_run(), {}); }),
              HasSubstr("cannot be written"));
  write_report(file, example_run(), {});
  std::ifstream in(file, std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_EQ(page.find("@@VIGOR"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".partial"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace vigor
