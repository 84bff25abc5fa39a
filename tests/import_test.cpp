#include <gmock/gmock.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "error.h"
#include "hash.h"
#include "onnx_import.h"
#include "printable.h"

namespace vigor {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A model in ONNX's text form: "(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }".
onnx::ModelProto model(const std::string& graph, int opset = 13, int ir_version = 7) {
  onnx::ModelProto proto;
  const std::string text =
      fmt::format("<ir_version: {}, opset_import: [\"\" : {}]> g {}", ir_version, opset, graph);
  const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
  return proto;
}

Graph import(const onnx::ModelProto& proto, const ImportOptions& options = {}) {
  return import_onnx_bytes(proto.SerializeAsString(), "m.onnx", options);
}

Graph import(const std::string& graph, int opset = 13) { return import(model(graph, opset)); }

template <typename Import>
std::string failure(Import import) {
  try {
    import();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

std::string error_of(const onnx::ModelProto& proto) {
  return failure([&] { import(proto); });
}
std::string error_of(const std::string& graph, int opset = 13) {
  return error_of(model(graph, opset));
}

std::vector<std::string> types(const Graph& graph) {
  std::vector<std::string> result;
  for (const Node& node : graph.nodes) result.push_back(node.type);
  return result;
}

const Shape& logits_shape(const Graph& graph) { return graph.tensor(graph.logits).shape; }

class Folder : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_ / "models"); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  static std::string file_error(const fs::path& file) {
    return failure([&] { import_onnx(file); });
  }

  const fs::path folder_ =
      fs::temp_directory_path() /
      fmt::format("vigor_{}_{}", getpid(),
                  testing::UnitTest::GetInstance()->current_test_info()->name());
};

using ImportFile = Folder;
using ExternalData = Folder;

const char* const kSmall = "(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) }";

TEST_F(ImportFile, ReadsAndHashes) {
  const std::string bytes = model(kSmall).SerializeAsString();
  const Graph graph = import_onnx(write("a.onnx", bytes));
  EXPECT_EQ(graph.file, "a.onnx");
  EXPECT_EQ(graph.sha256, sha256(bytes));
  EXPECT_EQ(graph.opset, 13);
  EXPECT_EQ(graph.classes(), 4);
  EXPECT_THAT(types(graph), ElementsAre("Relu"));
  EXPECT_EQ(graph.node(0).name, "Relu_0");
}

TEST_F(ImportFile, RefusesWhatIsNoModel) {
  const std::string bytes = model(kSmall).SerializeAsString();
  EXPECT_THAT(file_error(folder_ / "none.onnx"), HasSubstr("none.onnx] no such file"));
  EXPECT_THAT(file_error(folder_), HasSubstr("is a directory"));
  EXPECT_THAT(file_error(write("empty.onnx", "")), HasSubstr("is empty"));
  EXPECT_THAT(file_error(write("cut.onnx", bytes.substr(0, bytes.size() / 2))),
              HasSubstr("is truncated or not an ONNX model"));
  EXPECT_THAT(file_error(write("png.onnx", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR")),
              HasSubstr("not an ONNX model"));
  onnx::ModelProto without = model(kSmall);
  without.clear_graph();
  EXPECT_THAT(file_error(write("none.onnx", without.SerializeAsString())), HasSubstr("no graph"));
}

TEST_F(ImportFile, NeverCrashesOnDamagedFiles) {
  const std::string bytes = model(
                                "(float[N, 2, 2] x) => (float[N, 4] y) { s = Shape(x) z = "
                                "Constant<value = int64[1] {0}>()"
                                " n = Gather<axis = 0>(s, z) m = Constant<value = int64[1] {-1}>()"
                                " t = Concat<axis = 0>(n, m) r = Reshape(x, t) y = Relu(r) }")
                                .SerializeAsString();
  for (size_t at = 0; at < bytes.size(); ++at) {
    failure([&] { import_onnx_bytes(bytes.substr(0, at), "m"); });
    for (const unsigned flip : {1U, 0x10U, 0x80U, 0xffU}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      failure([&] { import_onnx_bytes(damaged, "m"); });
    }
  }
}

TEST(Import, SetsTheBatchToOne) {
  for (const char* batch : {"N", "1", "5"}) {
    const Graph graph =
        import(fmt::format("(float[{0}, 3, 2] x) => (float[{0}, 6] y) <int64[2] s = {{{1}, 6}}>"
                           "{{ y = Reshape(x, s) }}",
                           batch, *batch == 'N' ? "-1" : batch));
    EXPECT_EQ(graph.tensor(graph.input).shape, (Shape{1, 3, 2})) << batch;
    EXPECT_EQ(logits_shape(graph), (Shape{1, 6})) << batch;
  }
}

TEST(Import, TakesTheNetworkAsItIs) {
  const auto proto = model("(float[3, 2] x) => (float[3, 2] y) { y = Relu(x) }");
  const Graph graph = import(proto, {.strip_final = false, .bind = {}});
  EXPECT_EQ(logits_shape(graph), (Shape{3, 2}));
}

TEST(Import, RefusesOpenDimensions) {
  EXPECT_THAT(error_of("(float[N, 3, H] x) => (float[N, 3, H] y) { y = Relu(x) }"),
              HasSubstr("input x] dimension 2 (H) is not fixed"));
  EXPECT_THAT(error_of("(float[N] x) => (float[N] y) { y = Relu(x) }"), HasSubstr("got rank 1"));
  EXPECT_THAT(error_of("(float x) => (float y) { y = Relu(x) }"), HasSubstr("input x] "));
  EXPECT_THAT(error_of("(uint8[N, 3] x) => (float[N, 3] y) { y = Relu(x) }"),
              HasSubstr("got uint8, expected float32"));
}

TEST(Import, FoldsThePyTorchFlatten) {
  const Graph graph = import(
      "(float[N, 2, 3] x) => (float[N, 6] y) { a = Relu(x) s = Shape(a)"
      " z = Constant<value = int64 {0}>() n = Gather<axis = 0>(s, z)"
      " m = Constant<value = int64 {-1}>() n1 = Unsqueeze<axes = [0]>(n)"
      " m1 = Unsqueeze<axes = [0]>(m) t = Concat<axis = 0>(n1, m1) y = Reshape(a, t) }",
      11);
  EXPECT_THAT(types(graph), ElementsAre("Relu", "Reshape"));
  EXPECT_EQ(logits_shape(graph), (Shape{1, 6}));
  EXPECT_EQ(graph.tensor(graph.logits).storage, graph.node(0).output);
}

/// The folded value of `t` in "...; t = ..." shows as the shape that x is brought to.
Shape folded(const std::string& nodes, int opset = 13, const std::string& constants = "") {
  const auto proto = model(
      fmt::format("(float[2, 3, 4] x) => (float[A] y) {} {{ s = Shape(x) {} y = Reshape(x, t) }}",
                  constants, nodes),
      opset);
  return logits_shape(import(proto, {.strip_final = false, .bind = {}}));
}

TEST(Import, FoldsShapeArithmetic) {
  EXPECT_EQ(folded("a = Constant<value = int64[3] {2, 0, 1}>() t = Gather<axis = 0>(s, a)"),
            (Shape{4, 2, 3}));
  EXPECT_EQ(folded("t = Slice(s, a, b, z, c)", 13,
                   "<int64[1] a = {-1}, int64[1] b = {-9}, int64[1] z = {0}, int64[1] c = {-1}>"),
            (Shape{4, 3, 2}));
  EXPECT_EQ(folded("a = Slice<starts = [0], ends = [1]>(s) b = Slice<starts = [1], ends = [99]>(s)"
                   " c = ReduceProd<keepdims = 1>(b) t = Concat<axis = 0>(a, c)",
                   9),
            (Shape{2, 12}));
  EXPECT_EQ(folded("n = Size(x) u = Unsqueeze(n, z) t = Div(u, two) ", 13,
                   "<int64[1] z = {0}, int64[1] two = {1}>"),
            (Shape{24}));
  EXPECT_EQ(folded("e = Equal(s, three) t = Where(e, m, s)", 13,
                   "<int64 three = {3}, int64[1] m = {-1}>"),
            (Shape{2, 3, 4}));
  EXPECT_EQ(folded("f = Cast<to = 1>(s) g = Floor(f) t = Cast<to = 7>(g)"), (Shape{2, 3, 4}));
  EXPECT_EQ(
      folded("a = Range(one, three, one) b = Mul(a, a) c = Add(b, b)"
             " d = Sub(c, one) e = ConstantOfShape<value = int64[1] {24}>(o)"
             " q = Squeeze(e, z) w = Unsqueeze(q, z) f = Transpose(w) g = Concat<axis = 0>(f, d)"
             " t = Slice(g, z, o)",
             13, "<int64 one = {1}, int64 three = {3}, int64[1] o = {1}, int64[1] z = {0}>"),
      (Shape{24}));
}

TEST(Import, FailsOnBadShapeArithmetic) {
  const auto error = [](const std::string& nodes) {
    return error_of(
        fmt::format("(float[N, 4] x) => (float[N, 4] y) <int64 big = {{9223372036854775807}},"
                    "int64 zero = {{0}}, int64[1] huge = {{1099511627776}}>"
                    "{{ s = Shape(x) {} y = Reshape(x, t) }}",
                    nodes));
  };
  EXPECT_THAT(error("t = Mul(s, big)"), HasSubstr("node Mul_1 (Mul): integer overflow"));
  EXPECT_THAT(error("t = Div(s, zero)"), HasSubstr("division"));
  EXPECT_THAT(error("t = Gather<axis = 0>(s, big)"), HasSubstr("index out of 2"));
  EXPECT_THAT(error("a = ConstantOfShape(huge) t = Cast<to = 7>(a)"), HasSubstr("2^24"));
  EXPECT_THAT(error("t = Range(zero, big, zero)"), HasSubstr("step of 0"));
}

TEST(Import, StripsTheFinalLayer) {
  for (const char* end :
       {"y = Softmax<axis = 1>(a)", "y = LogSoftmax(a)", "b = Softmax(a) y = Identity(b)",
        "b = Softmax(a) y = Reshape(b, s)", "b = Softmax(a) y = ArgMax<axis = 1>(b)"}) {
    const Graph graph =
        import(fmt::format("(float[N, 4] x) => (float[N, 4] y) <int64[2] s = {{-1, 4}}>"
                           "{{ a = Relu(x) {} }}",
                           end));
    EXPECT_THAT(types(graph), ElementsAre("Relu")) << end;
    EXPECT_EQ(graph.tensor(graph.logits).name, "a") << end;
  }
}

TEST(Import, AcceptsOutputsOfTheSameLogits) {
  EXPECT_EQ(
      import("(float[N, 4] x) => (float[N, 4] a, float[N, 4] y) { a = Relu(x) y = Softmax(a) }")
          .classes(),
      4);
  EXPECT_THAT(
      error_of("(float[N, 4] x) => (float[N, 4] a, float[N, 4] y) { a = Relu(x) y = Relu(a) }"),
      HasSubstr("got 2 outputs (a, y)"));
}

TEST(Import, RefusesWhatIsNoClassifier) {
  EXPECT_THAT(error_of("(float[N, 1] x) => (float[N, 1] y) { y = Relu(x) }"),
              HasSubstr("one class"));
  EXPECT_THAT(error_of("(float[N, 4, 2, 2] x) => (float[N, 4, 2, 2] y) { y = Relu(x) }"),
              HasSubstr("segmentation"));
  EXPECT_THAT(
      error_of("(float[N, 4] x) => (float[N, 4] y) { a = Relu(x) y = Softmax<axis = 0>(a) }"),
      HasSubstr("not taken over the classes"));
  EXPECT_EQ(import("(float[N, 4, 1, 1] x) => (float[N, 4, 1, 1] y) { y = Relu(x) }").classes(), 4);
}

TEST(Import, ListsAllThatIsUnsupported) {
  onnx::ModelProto proto = model(
      "(float[N, 4] x) => (float[N, 4] y) { a = Det(x) b = Relu(a) c = NonZero(x) d = Relu(b)"
      " y = Concat<axis = 1>(d, c) }");
  proto.mutable_graph()->mutable_node(0)->set_name("first\n\x1b[31m");
  EXPECT_EQ(
      error_of(proto),
      "[m.onnx] node first??[31m (Det): not supported; node NonZero_2 (NonZero): not supported");
}

TEST(Import, BoundsItsMemory) {
  const auto error = [](const std::string& extents, const std::string& nodes) {
    return error_of("(float[N, " + extents + "] x) => (float[N, C] y) { " + nodes + " }");
  };
  EXPECT_THAT(error("4, 100000, 1000", "y = Flatten(x)"),
              HasSubstr("1x4x100000x1000 is too large"));
  EXPECT_THAT(error("1, 8000, 1",
                    "t = Transpose<perm = [0, 1, 3, 2]>(x) a = Add(x, t)"
                    " y = Flatten(a)"),
              HasSubstr("Add_1 (Add): output 1x1x8000x8000 is too large"));
  EXPECT_THAT(error("1, 9000, 9",
                    "a = MaxPool<kernel_shape = [9000, 1], pads = [8999, 0, 8999, 0]>"
                    "(x) y = Flatten(a)"),
              HasSubstr("MaxPool_0 (MaxPool): its windows cover too much"));
  ImportOptions options;
  options.most_elements = 10;
  const onnx::ModelProto proto =
      model("(float[N, 4] x) => (float[N, 4] y) { a = Relu(x) b = Relu(a) y = Relu(b) }");
  EXPECT_THAT(failure([&] { import(proto, options); }), HasSubstr("Relu_2 (Relu): more than 10"));
}

TEST(Import, IgnoresWhatDoesNotLeadToTheLogits) {
  EXPECT_THAT(types(import("(float[N, 4] x) => (float[N, 4] y) { a = Det(x) y = Relu(x) }")),
              ElementsAre("Relu"));
  // A node of which the shape alone is used.
  EXPECT_THAT(types(import("(float[N, 4] x) => (float[N, 4] y) { a = Relu(x) s = Shape(a)"
                           " y = Reshape(x, s) }")),
              ElementsAre("Reshape"));
}

TEST(Import, RefusesOpsets) {
  EXPECT_THAT(error_of(kSmall, 6), HasSubstr("got opset 6, expected 7 to 17"));
  EXPECT_THAT(error_of(kSmall, 18), HasSubstr("got opset 18"));
  onnx::ModelProto proto = model(kSmall);
  proto.mutable_graph()->mutable_node(0)->set_domain("com.microsoft");
  EXPECT_THAT(error_of(proto), HasSubstr("operators of domain com.microsoft"));
}

TEST(Import, RefusesUnknownAndDuplicateNames) {
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = Relu(z) }"),
              HasSubstr("takes tensor z, which nothing before it makes"));
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = Add(x, a) a = Relu(y) }"),
              HasSubstr("takes tensor a"));
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x) y = Relu(x) }"),
              HasSubstr("tensor y is given twice"));
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] z) { y = Relu(x) }"),
              HasSubstr("nothing makes the output z"));
}

