// Tensors and attributes out of the protobuf.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <string>

#include "hash.h"
#include "node_view.h"

namespace vigor {

/// "float16", "int64", ...
std::string type_name(int32_t onnx_type);
bool is_integer_type(int32_t onnx_type);

/// Data that lie outside of the ONNX file: read from below `folder` alone (empty: refused).
struct ExternalData {
  std::filesystem::path folder;
  std::vector<std::filesystem::path> files;  // that were read
  Sha256 hash;                               // of all that was read
};

/// Reads a tensor (float32, integers, bool) and frees its data in `proto`. Throws Error for other
/// types, NaN, and sizes that do not match the shape; `where` names the tensor.
ConstantPtr read_tensor(onnx::TensorProto& proto, ExternalData& outside, const std::string& where);

/// A node's attributes, freeing their tensors. Throws Error for subgraphs and sparse tensors.
std::map<std::string, Attribute> read_attributes(onnx::NodeProto& node, ExternalData& outside,
                                                 const std::string& where);

}  // namespace vigor
