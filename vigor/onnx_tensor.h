// Tensors and attributes out of the protobuf.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <string>

#include "node_view.h"

namespace vigor {

/// "float16", "int64", ...
std::string type_name(int32_t onnx_type);
bool is_integer_type(int32_t onnx_type);

/// Reads a tensor (float32, integers, bool) and frees its data in `proto`. External data is read
/// from below `folder` alone; an empty folder refuses it. Throws Error for other types, NaN, and
/// sizes that do not match the shape; `where` names the tensor.
ConstantPtr read_tensor(onnx::TensorProto& proto, const std::filesystem::path& folder,
                        const std::string& where);

/// A node's attributes, freeing their tensors. Throws Error for subgraphs and sparse tensors.
std::map<std::string, Attribute> read_attributes(onnx::NodeProto& node,
                                                 const std::filesystem::path& folder,
                                                 const std::string& where);

}  // namespace vigor