TEST(Import, RefusesAttributesAndInputsThatTheSchemaDoesNotKnow) {
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = Relu<alpha = 1.0>(x) }"),
              HasSubstr("node Relu_0 (Relu): "));
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = Relu(x, x) }"),
              HasSubstr("node Relu_0 (Relu): "));
}

TEST(Import, RefusesNonFloatWeightsAndNaN) {
  onnx::ModelProto proto =
      model("(float[N, 2] x) => (float[N, 2] y) <float[2] w = {1, 2}> { y = PRelu(x, w) }");
  auto* tensor = proto.mutable_graph()->mutable_initializer(0);
  tensor->set_float_data(1, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(error_of(proto), HasSubstr("tensor w: holds NaN"));
  tensor->clear_float_data();
  tensor->set_data_type(onnx::TensorProto::FLOAT16);
  tensor->set_raw_data("1234");
  EXPECT_THAT(error_of(proto), HasSubstr("tensor w: got float16, expected float32"));
  tensor->set_data_type(onnx::TensorProto::DOUBLE);
  EXPECT_THAT(error_of(proto), HasSubstr("tensor w: got double"));
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  EXPECT_THAT(error_of(proto), HasSubstr("tensor w: got 4 bytes, expected 8 by its shape"));
  tensor->set_dims(0, -1);
  EXPECT_THAT(error_of(proto), HasSubstr("tensor w: "));
}

TEST(Import, RefusesInfiniteWeights) {
  onnx::ModelProto proto = model(
      "(float[N, 2] x) => (float[N, 2] y) <float[2, 2] w = {1, 2, 3, 4}> { y = MatMul(x, w) }");
  proto.mutable_graph()->mutable_initializer(0)->set_float_data(
      1, std::numeric_limits<float>::infinity());
  EXPECT_THAT(error_of(proto), testing::AnyOf(HasSubstr("tensor w holds infinity"),
                                              HasSubstr("(MatMul): not supported")));
}

TEST(Import, RefusesOtherKindsOfModel) {
  onnx::ModelProto proto = model(kSmall);
  proto.add_functions()->set_name("f");
  EXPECT_THAT(error_of(proto), HasSubstr("function f"));
  proto = model(kSmall);
  proto.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("sp");
  EXPECT_THAT(error_of(proto), HasSubstr("initializer sp: sparse"));
  proto = model("(float[N, 4] x, float[N, 4] z) => (float[N, 4] y) { y = PRelu(x, z) }");
  EXPECT_THAT(error_of(proto), HasSubstr("got 2 inputs (x, z), expected one"));
  EXPECT_THAT(error_of("(float[N, 4] x) => (float[N, 4] y) { y = If(x) }"), HasSubstr("(If): "));
  EXPECT_THAT(error_of("(float[N, 4] x) => (int64[2] y) { y = Shape(x) }"),
              HasSubstr("does not depend on the input"));
}

TEST(Import, InitializersMayBeListedAsInputs) {
  const char* const old =
      "(float[N, 2, 2] x, int64[2] s) => (float[N, 4] y) <int64[2] s = {-1, 4}> { y = Reshape(x, "
      "s) }";
  EXPECT_EQ(import(model(old, 9, 3)).classes(), 4);
  EXPECT_EQ(import(model(old, 9, 4)).classes(), 4);
}

TEST(Import, BindsInputsAsConstants) {
  const auto proto = model("(float[2, 2] x, int64[1] s) => (float[4] y) { y = Reshape(x, s) }");
  auto shape = std::make_shared<Constant>(Constant{{1}, false, {}, {4}});
  const Graph graph = import(proto, {.strip_final = false, .bind = {{"s", shape}}});
  EXPECT_EQ(logits_shape(graph), (Shape{4}));
  EXPECT_THAT(failure([&] {
                import(proto, {.strip_final = true, .bind = { { "t", shape } }});
              }),
              HasSubstr("no input t to bind"));
}

TEST(Import, ConstantFloatsAreComputed) {
  // Relu of a constant is a constant: nothing is left that depends on x.
  EXPECT_THAT(error_of("(float[N, 2] x) => (float[2] y) <float[2] w = {1, 2}>"
                       "{ a = Relu(w) s = Shape(a) y = Reshape(x, s) }"),
              "no error");
}

TEST(Import, NodeNamesAreUnique) {
  onnx::ModelProto proto = model("(float[N, 4] x) => (float[N, 4] y) { a = Relu(x) y = Relu(a) }");
  for (auto& node : *proto.mutable_graph()->mutable_node()) node.set_name("same");
  const Graph graph = import(proto);
  EXPECT_EQ(graph.node(0).name, "same");
  EXPECT_NE(graph.node(1).name, "same");
}

TEST_F(ExternalData, StaysInsideTheFolder) {
  onnx::ModelProto proto =
      model("(float[N, 2, 2] x) => (float[N, 4] y) <int64[2] s = {1, 4}> { y = Reshape(x, s) }");
  auto* tensor = proto.mutable_graph()->mutable_initializer(0);
  tensor->clear_int64_data();
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = tensor->add_external_data();
  location->set_key("location");
  auto* offset = tensor->add_external_data();
  offset->set_key("offset");
  offset->set_value("4");
  const int64_t shape[] = {1, 4};
  const std::string data = "skip" + std::string(reinterpret_cast<const char*>(shape), sizeof shape);
  write("models/s.bin", data);
  write("outside.bin", data);
  fs::create_symlink(folder_ / "outside.bin", folder_ / "models/link.bin");
  const auto from = [&](const std::string& place, const std::string& at) {
    location->set_value(place);
    offset->set_value(at);
    return file_error(write("models/m.onnx", proto.SerializeAsString()));
  };
  EXPECT_EQ(from("s.bin", "4"), "no error");
  EXPECT_EQ(from("./s.bin", "4"), "no error");
  EXPECT_THAT(from("s.bin", "5"), HasSubstr("expected 16 by its shape"));
  EXPECT_THAT(from("s.bin", "-4"), HasSubstr("expected a number"));
  EXPECT_THAT(from("s.bin", "99999999999999999999"), HasSubstr("expected a number"));
  EXPECT_THAT(from("none.bin", "4"), HasSubstr("no such file"));
  EXPECT_THAT(from(".", "4"), HasSubstr("not a file"));
  EXPECT_THAT(from("../outside.bin", "4"), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(from("link.bin", "4"), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(from((folder_ / "models/s.bin").string(), "4"),
              HasSubstr("expected a relative path"));
  EXPECT_THAT(error_of(proto), HasSubstr("no folder"));
}

TEST_F(ImportFile, HashCoversDataInOtherFiles) {
  auto proto =
      model("(float[N, 2, 2] x) => (float[N, 4] y) <int64[2] s = {1, 4}> { y = Reshape(x, s) }");
  const std::string plain = proto.SerializeAsString();
  const Graph inside = import_onnx(write("models/m.onnx", plain));
  EXPECT_EQ(inside.sha256, sha256(plain));
  EXPECT_EQ(inside.file_sha256, inside.sha256);

  auto* tensor = proto.mutable_graph()->mutable_initializer(0);
  tensor->clear_int64_data();
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = tensor->add_external_data();
  location->set_key("location");
  location->set_value("s.bin");
  const std::string bytes = proto.SerializeAsString();
  const auto with_shape = [&](int64_t first, int64_t second) {
    const int64_t shape[] = {first, second};
    write("models/s.bin", {reinterpret_cast<const char*>(shape), sizeof shape});
    return import_onnx(write("models/m.onnx", bytes));
  };
  const Graph one = with_shape(1, 4), other = with_shape(-1, 4);
  EXPECT_EQ(one.file_sha256, sha256(bytes));
  EXPECT_EQ(other.file_sha256, one.file_sha256);
  EXPECT_NE(one.sha256, one.file_sha256);
  EXPECT_NE(other.sha256, one.sha256);
  EXPECT_EQ(one.weight_files, std::vector{fs::canonical(folder_ / "models/s.bin")});
  EXPECT_TRUE(inside.weight_files.empty());
  EXPECT_EQ(with_shape(1, 4).sha256, one.sha256);
}

// A pipe can be read once.
TEST_F(ImportFile, HashOfAPipe) {
  const std::string bytes =
      model("(float[N, 2, 2] x) => (float[N, 4] y) <int64[2] s = {1, 4}> { y = Reshape(x, s) }")
          .SerializeAsString();
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << bytes; });
  const Graph graph = import_onnx(pipe);
  writer.join();
  EXPECT_EQ(graph.sha256, sha256(bytes));
}

TEST(Printable, KeepsTextAndReplacesTheRest) {
  EXPECT_EQ(printable("conv1/\xc3\xa9 \xe2\x82\xac"), "conv1/\xc3\xa9 \xe2\x82\xac");
  EXPECT_EQ(printable("a\nb\x1b\xff\xc3"), "a?b???");
  EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80\xe2\x80\xae"), "????????");
  EXPECT_EQ(printable(std::string(300, 'x')), std::string(197, 'x') + "...");
  EXPECT_EQ(one_line(std::string(300, 'x') + "\n"), std::string(300, 'x') + "?");
}

TEST(Hash, Sha256) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace vigor
