#include "ops/table.h"

#include <algorithm>
#include <array>

#include "ops/builders.h"

namespace vigor {
namespace {

// By name: find_op() searches by halves.
constexpr auto kTable = std::to_array<OpRow>({
    {"Abs", build_abs, ""},
    {"Add", build_add, ""},
    {"AveragePool", build_average_pool, "1-D and 2-D"},
    {"BatchNormalization", build_batch_norm, "inference"},
    {"Cast", build_cast, "float to float"},
    {"Ceil", build_ceil, ""},
    {"Celu", build_celu, ""},
    {"Clip", build_clip, "constant bounds"},
    {"Concat", build_concat, ""},
    {"Conv", build_conv, "1-D and 2-D, constant weights"},
    {"Div", build_div, ""},
    {"Dropout", build_dropout, "inference"},
    {"Elu", build_elu, ""},
    {"Erf", build_erf, ""},
    {"Exp", build_exp, ""},
    {"Expand", build_expand, "constant shape"},
    {"Flatten", build_flatten, ""},
    {"Floor", build_floor, ""},
    {"Gather", build_gather, "constant indices"},
    {"Gemm", build_gemm, "constant B and C"},
    {"GlobalAveragePool", build_global_average_pool, ""},
    {"GlobalMaxPool", build_global_max_pool, ""},
    {"HardSigmoid", build_hard_sigmoid, ""},
    {"HardSwish", build_hard_swish, ""},
    {"Identity", build_identity, ""},
    {"LRN", build_lrn, ""},
    {"LeakyRelu", build_leaky_relu, ""},
    {"Log", build_log, ""},
    {"LogSoftmax", build_log_softmax, ""},
    {"MatMul", build_matmul, "matrices"},
    {"Max", build_max, ""},
    {"MaxPool", build_max_pool, "1-D and 2-D, first output"},
    {"Min", build_min, ""},
    {"Mul", build_mul, ""},
    {"Neg", build_neg, ""},
    {"PRelu", build_prelu, ""},
    {"Pad", build_pad, "constant pads"},
    {"Pow", build_pow, ""},
    {"Reciprocal", build_reciprocal, ""},
    {"ReduceMax", build_reduce_max, ""},
    {"ReduceMean", build_reduce_mean, ""},
    {"ReduceMin", build_reduce_min, ""},
    {"ReduceSum", build_reduce_sum, "constant axes"},
    {"Relu", build_relu, ""},
    {"Reshape", build_reshape, "constant shape"},
    {"Selu", build_selu, ""},
    {"Sigmoid", build_sigmoid, ""},
    {"Slice", build_slice, "constant bounds"},
    {"Softmax", build_softmax, ""},
    {"Softplus", build_softplus, ""},
    {"Softsign", build_softsign, ""},
    {"Split", build_split, "constant sizes"},
    {"Sqrt", build_sqrt, ""},
    {"Squeeze", build_squeeze, "constant axes"},
    {"Sub", build_sub, ""},
    {"Sum", build_sum, ""},
    {"Tanh", build_tanh, ""},
    {"Transpose", build_transpose, ""},
    {"Unsqueeze", build_unsqueeze, "constant axes"},
});

static_assert(std::ranges::is_sorted(kTable, {}, &OpRow::type));

}  // namespace

std::span<const OpRow> op_table() { return kTable; }

const OpRow* find_op(std::string_view type) {
  const auto at = std::ranges::lower_bound(kTable, type, {}, &OpRow::type);
  return at != kTable.end() && at->type == type ? &*at : nullptr;
}

}  // namespace vigor
