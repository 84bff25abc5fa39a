#include "onnx_import.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <unordered_map>
#include <unordered_set>

#include "final_layer.h"
#include "fold.h"
#include "hash.h"
#include "hashed_stream.h"
#include "onnx_tensor.h"
#include "ops/constant.h"
#include "ops/index.h"
#include "ops/table.h"
#include "printable.h"
#include "prune.h"

namespace vigor {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kOldestOpset = 7;
constexpr int64_t kNewestOpset = 17;
constexpr size_t kMostProblems = 30;

/// What a tensor name stands for while the nodes are walked.
struct Value {
  ConstantPtr constant;
  int tensor = -1;  // of the graph; a constant has one once an operator takes it at run time
};

class Importer {
 public:
  Importer(std::string file, onnx::ModelProto& model, std::string sha256, fs::path folder,
           const ImportOptions& options)
      : file_(std::move(file)),
        sha256_(std::move(sha256)),
        model_(model),
        proto_(*model.mutable_graph()),
        outside_{std::move(folder), {}, {}},
        options_(options) {}

  Graph run() {
    check_model();
    check_names();
    const FinalLayer final =
        options_.strip_final ? strip_final_layer(file_, proto_) : FinalLayer{first_output(), {}};
    find_needed(final.logits);
    read_initializers();
    read_inputs();
    for (int n = 0; n < proto_.node_size(); ++n) {
      if (node_needed_[static_cast<size_t>(n)]) import_node(n);
    }
    if (!problems_.empty()) report();
    const Value& logits = values_.at(final.logits);
    if (logits.tensor < 0) fail(file_, "the output does not depend on the input");
    graph_.logits = logits.tensor;
    if (options_.strip_final) check_classifier(file_, graph_, final);
    graph_.file_sha256 = sha256_;
    graph_.sha256 = outside_.files.empty() ? sha256_ : sha256(sha256_ + outside_.hash.hex());
    graph_.weight_files = std::move(outside_.files);
    return pruned(graph_);
  }

 private:
  void check_model();
  void check_names();
  std::string first_output() const;
  void find_needed(const std::string& logits);
  void read_initializers();
  void read_inputs();
  void read_input(const onnx::ValueInfoProto& input);
  void import_node(int index);
  void import_output(onnx::NodeProto& node, int output, const std::string& where,
                     const std::map<std::string, Attribute>& attributes);
  std::vector<NodeInput> node_inputs(const onnx::NodeProto& node) const;
  ConstantPtr unbatched(const Shape& from, const ConstantPtr& shape) const;
  static void check_known(const onnx::NodeProto& node, const std::string& where);
  void check_node(const onnx::NodeProto& node, const std::string& where) const;
  void add_node(const onnx::NodeProto& node, const NodeView& view, std::shared_ptr<const Op> op,
                const std::string& output);
  int operand(const std::string& name);
  ConstantPtr computed(const NodeView& view, const Op& op, const onnx::NodeProto& node) const;
  void release_inputs(const onnx::NodeProto& node);
  std::string unique_name(const std::string& wanted);
  void add_problem(const std::string& what, const std::string& where, const std::string& message);
  [[noreturn]] void report() const;

