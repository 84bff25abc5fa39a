// Placeholder until the real table is merged.
#include "ops/table.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vigor {

namespace {

class Relu final : public Op {
 public:
  explicit Relu(NodeView& n) : Op(n.operand(0), n.operand_sizes()) {}
  Role role() const override { return Role::kActivation; }
  void forward(std::span<const float* const> x, float* out) const override {
    for (int64_t i = 0; i < size(); ++i) out[i] = std::fmax(x[0][i], 0.0F);
  }
};

class View final : public Op {
 public:
  View(Shape shape, std::vector<int64_t> sizes) : Op(std::move(shape), std::move(sizes)) {}
  Role role() const override { return Role::kView; }
  void forward(std::span<const float* const> x, float* out) const override {
    std::copy_n(x[0], size(), out);
  }
};

std::shared_ptr<const Op> relu(NodeView& n) { return std::make_shared<Relu>(n); }
std::shared_ptr<const Op> identity(NodeView& n) {
  const Shape shape = n.operand(0);
  return std::make_shared<View>(shape, n.operand_sizes());
}
std::shared_ptr<const Op> reshape(NodeView& n) {
  const int64_t size = element_count(n.operand(0));
  Shape shape = n.ints(1);
  int64_t known = 1;
  for (const int64_t d : shape) known *= d > 0 ? d : 1;
  for (int64_t& d : shape) d = d < 0 ? size / known : d;
  if (element_count(shape) != size) n.fail("got {}", to_string(shape));
  return std::make_shared<View>(shape, n.operand_sizes());
}

constexpr std::array kRows = std::to_array<OpRow>({
    {"Identity", identity, ""},
    {"Relu", relu, ""},
    {"Reshape", reshape, ""},
});

}  // namespace

std::span<const OpRow> op_table() { return kRows; }

const OpRow* find_op(std::string_view type) {
  const auto row = std::ranges::find(kRows, type, &OpRow::type);
  return row == kRows.end() ? nullptr : &*row;
}

}  // namespace vigor
