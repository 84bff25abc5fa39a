// Reads an ONNX model into a Graph.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "graph.h"
#include "node_view.h"

namespace vigor {

struct ImportOptions {
  /// A classifier: the input's first dimension is the batch, and a final Softmax, LogSoftmax or
  /// ArgMax is no part of the analysis (logits = its input). Otherwise the network is taken as it
  /// is, at full rank, and its first output stands for the logits.
  bool strip_final = true;
  /// Graph inputs bound as constants.
  std::map<std::string, ConstantPtr> bind;
  /// Activations of one input, and constants computed from others: a network of more is refused.
  int64_t most_elements = int64_t{1} << 29;
};

/// Opsets 7 to 17, float32. Throws Error, listing every node that is not supported. Several
/// outputs are accepted when all are the same logits behind a final Softmax, ArgMax or view.
Graph import_onnx(const std::filesystem::path& file, const ImportOptions& options = {});

/// The same from memory; `name` stands for the file. External data is refused.
Graph import_onnx_bytes(std::string_view bytes, const std::string& name,
                        const ImportOptions& options = {});

}  // namespace vigor
