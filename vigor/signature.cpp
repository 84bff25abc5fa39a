#include "signature.h"

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "hash.h"
#include "onnx_import.h"
#include "random.h"

namespace vigor {

namespace {

constexpr int64_t kInputs = 80;  // a whole golden block and a part of one
constexpr int64_t kExtent = 10;
constexpr int64_t kChannels = 2;

// From -scale to scale, a multiple of 2^-10 of it: the same on every machine.
float draw(const Philox& random, uint64_t index, float scale) {
  return scale * static_cast<float>(static_cast<int64_t>(random.below(2048, index)) - 1024) / 1024;
}

class ModelBuilder {
 public:
  ModelBuilder() {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(13);
    auto* input = graph().add_input();
    input->set_name("x");
    auto* type = input->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (const int64_t extent : {int64_t{1}, kChannels, kExtent, kExtent}) {
      type->mutable_shape()->add_dim()->set_dim_value(extent);
    }
    graph().set_name("signature");
  }

  onnx::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs) {
    auto* node = graph().add_node();
    node->set_op_type(type);
    node->set_name(type + std::to_string(graph().node_size()));
    for (const auto& input : inputs) node->add_input(input);
    last_ = node->name() + "_out";
    node->add_output(last_);
    return *node;
  }
  const std::string& last() const { return last_; }

  std::string constant(const std::vector<int64_t>& dims, float scale, float offset = 0) {
    auto* tensor = graph().add_initializer();
    tensor->set_name("c" + std::to_string(graph().initializer_size()));
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    int64_t size = 1;
    for (const int64_t dim : dims) {
      tensor->add_dims(dim);
      size *= dim;
    }
    for (int64_t i = 0; i < size; ++i) {
      tensor->add_float_data(offset + draw(random_, next_++, scale));
    }
    return tensor->name();
  }

  static void ints(onnx::NodeProto& node, const char* name, const std::vector<int64_t>& values) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
  }

  std::string finish() {
    graph().add_output()->set_name(last_);
    return model_.SerializeAsString();
  }

 private:
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  onnx::ModelProto model_;
  Philox random_{1};
  uint64_t next_ = 0;
  std::string last_;
};

Graph fixed_network() {
  ModelBuilder m;
  auto& conv = m.node("Conv", {"x", m.constant({6, 2, 3, 3}, 0.5F), m.constant({6}, 0.1F)});
  ModelBuilder::ints(conv, "pads", {1, 1, 1, 1});
  m.node("BatchNormalization", {m.last(), m.constant({6}, 1), m.constant({6}, 0.2F),
                                m.constant({6}, 0.2F), m.constant({6}, 0.3F, 1)});
  m.node("Relu", {m.last()});
  auto& pool = m.node("MaxPool", {m.last()});
  ModelBuilder::ints(pool, "kernel_shape", {2, 2});
  ModelBuilder::ints(pool, "strides", {2, 2});
  const std::string pooled = m.last();
  auto& second = m.node("Conv", {pooled, m.constant({6, 6, 3, 3}, 0.3F), m.constant({6}, 0.1F)});
  ModelBuilder::ints(second, "pads", {1, 1, 1, 1});
  m.node("Add", {m.last(), pooled});
  m.node("LeakyRelu", {m.last()});
  auto& average = m.node("AveragePool", {m.last()});
  ModelBuilder::ints(average, "kernel_shape", {2, 2});
  m.node("Flatten", {m.last()});
  m.node("Gemm", {m.last(), m.constant({96, 20}, 0.2F), m.constant({20}, 0.1F)});
  m.node("Relu", {m.last()});
  m.node("Gemm", {m.last(), m.constant({20, 10}, 0.4F), m.constant({10}, 0.1F)});
  return import_onnx_bytes(m.finish(), "signature");
}

// A numpy file while it is needed.
class FixedInputs {
 public:
  FixedInputs() {
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                         std::to_string(kInputs) + ", 2, 10, 10), }";
    header.resize(117, ' ');
    header += '\n';
    std::ofstream file(path_, std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header;
    const Philox random(2);
    for (int64_t i = 0; i < kInputs * kChannels * kExtent * kExtent; ++i) {
      const float value = draw(random, static_cast<uint64_t>(i), 1);
      file.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
    if (!file.flush()) fail(path_.string(), "cannot be written");
  }
  ~FixedInputs() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  FixedInputs(const FixedInputs&) = delete;
  FixedInputs& operator=(const FixedInputs&) = delete;

  Dataset open() const {
    DataOptions options;
    options.spec = "npy:" + path_.string();
    return Dataset::open(options);
  }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("vigor-signature-" + std::to_string(getpid()) + ".npy");
};

template <typename T>
void add(Sha256& hash, const std::vector<T>& values) {
  hash.add({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

uint64_t signature(AnalyzeOptions options) {
  options.sites = "all";
  options.keep_thresholds = true;
  options.audit = 0.01;
  const Graph graph = fixed_network();
  const Run run = analyze(graph, FixedInputs().open(), options);
  Sha256 hash;
  for (const SiteResult& site : run.sites) {
    const SiteTally& t = site.tally;
    add(hash, site.thresholds);
    add(hash, site.far_class);
    for (const auto* v : {&t.nonvulnerable, &t.vulnerable, &t.vulnerable_finite}) add(hash, *v);
    for (const auto* v :
         {&t.finite, &t.critical, &t.critical_nan, &t.critical_beyond, &t.critical_low,
          &t.critical_high, &t.contradictions, &t.probes, &t.overflow, &t.histogram}) {
      add(hash, *v);
    }
    add(hash, std::vector<int64_t>{t.audited, t.disagreements, t.macs});
  }
  return std::stoull(hash.hex().substr(0, 16), nullptr, 16);
}

}  // namespace vigor
