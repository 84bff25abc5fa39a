// The builder of every operator in the table.
#pragma once

#include <memory>

#include "node_view.h"

namespace vigor {

std::shared_ptr<const Op> build_abs(NodeView& node);
std::shared_ptr<const Op> build_add(NodeView& node);
std::shared_ptr<const Op> build_average_pool(NodeView& node);
std::shared_ptr<const Op> build_batch_norm(NodeView& node);
std::shared_ptr<const Op> build_cast(NodeView& node);
std::shared_ptr<const Op> build_ceil(NodeView& node);
std::shared_ptr<const Op> build_celu(NodeView& node);
std::shared_ptr<const Op> build_clip(NodeView& node);
std::shared_ptr<const Op> build_concat(NodeView& node);
std::shared_ptr<const Op> build_conv(NodeView& node);
std::shared_ptr<const Op> build_div(NodeView& node);
std::shared_ptr<const Op> build_dropout(NodeView& node);
std::shared_ptr<const Op> build_elu(NodeView& node);
std::shared_ptr<const Op> build_erf(NodeView& node);
std::shared_ptr<const Op> build_exp(NodeView& node);
std::shared_ptr<const Op> build_expand(NodeView& node);
std::shared_ptr<const Op> build_flatten(NodeView& node);
std::shared_ptr<const Op> build_floor(NodeView& node);
std::shared_ptr<const Op> build_gather(NodeView& node);
std::shared_ptr<const Op> build_gemm(NodeView& node);
std::shared_ptr<const Op> build_global_average_pool(NodeView& node);
std::shared_ptr<const Op> build_global_max_pool(NodeView& node);
std::shared_ptr<const Op> build_hard_sigmoid(NodeView& node);
std::shared_ptr<const Op> build_hard_swish(NodeView& node);
std::shared_ptr<const Op> build_identity(NodeView& node);
std::shared_ptr<const Op> build_leaky_relu(NodeView& node);
std::shared_ptr<const Op> build_log(NodeView& node);
std::shared_ptr<const Op> build_log_softmax(NodeView& node);
std::shared_ptr<const Op> build_lrn(NodeView& node);
std::shared_ptr<const Op> build_matmul(NodeView& node);
std::shared_ptr<const Op> build_max(NodeView& node);
std::shared_ptr<const Op> build_max_pool(NodeView& node);
std::shared_ptr<const Op> build_min(NodeView& node);
std::shared_ptr<const Op> build_mul(NodeView& node);
std::shared_ptr<const Op> build_neg(NodeView& node);
std::shared_ptr<const Op> build_pad(NodeView& node);
std::shared_ptr<const Op> build_pow(NodeView& node);
std::shared_ptr<const Op> build_prelu(NodeView& node);
std::shared_ptr<const Op> build_reciprocal(NodeView& node);
std::shared_ptr<const Op> build_reduce_max(NodeView& node);
std::shared_ptr<const Op> build_reduce_mean(NodeView& node);
std::shared_ptr<const Op> build_reduce_min(NodeView& node);
std::shared_ptr<const Op> build_reduce_sum(NodeView& node);
std::shared_ptr<const Op> build_relu(NodeView& node);
std::shared_ptr<const Op> build_reshape(NodeView& node);
std::shared_ptr<const Op> build_selu(NodeView& node);
std::shared_ptr<const Op> build_sigmoid(NodeView& node);
std::shared_ptr<const Op> build_slice(NodeView& node);
std::shared_ptr<const Op> build_softmax(NodeView& node);
std::shared_ptr<const Op> build_softplus(NodeView& node);
std::shared_ptr<const Op> build_softsign(NodeView& node);
std::shared_ptr<const Op> build_split(NodeView& node);
std::shared_ptr<const Op> build_sqrt(NodeView& node);
std::shared_ptr<const Op> build_squeeze(NodeView& node);
std::shared_ptr<const Op> build_sub(NodeView& node);
std::shared_ptr<const Op> build_sum(NodeView& node);
std::shared_ptr<const Op> build_tanh(NodeView& node);
std::shared_ptr<const Op> build_transpose(NodeView& node);
std::shared_ptr<const Op> build_unsqueeze(NodeView& node);

}  // namespace vigor
