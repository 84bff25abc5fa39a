// The ONNX importer, with external data beside the model. Mutations are made on the message, so
// that they get past the parser: nodes, attributes, shapes, types, names and tensors change. What
// is imported and small is run, with faults: whatever the importer lets through must be safe to
// run, and the probers must agree on it.
#include <google/protobuf/message.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <limits>
#include <random>

#include "fuzz.h"
#include "onnx_import.h"
#include "prober.h"

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

size_t below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

int64_t interesting(Random& random) {
  static const int64_t kValues[] = {
      0, -1, 1, 2, 3, 7, 16, 1 << 20, 1LL << 31, 1LL << 32, 1LL << 62, INT64_MIN, INT64_MAX};
  return kValues[below(random, std::size(kValues))];
}

// All messages of the model, the model first.
void collect(Message& message, std::vector<Message*>& all) {
  all.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), all);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      collect(*reflection.MutableRepeatedMessage(&message, field, i), all);
    }
  }
}

std::string any_name(const std::vector<Message*>& all, Random& random) {
  for (int tries = 0; tries < 20; ++tries) {
    const Message& message = *all[below(random, all.size())];
    if (const auto* node = dynamic_cast<const onnx::NodeProto*>(&message)) {
      if (below(random, 3) == 0) return node->op_type();
      if (node->output_size() > 0) return node->output(0);
    }
    if (const auto* tensor = dynamic_cast<const onnx::TensorProto*>(&message)) {
      return tensor->name();
    }
  }
  return "x";
}

// Sets a scalar field, or an element of a repeated one, or adds or removes one.
void change_field(Message& message, const FieldDescriptor& field, Random& random,
                  const std::vector<Message*>& all) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    const int count = reflection.FieldSize(message, &field);
    const size_t what = below(random, 4);
    if (what == 0 && count > 0) return reflection.RemoveLast(&message, &field);
    if (what == 1 && count > 1) {
      return reflection.SwapElements(&message, &field, 0,
                                     static_cast<int>(below(random, static_cast<size_t>(count))));
    }
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT64:
        if (what == 2 && count > 0) {
          return reflection.SetRepeatedInt64(
              &message, &field, static_cast<int>(below(random, static_cast<size_t>(count))),
              interesting(random));
        }
        return reflection.AddInt64(&message, &field, interesting(random));
      case FieldDescriptor::CPPTYPE_FLOAT:
        return reflection.AddFloat(&message, &field, static_cast<float>(interesting(random)));
      case FieldDescriptor::CPPTYPE_STRING:
        return reflection.AddString(&message, &field, any_name(all, random));
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        // A copy of one there is, so that most changes stay near what is valid.
        if (count == 0) return reflection.AddMessage(&message, &field)->Clear();
        const auto& from = reflection.GetRepeatedMessage(
            message, &field, static_cast<int>(below(random, static_cast<size_t>(count))));
        const std::string bytes = from.SerializeAsString();
        reflection.AddMessage(&message, &field)->ParsePartialFromString(bytes);
        return;
      }
      default:
        return;
    }
  }
  if (below(random, 5) == 0) return reflection.ClearField(&message, &field);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.SetInt64(&message, &field, interesting(random));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.SetInt32(&message, &field, static_cast<int32_t>(below(random, 24)));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.SetFloat(&message, &field, static_cast<float>(interesting(random)));
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        std::string bytes = reflection.GetString(message, &field);
        bytes.resize(below(random, bytes.size() * 2 + 9));
        return reflection.SetString(&message, &field, bytes);
      }
      return reflection.SetString(&message, &field, any_name(all, random));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.SetEnumValue(&message, &field, static_cast<int>(below(random, 18)));
    default:
      return;
  }
}

void mutate(onnx::ModelProto& model, Random& random) {
  std::vector<Message*> all;
  collect(model, all);
  // Tensor data are many; half of the changes go to nodes, attributes and shapes.
  Message* message = all[below(random, all.size())];
  for (int tries = 0; tries < 3 && dynamic_cast<onnx::TensorProto*>(message); ++tries) {
    message = all[below(random, all.size())];
  }
  const auto& type = *message->GetDescriptor();
  if (type.field_count() == 0) return;
  const auto field = static_cast<int>(below(random, static_cast<size_t>(type.field_count())));
  change_field(*message, *type.field(field), random, all);
}

