// ONNX's own node tests (Debian: libonnx-testdata): every one whose operators are supported and
// whose outputs are float32, through the reference and through the lanes.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "error.h"
#include "execute.h"
#include "fold.h"
#include "onnx_import.h"
#include "onnx_tensor.h"
#include "ops/table.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;

constexpr float kRelative = 1e-4F;
constexpr float kAbsolute = 1e-5F;
constexpr int64_t kOldestOpset = 7;  // operators whose tests carry an older one never changed

/// What is left out, and why.
constexpr const char* kThreeDimensions = "three spatial dimensions; vigor has one and two";
constexpr const char* kTraining = "training: statistics of the batch; vigor is for inference";
constexpr const char* kDropping = "training: drops elements at random; vigor is for inference";
constexpr const char* kOtherType = "the input's type is none that vigor reads";
const std::map<std::string, std::string> kLeftOut = {
    {"test_averagepool_3d_default", kThreeDimensions},
    {"test_batchnorm_epsilon_training_mode", kTraining},
    {"test_batchnorm_example_training_mode", kTraining},
    {"test_cast_BFLOAT16_to_FLOAT", kOtherType},
    {"test_cast_DOUBLE_to_FLOAT", kOtherType},
    {"test_cast_FLOAT16_to_FLOAT", kOtherType},
    {"test_cast_STRING_to_FLOAT", kOtherType},
    {"test_castlike_BFLOAT16_to_FLOAT_expanded", kOtherType},
    {"test_castlike_DOUBLE_to_FLOAT_expanded", kOtherType},
    {"test_castlike_FLOAT16_to_FLOAT_expanded", kOtherType},
    {"test_castlike_STRING_to_FLOAT_expanded", kOtherType},
    {"test_maxpool_3d_default", kThreeDimensions},
    {"test_training_dropout", kDropping},
    {"test_training_dropout_default", kDropping},
};

struct NodeTest {
  std::string name;
  onnx::ModelProto model;
  std::vector<ConstantPtr> inputs;  // of the graph, in its order
};

template <typename Proto>
Proto read_proto(const fs::path& file) {
  Proto proto;
  std::ifstream in(file, std::ios::binary);
  if (!proto.ParseFromIstream(&in)) fail(file.filename().string(), "cannot be read");
  return proto;
}

ConstantPtr read_data(const fs::path& folder, const std::string& kind, int index) {
  const fs::path file = folder / "test_data_set_0" / fmt::format("{}_{}.pb", kind, index);
  auto proto = read_proto<TensorProto>(file);
  ExternalData none;
  return read_tensor(proto, none, fmt::format("{} {}", kind, index));
}

int32_t type_of(const onnx::ValueInfoProto& value) {
  return value.type().tensor_type().elem_type();
}

bool is_whole(int32_t type) {
  return type == TensorProto::INT32 || type == TensorProto::INT64 || type == TensorProto::BOOL;
}

/// Why a test is none of ours; empty where it is.
std::string out_of_scope(const onnx::ModelProto& model) {
  const auto& graph = model.graph();
  std::map<std::string, int32_t> types;
  for (const auto& input : graph.input()) types[input.name()] = type_of(input);
  bool all_fold = true;
  for (const auto& node : graph.node()) {
    const std::string& type = node.op_type();
    if (!node.domain().empty() || (!find_op(type) && !folds(type))) return "another operator";
    all_fold &= folds(type);
    if (find_op(type) || type == "Shape" || type == "Size") continue;
    for (const std::string& input : node.input()) {
      if (types[input] == TensorProto::FLOAT) return "shape arithmetic's operator, with floats";
    }
  }
  for (const auto& output : graph.output()) {
    const int32_t type = type_of(output);
    if (type != TensorProto::FLOAT && !(all_fold && is_whole(type))) return "not all output float";
  }
  return "";
}