  const std::string file_, sha256_;
  onnx::ModelProto& model_;
  onnx::GraphProto& proto_;
  ExternalData outside_;
  const ImportOptions& options_;
  Graph graph_;
  int64_t batch_ = 1;  // as the file fixes it
  int64_t elements_ = 0;
  std::unordered_map<std::string, Value> values_;
  std::unordered_map<std::string, int> uses_;  // by needed nodes still to come, and as the logits
  std::unordered_set<std::string> failed_;     // names without value, for a reason already given
  std::unordered_set<std::string> node_names_;
  std::vector<bool> node_needed_;
  std::vector<std::string> problems_;
};

void Importer::check_model() {
  for (const auto& opset : model_.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") graph_.opset = opset.version();
  }
  if (graph_.opset < kOldestOpset || graph_.opset > kNewestOpset) {
    fail(file_, "got opset {}, expected {} to {}", graph_.opset, kOldestOpset, kNewestOpset);
  }
  if (model_.functions_size() > 0) {
    fail(file_, "function {}: functions are not supported", printable(model_.functions(0).name()));
  }
  if (proto_.sparse_initializer_size() > 0) {
    fail(file_, "initializer {}: sparse tensors are not supported",
         printable(proto_.sparse_initializer(0).values().name()));
  }
  if (proto_.output_size() == 0) fail(file_, "the graph has no output");
  graph_.file = file_;
}

/// Every name is given once, and before it is used.
void Importer::check_names() {
  std::unordered_set<std::string> known;
  for (const auto& input : proto_.input()) {
    if (!known.insert(input.name()).second) {
      fail(file_, "tensor {} is given twice", printable(input.name()));
    }
  }
  for (const auto& [name, value] : options_.bind) {
    if (!known.contains(name)) fail(file_, "no input {} to bind", printable(name));
  }
  std::unordered_set<std::string> initializers;
  for (const auto& tensor : proto_.initializer()) {
    if (!initializers.insert(tensor.name()).second) {
      fail(file_, "tensor {} is given twice", printable(tensor.name()));
    }
  }
  known.merge(initializers);
  for (int n = 0; n < proto_.node_size(); ++n) {
    const auto& node = proto_.node(n);
    for (const std::string& name : node.input()) {
      if (!name.empty() && !known.contains(name)) {
        fail(file_, "node {} ({}) takes tensor {}, which nothing before it makes",
             node.name().empty() ? std::to_string(n) : printable(node.name()),
             printable(node.op_type()), printable(name));
      }
    }
    for (const std::string& name : node.output()) {
      if (!name.empty() && !known.insert(name).second) {
        fail(file_, "tensor {} is given twice", printable(name));
      }
    }
  }
  for (const auto& output : proto_.output()) {
    if (!known.contains(output.name())) {
      fail(file_, "nothing makes the output {}", printable(output.name()));
    }
  }
}

std::string Importer::first_output() const { return proto_.output(0).name(); }

/// Only nodes that lead to the logits are imported; counts how often each of their inputs is used.
void Importer::find_needed(const std::string& logits) {
  uses_[logits] = 1;
  node_needed_.assign(static_cast<size_t>(proto_.node_size()), false);
  for (int n = proto_.node_size() - 1; n >= 0; --n) {
    const auto& node = proto_.node(n);
    const bool needed = std::ranges::any_of(
        node.output(), [&](const auto& name) { return !name.empty() && uses_.contains(name); });
    node_needed_[static_cast<size_t>(n)] = needed;
    if (!needed) continue;
    for (const std::string& name : node.input()) ++uses_[name];
  }
}

void Importer::read_initializers() {
  for (auto& tensor : *proto_.mutable_initializer()) {
    const std::string name = tensor.name();
    if (uses_.contains(name) && !options_.bind.contains(name)) {
      const std::string where = file_ + ": tensor " + printable(name);
      try {
        values_[name].constant = read_tensor(tensor, outside_, where);
      } catch (const Error& error) {
        add_problem("tensor " + printable(name), where, error.what());
        failed_.insert(name);
      }
    }
    onnx::TensorProto().Swap(&tensor);  // Clear() would keep the memory
  }
  proto_.clear_initializer();
}

void Importer::read_inputs() {
  std::vector<const onnx::ValueInfoProto*> open;
  std::vector<std::string> names;
  for (const auto& input : proto_.input()) {
    const std::string& name = input.name();
    if (const auto bound = options_.bind.find(name); bound != options_.bind.end()) {
      values_[name].constant = bound->second;
    } else if (uses_.contains(name) && !values_.contains(name) && !failed_.contains(name)) {
      open.push_back(&input);
      names.push_back(printable(name));
    }
  }
  if (open.empty()) fail(file_, "the output does not depend on any input");
  if (open.size() > 1) {
    fail(file_, "got {} inputs ({}), expected one", open.size(), fmt::join(names, ", "));
  }
  read_input(*open.front());
}

void Importer::read_input(const onnx::ValueInfoProto& input) {
  const std::string where = file_ + ": input " + printable(input.name());
  const auto& type = input.type().tensor_type();
  if (!input.type().has_tensor_type() || !type.has_shape()) fail(where, "has no shape");
  if (type.elem_type() != onnx::TensorProto::FLOAT) {
    fail(where, "got {}, expected float32", type_name(type.elem_type()));
  }
  Shape shape;
  for (int d = 0; d < type.shape().dim_size(); ++d) {
    const auto& dim = type.shape().dim(d);
    if (d == 0 && options_.strip_final) {
      batch_ = dim.has_dim_value() ? dim.dim_value() : 1;
      shape.push_back(1);
    } else if (!dim.has_dim_value() || dim.dim_value() <= 0) {
      fail(where, "dimension {} ({}) is not fixed", d,
           dim.has_dim_value() ? std::to_string(dim.dim_value()) : printable(dim.dim_param()));
    } else {
      shape.push_back(dim.dim_value());
    }
  }
  if (options_.strip_final && shape.size() < 2) {
    fail(where, "got rank {}, expected a batch and at least one more dimension", shape.size());
  }
  if (element_count(shape) > std::min(options_.most_elements, kMostElements)) {
    fail(where, "{} is too large", to_string(shape));
  }
  graph_.input = graph_.add_tensor(printable(input.name()), shape);
  values_[input.name()].tensor = graph_.input;
}

void Importer::import_node(int index) {
  onnx::NodeProto& node = *proto_.mutable_node(index);
  const std::string type = printable(node.op_type());
  node.set_name(unique_name(node.name().empty() ? fmt::format("{}_{}", type, index)
                                                : printable(node.name())));
  const std::string what = fmt::format("node {} ({})", node.name(), type);
  const std::string where = file_ + ": " + what;
  bool ok =
      std::ranges::none_of(node.input(), [&](const auto& name) { return failed_.contains(name); });
  try {
    check_known(node, where);  // even behind a failure: all that is not supported is told at once
    if (ok) {
      check_node(node, where);
      const auto attributes = read_attributes(node, outside_, where);
      for (int output = 0; output < node.output_size(); ++output) {
        const std::string& name = node.output(output);
        if (!name.empty() && uses_.contains(name)) import_output(node, output, where, attributes);
      }
    }
  } catch (const Error& error) {
    add_problem(what, where, error.what());
    ok = false;
  }
  if (!ok) failed_.insert(node.output().begin(), node.output().end());
  release_inputs(node);
}

void Importer::check_known(const onnx::NodeProto& node, const std::string& where) {
  if (!node.domain().empty() && node.domain() != "ai.onnx") {
    fail(where, "operators of domain {} are not supported", printable(node.domain()));
  }
  if (!find_op(node.op_type()) && !folds(node.op_type())) fail(where, "not supported");
}

void Importer::check_node(const onnx::NodeProto& node, const std::string& where) const {
  onnx::checker::CheckerContext context;
  context.set_ir_version(static_cast<int>(
      std::clamp<int64_t>(model_.ir_version(), 0, std::numeric_limits<int>::max())));
  context.set_opset_imports({{"", static_cast<int>(graph_.opset)}});
  context.set_model_dir(outside_.folder.string());
  try {
    onnx::checker::check_node(node, context, {});
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    const std::string_view message = error.what();
    fail(where, "{}", printable(message.substr(0, message.find('\n'))));
  }
}

void Importer::import_output(onnx::NodeProto& node, int output, const std::string& where,
                             const std::map<std::string, Attribute>& attributes) {
  const std::string& name = node.output(output);
  const bool split = node.op_type() == "Split";
  if (output > 0 && !split) {
    fail(where, "output {} ({}) is not supported", output, printable(name));
  }
  auto own = attributes;
  if (split) own["vigor_output"].i = output;
  NodeView view(where, node.op_type(), graph_.opset, node_inputs(node), std::move(own),
                static_cast<size_t>(node.output_size()));
  if (auto folded = fold(view)) {
    values_[name].constant = std::make_shared<Constant>(std::move(*folded));
    return;
  }
  const OpRow* row = find_op(node.op_type());
  if (!row) fail(where, "not supported but in shape arithmetic");
  auto op = row->build(view);
  view.refuse_unread_attributes();
  check_size(view, op->shape());
  elements_ += op->size();
  if (elements_ > options_.most_elements) {
    fail(where, "more than {} activations in all", options_.most_elements);
  }
  const bool constant =
      std::ranges::all_of(view.operands(), [&](size_t input) { return view.is_constant(input); });
  if (constant) {
    values_[name].constant = computed(view, *op, node);
  } else {
    add_node(node, view, std::move(op), name);
  }
}

std::vector<NodeInput> Importer::node_inputs(const onnx::NodeProto& node) const {
  static constexpr std::string_view kWeighted[] = {"Conv", "Gemm", "MatMul", "BatchNormalization"};
  const bool weighted = std::ranges::count(kWeighted, node.op_type()) > 0;
  std::vector<NodeInput> inputs;
  for (const std::string& name : node.input()) {
    NodeInput& input = inputs.emplace_back();
    if (name.empty()) continue;
    const Value& value = values_.at(name);
    input.present = true;
    input.constant = value.constant;
    if (!value.constant) input.shape = graph_.tensor(value.tensor).shape;
    if (weighted && value.constant &&
        !std::ranges::all_of(value.constant->floats, [](float x) { return std::isfinite(x); })) {
      fail(file_, "tensor {} holds infinity", printable(name));
    }
  }
  if (batch_ > 1 && node.op_type() == "Reshape" && inputs.size() > 1 && !inputs[0].constant &&
      inputs[1].constant) {
    inputs[1].constant = unbatched(inputs[0].shape, inputs[1].constant);
  }
  return inputs;
}

/// What a file with a fixed batch reshapes `from` to, for a batch of 1: where the first entry is
/// that batch, by the number of elements or beside a -1.
ConstantPtr Importer::unbatched(const Shape& from, const ConstantPtr& shape) const {
  if (shape->is_float || shape->ints.empty() || shape->ints[0] != batch_) return shape;
  auto one = std::make_shared<Constant>(*shape);
  one->ints[0] = 1;
  Shape filled = one->ints;
  for (size_t d = 0; d < filled.size(); ++d) {
    if (filled[d] == 0 && d < from.size()) filled[d] = from[d];
  }
  const bool open = std::ranges::count(filled, -1) > 0;
  return open || element_count(filled) == element_count(from) ? one : shape;
}

/// The value of an operator whose operands are all constants.
ConstantPtr Importer::computed(const NodeView& view, const Op& op,
                               const onnx::NodeProto& node) const {
  std::vector<const float*> operands;
  for (const size_t input : view.operands()) {
    operands.push_back(values_.at(node.input(static_cast<int>(input))).constant->floats.data());
  }
  auto made = std::make_shared<Constant>();
  made->shape = op.shape();
  made->floats.resize(static_cast<size_t>(op.size()));
  op.forward(operands, made->floats.data());
  if (std::ranges::any_of(made->floats, [](float x) { return std::isnan(x); })) {
    view.fail("is constant and holds NaN");
  }
  return made;
}

void Importer::add_node(const onnx::NodeProto& node, const NodeView& view,
                        std::shared_ptr<const Op> op, const std::string& output) {
  std::vector<int> inputs;
  for (const size_t input : view.operands()) {
    inputs.push_back(operand(node.input(static_cast<int>(input))));
  }
  const bool first = output == node.output(0);
  values_[output].tensor =
      graph_.add_node(first ? node.name() : unique_name(node.name()), node.op_type(), std::move(op),
                      std::move(inputs), printable(output));
  graph_.tensors.back().onnx_name = output;
}

/// The tensor of an activation, or of a constant that an operator takes beside one.
int Importer::operand(const std::string& name) {
  Value& value = values_.at(name);
  if (value.tensor < 0) {
    value.tensor = graph_.add_node(unique_name(printable(name)), "Constant",
                                   make_constant(value.constant), {}, printable(name));
  }
  return value.tensor;
}

/// Constants are dropped after their last use: operators keep what they need.
void Importer::release_inputs(const onnx::NodeProto& node) {
  for (const std::string& name : node.input()) {
    if (--uses_[name] == 0) values_.erase(name);
  }
}

std::string Importer::unique_name(const std::string& wanted) {
  std::string name = wanted;
  for (size_t n = node_names_.size(); !node_names_.insert(name).second; ++n) {
    name = fmt::format("{}_{}", wanted, n);
  }
  return name;
}

void Importer::add_problem(const std::string& what, const std::string& where,
                           const std::string& message) {
  const std::string prefix = fmt::format("[{}] ", where);
  const bool own = message.starts_with(prefix);
  problems_.push_back(fmt::format("{}: {}", what, own ? message.substr(prefix.size()) : message));
}

void Importer::report() const {
  std::vector<std::string> first(
      problems_.begin(),
      problems_.begin() + static_cast<std::ptrdiff_t>(std::min(problems_.size(), kMostProblems)));
  if (problems_.size() > first.size()) {
    first.push_back(fmt::format("and {} more", problems_.size() - first.size()));
  }
  fail(file_, "{}", fmt::join(first, "; "));
}

/// `sha256`: of the file.
Graph import_model(onnx::ModelProto& model, const std::string& sha256, const std::string& file,
                   const fs::path& folder, const ImportOptions& options) {
  if (!model.has_graph() || (!model.has_ir_version() && model.opset_import_size() == 0)) {
    fail(file, "is not an ONNX model: it has no graph");
  }
  try {
    return Importer(file, model, sha256, folder, options).run();
  } catch (const Error& error) {
    if (std::string_view(error.what()).starts_with("[" + file)) throw;
    fail(file, "{}", error.what());
  }
}

/// Memory exhausted by a hostile file is the file's fault.
template <typename Import>
Graph guarded(const std::string& file, Import import) {
  try {
    return import();
  } catch (const std::bad_alloc&) {
    fail(file, "not enough memory");
  } catch (const std::length_error&) {
    fail(file, "not enough memory");
  }
}

}  // namespace

