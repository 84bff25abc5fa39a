#include "overlay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "error.h"
#include "onnx_import.h"
#include "run_head.h"
#include "test_data.h"

namespace vigor {
namespace {

using nlohmann::json;
using testing::StartsWith;

const std::filesystem::path kModel =
    std::filesystem::path(VIGOR_SOURCE_DIR) / "models/lenet5_fashion_mnist.onnx";

// LVF 1 %, 2 %, ... of the sites selected.
FactorSheet sheet_of(const std::filesystem::path& model, const std::string& selection) {
  const Graph graph = import_onnx(model);
  FactorSheet sheet;
  sheet.version = "0.1.0";
  sheet.model = graph.file;
  sheet.model_sha256 = graph.sha256;
  sheet.classes = graph.classes();
  sheet.golden_class = {0};
  for (const Site& site : select_sites(graph, selection)) {
    SiteFigures figures{describe_site(graph, site), {}, {}};
    figures.lvf.value = 0.01 * static_cast<double>(sheet.sites.size() + 1);
    sheet.sites.push_back(figures);
  }
  sheet.mvf.interval = Interval{0.25, 0.5};
  return sheet;
}

onnx::ModelProto parsed(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

onnx::ModelProto model_file() {
  std::ifstream file(kModel, std::ios::binary);
  return parsed({std::istreambuf_iterator<char>(file), {}});
}

std::string metadata(const onnx::ModelProto& model, const std::string& key) {
  std::string found;
  for (const auto& entry : model.metadata_props()) {
    if (entry.key() == key) found += entry.value() + ";";
  }
  return found;
}

// Exporters make names longer than what is printed of them.
TEST(Overlay, LongNamesAreToldApart) {
  onnx::ModelProto model = model_file();
  const std::string prefix(300, 'n');
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    for (auto& name : *node.mutable_input()) name = prefix + name;
    for (auto& name : *node.mutable_output()) name = prefix + name;
  }
  const auto rename = [&](auto& all) {
    for (auto& one : all) one.set_name(prefix + one.name());
  };
  rename(*model.mutable_graph()->mutable_input());
  rename(*model.mutable_graph()->mutable_output());
  rename(*model.mutable_graph()->mutable_initializer());
  TempDir folder;
  const auto file = folder.write("long.onnx", model.SerializeAsString());
  const auto values = [](const std::filesystem::path& path) {
    const json content = json::parse(node_data(sheet_of(path, "all"), path));
    std::vector<json> found;
    for (const json& node : content.front().at("results")) found.push_back(node.at("value"));
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(values(file), values(kModel));
}

TEST(Overlay, NodeDataOfALayerAndItsActivation) {
  const json data = json::parse(node_data(sheet_of(kModel, "post-activation"), kModel));
  const json& graph = data.at("lenet5_fashion_mnist");
  EXPECT_EQ(graph["results"]["conv1"]["value"], 1);
  EXPECT_EQ(graph["results"]["relu1"]["value"], 1);
  EXPECT_EQ(graph["results"]["fc2"]["value"], 5);
  EXPECT_FALSE(graph["results"].contains("pool1"));
  EXPECT_EQ(graph["gradient"][0]["stop"], 0);
  EXPECT_EQ(graph["gradient"][1]["stop"], 1);
}

TEST(Overlay, ASiteOfItsOwnGoesFirst) {
  const FactorSheet sheet = sheet_of(kModel, "conv1,conv1.pre");
  ASSERT_EQ(sheet.sites[0].site.name, "conv1.pre");
  const json results = json::parse(node_data(sheet, kModel)).front()["results"];
  EXPECT_EQ(results["conv1"]["value"], 1);
  EXPECT_EQ(results["relu1"]["value"], 2);
}

TEST(Overlay, NodesWithoutANameGoByTheirOutput) {
  TempDir folder;
  onnx::ModelProto model = model_file();
  for (auto& node : *model.mutable_graph()->mutable_node()) node.clear_name();
  const std::string file = folder.write("unnamed.onnx", model.SerializeAsString());
  const json results = json::parse(node_data(sheet_of(file, "post-activation"), file)).front();
  EXPECT_EQ(results["results"]["relu1"]["value"], 1);
  EXPECT_EQ(results["results"]["logits"]["value"], 5);
}

TEST(Overlay, TheCopyHoldsTheFiguresAndNothingElseChanges) {
  const FactorSheet sheet = sheet_of(kModel, "post-activation");
  onnx::ModelProto copy = parsed(annotated_model(sheet, kModel, kModel.parent_path()));
  EXPECT_EQ(metadata(copy, "vigor.lvf.conv1"), "0.01;");
  EXPECT_EQ(metadata(copy, "vigor.mvf_interval"), "0.25, 0.5;");
  EXPECT_EQ(metadata(copy, "vigor.model_sha256"), sheet.model_sha256 + ";");
  EXPECT_THAT(copy.graph().node(0).doc_string(), StartsWith("vigor: conv1: 1.00 % of single bit"));
  copy.clear_metadata_props();
  for (auto& node : *copy.mutable_graph()->mutable_node()) node.clear_doc_string();
  EXPECT_EQ(copy.SerializeAsString(), model_file().SerializeAsString());
}

TEST(Overlay, AnEarlierOverlayIsReplaced) {
  TempDir folder;
  onnx::ModelProto model = model_file();
  model.mutable_graph()->mutable_node(0)->set_doc_string("by hand");
  auto& own = *model.add_metadata_props();
  own.set_key("author");
  own.set_value("somebody");
  const std::string first = folder.write("first.onnx", model.SerializeAsString());
  const std::string second =
      folder.write("second.onnx", annotated_model(sheet_of(first, "post-activation"), first,
                                                  std::filesystem::path(first).parent_path()));
  const onnx::ModelProto copy = parsed(annotated_model(
      sheet_of(second, "conv1"), second, std::filesystem::path(second).parent_path()));
  EXPECT_EQ(metadata(copy, "author"), "somebody;");
  EXPECT_EQ(metadata(copy, "vigor.lvf.conv1"), "0.01;");
  EXPECT_EQ(metadata(copy, "vigor.lvf.conv2"), "");
  const std::string text = copy.graph().node(0).doc_string();
  EXPECT_THAT(text, StartsWith("by hand\nvigor: conv1"));
  EXPECT_EQ(text.find("vigor: "), text.rfind("vigor: "));
}

TEST(Overlay, RefusesAnotherNetwork) {
  FactorSheet sheet = sheet_of(kModel, "post-activation");
  sheet.model_sha256 = "00";
  EXPECT_THROW(node_data(sheet, kModel), Error);
  EXPECT_THROW(annotated_model(sheet, kModel, kModel), Error);
}

TEST(Overlay, WeightsInOtherFilesKeepTheCopyBesideThem) {
  TempDir folder, other;
  onnx::ModelProto model = model_file();
  auto& weights = *model.mutable_graph()->mutable_initializer(0);
  folder.write("weights.bin", weights.raw_data());
  weights.clear_raw_data();
  weights.set_data_location(onnx::TensorProto::EXTERNAL);
  auto& location = *weights.add_external_data();
  location.set_key("location");
  location.set_value("weights.bin");
  const std::filesystem::path file = folder.write("external.onnx", model.SerializeAsString());
  const FactorSheet sheet = sheet_of(file, "post-activation");
  EXPECT_NO_THROW(annotated_model(sheet, file, file.parent_path()));
  const std::filesystem::path elsewhere = other.write("x", "");
  EXPECT_THROW(annotated_model(sheet, file, elsewhere.parent_path()), Error);
}

}  // namespace
}  // namespace vigor