/// Makes `output` the first, behind a concatenation with a new input: what is constant has a
/// network to stand in, bit for bit.
void add_probe(onnx::ModelProto& model, const onnx::ValueInfoProto& output) {
  auto& graph = *model.mutable_graph();
  const auto node = [&](const char* type, std::vector<std::string> inputs, const char* name) {
    auto& made = *graph.add_node();
    made.set_op_type(type);
    for (auto& input : inputs) made.add_input(std::move(input));
    made.add_output(name);
    return &made;
  };
  const auto attribute = [](onnx::NodeProto* of, const char* name, int64_t value) {
    auto& made = *of->add_attribute();
    made.set_name(name);
    made.set_type(onnx::AttributeProto::INT);
    made.set_i(value);
  };
  auto& shape = *graph.add_initializer();
  shape.set_name("probe_shape");
  shape.set_data_type(TensorProto::INT64);
  shape.add_dims(1);
  shape.add_int64_data(-1);
  auto& input = *graph.add_input();
  input.set_name("probe");
  auto& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_value(1);
  attribute(node("Cast", {output.name()}, "probe_float"), "to", TensorProto::FLOAT);
  node("Reshape", {"probe_float", "probe_shape"}, "probe_flat");
  attribute(node("Concat", {"probe_flat", "probe"}, "probe_all"), "axis", 0);
  graph.mutable_output(0)->set_name("probe_all");
}

/// Plain arrays, sample by sample.
std::vector<float> run_reference(const Graph& graph, const std::vector<float>& input) {
  std::vector<std::vector<float>> values(graph.tensors.size());
  values[static_cast<size_t>(graph.input)] = input;
  for (const Node& node : graph.nodes) {
    std::vector<const float*> operands;
    for (const int t : node.inputs) operands.push_back(values[static_cast<size_t>(t)].data());
    auto& out = values[static_cast<size_t>(node.output)];
    out.resize(static_cast<size_t>(node.op->size()));
    node.op->forward(operands, out.data());
  }
  return values[static_cast<size_t>(graph.logits)];
}

bool close(float got, float expected) {
  if (std::isnan(expected) || std::isinf(expected)) {
    return std::isnan(expected) ? std::isnan(got) : got == expected;
  }
  return std::fabs(got - expected) <= kAbsolute + kRelative * std::fabs(expected);
}

/// Runs `input` between two others of noise. Throws Error where the two ways differ in one bit.
std::vector<float> run_both(const Graph& graph, const std::vector<float>& input) {
  std::mt19937 noise(1);
  std::normal_distribution<float> normal;
  std::vector<float> inputs;
  for (const float x : input) inputs.push_back(x + normal(noise));
  inputs.insert(inputs.end(), input.begin(), input.end());
  for (const float x : input) inputs.push_back(x * normal(noise));
  const Golden golden(graph, inputs, 0);
  std::vector<float> result;
  for (int64_t sample = 0; sample < golden.count(); ++sample) {
    const auto x = golden.input(sample);
    const std::vector<float> plain = run_reference(graph, {x.begin(), x.end()});
    for (size_t e = 0; e < plain.size(); ++e) {
      const float lane = golden.value(graph.logits, static_cast<int64_t>(e), sample);
      if (std::memcmp(&lane, &plain[e], sizeof lane) != 0) {
        fail("lanes", "sample {} element {}: {} by lanes, {} plain", sample, e, lane, plain[e]);
      }
    }
    if (sample == 1) result = plain;
  }
  return result;
}

std::vector<float> as_floats(const Constant& constant) {
  if (constant.is_float) return constant.floats;
  return {constant.ints.begin(), constant.ints.end()};
}

struct Refused : Error {
  using Error::Error;
};

