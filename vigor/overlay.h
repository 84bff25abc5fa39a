// `vigor overlay`: factors on the network's own graph, for viewers (docs/results.md).
#pragma once

#include <filesystem>
#include <string>

#include "factor_sheet.h"

namespace vigor {

/// Node data of Google's Model Explorer: the LVF of a site at every node that makes its neurons
/// (convolution, batch norm, activation), by the node's name, or that of its output where it has
/// none.
///
///   {GRAPH NAME: {"results": {NODE: {"value": LVF in %}},
///                 "gradient": [{"stop": 0, "bgColor"}, {"stop": 1, "bgColor"}]}}
///
/// Throws Error unless `model` is the network of the sheet.
std::string node_data(const FactorSheet& sheet, const std::filesystem::path& model);

/// A copy of the network that computes the same: the bytes of an ONNX file whose metadata_props
/// hold the figures ("vigor.mvf", "vigor.lvf.conv1": shares) and whose nodes' doc_string says them
/// in words. What an earlier overlay wrote is replaced. Throws Error unless `model` is the network
/// of the sheet, and where its weights lie in other files that `folder`, the copy's, has not.
std::string annotated_model(const FactorSheet& sheet, const std::filesystem::path& model,
                            const std::filesystem::path& folder);

}  // namespace vigor