constexpr int64_t kMostElements = 1 << 12, kMostMacs = 1 << 16;
constexpr size_t kMostNodes = 64;

bool is_small(const vigor::Graph& graph) {
  int64_t elements = 0;
  for (const vigor::Tensor& tensor : graph.tensors) elements += tensor.size;
  return elements <= kMostElements && graph.macs() <= kMostMacs && graph.nodes.size() <= kMostNodes;
}

std::vector<vigor::Outcome> probe(const std::string& kind, const vigor::Graph& graph,
                                  const std::vector<vigor::Site>& sites,
                                  const vigor::Golden& golden) {
  std::vector<vigor::Fault> faults;
  for (size_t s = 0; s < sites.size(); ++s) {
    for (const int64_t element : {int64_t{0}, sites[s].population / 2, sites[s].population - 1}) {
      for (const float value : {-3.0F, 1e30F, std::numeric_limits<float>::infinity()}) {
        faults.push_back({0, static_cast<int32_t>(s), element, value});
      }
    }
  }
  std::vector<vigor::Outcome> outcomes(faults.size());
  const auto prober = vigor::make_prober(kind, graph, sites, 16);
  prober->bind(golden);
  prober->run(faults, outcomes);
  return outcomes;
}

void run(const vigor::Graph& graph) {
  const vigor::Tensor& input = graph.tensor(graph.input);
  std::vector<float> values(static_cast<size_t>(input.size));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) - 2.5F;
  const vigor::Golden golden(graph, values, 0);
  if (golden.golden_class(0) < 0) return;
  const std::vector<vigor::Site> sites = vigor::all_sites(graph);
  const auto reference = probe("reference", graph, sites, golden);
  const auto suffix = probe("suffix", graph, sites, golden);
  const auto region = probe("region", graph, sites, golden);
  for (size_t i = 0; i < reference.size(); ++i) {
    const vigor::Outcome &a = reference[i], &b = suffix[i];
    const bool same = a.top == b.top && a.rank == b.rank && a.critical == b.critical &&
                      a.masked == b.masked && a.nan == b.nan && a.inf == b.inf &&
                      (a.nan || a.margin == b.margin || std::isnan(a.margin));
    if (!same || region[i].nan != a.nan) std::abort();
  }
}

}  // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size, size_t most, unsigned seed) {
  onnx::ModelProto model;
  if (seed % 16 == 0 || !model.ParsePartialFromArray(bytes, static_cast<int>(size))) {
    return LLVMFuzzerMutate(bytes, size, most);
  }
  Random random(seed);
  for (size_t changes = below(random, 4) + 1; changes > 0; --changes) mutate(model, random);
  std::string changed;
  if (!model.SerializePartialToString(&changed) || changed.size() > most) {
    return LLVMFuzzerMutate(bytes, size, most);
  }
  std::copy(changed.begin(), changed.end(), bytes);
  return changed.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  vigor::fuzz::count_bytes(size);
  static const std::filesystem::path weights =
      vigor::fuzz::put_file("weights.bin", std::string(4096, '\1'));
  const auto model = vigor::fuzz::put_file("model.onnx", vigor::fuzz::as_text(bytes, size));
  vigor::ImportOptions options;
  options.most_elements = 1 << 20;
  vigor::fuzz::expect_error_or_success([&] {
    const vigor::Graph graph = vigor::import_onnx(model, options);
    if (graph.classes() < 1 || graph.parameters() < 0) std::abort();
    if (is_small(graph)) run(graph);
  });
  vigor::fuzz::expect_error_or_success([&] {
    options.strip_final = false;
    vigor::import_onnx_bytes(vigor::fuzz::as_text(bytes, size), "model.onnx", options);
  });
  return 0;
}