Graph import_onnx(const fs::path& file, const ImportOptions& options) {
  const std::string name = printable(file.string());
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) fail(name, "no such file");
  if (fs::is_directory(status)) fail(name, "is a directory, expected an ONNX model");
  if (fs::is_regular_file(status) && fs::file_size(file, error) == 0 && !error) {
    fail(name, "is empty, expected an ONNX model");
  }
  return guarded(name, [&] {
    onnx::ModelProto model;
    std::string sha256;
    {
      const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor < 0) fail(name, "cannot be opened");
      google::protobuf::io::FileInputStream in(descriptor);
      in.SetCloseOnDelete(true);
      HashedStream hashed(in);
      if (!model.ParseFromZeroCopyStream(&hashed)) fail(name, "is truncated or not an ONNX model");
      sha256 = hashed.hex();
    }
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    return import_model(model, sha256, printable(file.filename().string()), folder, options);
  });
}

Graph import_onnx_bytes(std::string_view bytes, const std::string& name,
                        const ImportOptions& options) {
  return guarded(name, [&] {
    onnx::ModelProto model;
    if (bytes.empty()) fail(name, "is empty, expected an ONNX model");
    if (bytes.size() > std::numeric_limits<int>::max()) fail(name, "is larger than 2 GB");
    if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      fail(name, "is truncated or not an ONNX model");
    }
    return import_model(model, sha256(bytes), name, {}, options);
  });
}

}  // namespace vigor