/// One output of a test; `open` is the graph input left open, -1 for none. Throws Refused where the
/// importer does, otherwise Error.
void check_output(const NodeTest& test, const fs::path& folder, int output, int open) {
  onnx::ModelProto model = test.model;
  auto& graph = *model.mutable_graph();
  ImportOptions options;
  options.strip_final = false;
  for (int i = 0; i < std::ssize(test.inputs); ++i) {
    if (i != open) options.bind[graph.input(i).name()] = test.inputs[static_cast<size_t>(i)];
  }
  graph.mutable_output()->SwapElements(0, output);
  if (open < 0) add_probe(model, onnx::ValueInfoProto(graph.output(0)));
  Graph network;
  try {
    network = import_onnx_bytes(model.SerializeAsString(), test.name, options);
  } catch (const Error& error) {
    throw Refused(error.what());
  }
  const ConstantPtr expected = read_data(folder, "output", output);
  std::vector<float> got;
  if (open < 0) {
    got = run_both(network, {1.0F});
    got.pop_back();
  } else {
    got = run_both(network, test.inputs[static_cast<size_t>(open)]->floats);
    const Shape& shape = network.tensor(network.logits).shape;
    if (shape != expected->shape) {
      fail(test.name, "got shape {}, expected {}", to_string(shape), to_string(expected->shape));
    }
  }
  const std::vector<float> wanted = as_floats(*expected);
  if (got.size() != wanted.size()) fail(test.name, "got {} elements", got.size());
  for (size_t e = 0; e < wanted.size(); ++e) {
    if (!close(got[e], wanted[e])) {
      fail(test.name, "output {} element {}: got {}, expected {}", output, e, got[e], wanted[e]);
    }
  }
}

/// The inputs that can be left open: float32, not empty.
std::vector<int> open_inputs(const NodeTest& test) {
  std::vector<int> open;
  for (int i = 0; i < std::ssize(test.inputs); ++i) {
    const Constant& input = *test.inputs[static_cast<size_t>(i)];
    if (input.is_float && !input.floats.empty()) open.push_back(i);
  }
  return open;
}

/// All outputs, with the first float input open. Throws Error. Each other one must give the same
/// where the importer takes it; returns how many it takes.
int check(NodeTest test, const fs::path& folder) {
  const auto& graph = test.model.graph();
  for (int i = 0; i < graph.input_size(); ++i) {
    test.inputs.push_back(read_data(folder, "input", i));
  }
  std::vector<int> open = open_inputs(test);
  if (open.empty() || type_of(graph.output(0)) != TensorProto::FLOAT) open = {-1};
  int others = 0;
  for (const int input : open) {
    try {
      for (int output = 0; output < graph.output_size(); ++output) {
        check_output(test, folder, output, input);
      }
      others += input != open[0];
    } catch (const Refused&) {
      if (input == open[0]) throw;
    }
  }
  return others;
}

TEST(Conformance, NodeTests) {
  const fs::path root = VIGOR_ONNX_NODE_TESTS;
  if (!fs::is_directory(root)) {
    GTEST_SKIP() << "ONNX's node tests are missing: install libonnx-testdata, configure again";
  }
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) folders.push_back(entry.path());
  std::ranges::sort(folders);
  std::map<std::string, int> skipped;
  int ran = 0;
  int floats = 0;
  int passed = 0;
  int left_out = 0;
  int others = 0;
  for (const fs::path& folder : folders) {
    NodeTest test{folder.filename(), read_proto<onnx::ModelProto>(folder / "model.onnx"), {}};
    if (const std::string why = out_of_scope(test.model); !why.empty()) {
      ++skipped[why];
      continue;
    }
    ++ran;
    floats += type_of(test.model.graph().output(0)) == TensorProto::FLOAT;
    auto& opset = *test.model.mutable_opset_import(0);
    opset.set_version(std::max<int64_t>(opset.version(), kOldestOpset));
    const bool expected = !kLeftOut.contains(test.name);
    std::string error;
    try {
      others += check(test, folder);
    } catch (const Error& caught) {
      error = caught.what();
    }
    if (error.empty()) ++passed;
    left_out += !expected;
    EXPECT_EQ(error.empty(), expected) << test.name << ": " << error;
  }
  fmt::print("{} node tests: {} ran ({} with float output), {} passed, {} left out\n",
             folders.size(), ran, floats, passed, left_out);
  fmt::print("  passed again with another input open: {}\n", others);
  for (const auto& [name, why] : kLeftOut) fmt::print("  left out: {}: {}\n", name, why);
  for (const auto& [why, count] : skipped) fmt::print("  not run: {}: {}\n", why, count);
  EXPECT_EQ(left_out, std::ssize(kLeftOut));
}

}  // namespace
}  // namespace vigor
