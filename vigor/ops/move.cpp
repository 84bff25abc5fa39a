#include "ops/move.h"

#include <algorithm>
#include <cmath>

#include "region.h"

namespace vigor {
namespace {

class ViewOp final : public Op {
 public:
  explicit ViewOp(const Shape& shape) : Op(shape, {element_count(shape)}) {}

  Role role() const override { return Role::kView; }

  void forward(std::span<const float* const> operands, float* out) const override {
    if (operands[0] != out) std::copy_n(operands[0], size(), out);
  }
  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    if (operands[0] != out) std::copy_n(operands[0], size() * lanes, out);
  }
  int64_t scratch_size(int) const override { return 0; }

  std::shared_ptr<const Op> far_limit() const override { return std::make_shared<ViewOp>(shape()); }
};

class MoveOp final : public Op {
 public:
  MoveOp(Shape shape, std::vector<int64_t> operand_sizes,
         std::shared_ptr<const std::vector<Source>> map, std::vector<float> constants, bool trained)
      : Op(std::move(shape), std::move(operand_sizes)),
        map_(std::move(map)),
        constants_(std::move(constants)),
        trained_(trained) {}

  int64_t parameters() const override {
    return trained_ ? static_cast<int64_t>(constants_.size()) : 0;
  }

  void forward(std::span<const float* const> operands, float* out) const override {
    for (const auto& [operand, element] : *map_) {
      *out++ = operand < 0 ? constants_[static_cast<size_t>(element)]
                           : operands[static_cast<size_t>(operand)][element];
    }
  }
  void forward_lanes(std::span<const float* const> operands, float* out, int lanes,
                     float*) const override {
    for (const auto& [operand, element] : *map_) {
      if (operand < 0) {
        std::fill_n(out, lanes, constants_[static_cast<size_t>(element)]);
      } else {
        std::copy_n(operands[static_cast<size_t>(operand)] + int64_t{element} * lanes, lanes, out);
      }
      out += lanes;
    }
  }
  int64_t scratch_size(int) const override { return 0; }

  bool affected(size_t operand, std::span<const int32_t> changed,
                std::vector<int32_t>& elements) const override {
    int32_t e = 0;
    for (const Source& source : *map_) {
      if (source.operand == static_cast<int32_t>(operand) &&
          std::binary_search(changed.begin(), changed.end(), source.element)) {
        elements.push_back(e);
      }
      ++e;
    }
    return true;
  }

  std::unique_ptr<RegionStep> plan_region(std::span<const RegionTensor> operands,
                                          const RegionOutput& output) const override {
    // A changed element has a source among the operands, never a constant.
    std::vector<RowSource> sources;
    std::vector<size_t> begin{0};
    for (const int32_t e : output.changed) {
      const Source& source = (*map_)[static_cast<size_t>(e)];
      sources.push_back(operands[static_cast<size_t>(source.operand)].row(source.element));
      begin.push_back(sources.size());
    }
    return make_row_step(
        output, std::move(sources), std::move(begin), NewNan::kNever,
        [](size_t, RowPointers rows, float* out, int count) { std::copy_n(rows[0], count, out); });
  }

  std::shared_ptr<const Op> far_limit() const override {
    std::vector<float> constants = constants_;
    for (float& value : constants) value = std::isfinite(value) ? 0.0F : value;
    return std::make_shared<MoveOp>(shape(), operand_sizes(), map_, std::move(constants), trained_);
  }
  // Constants do not change.
  std::shared_ptr<const Op> tangent() const override { return far_limit(); }

 private:
  std::shared_ptr<const std::vector<Source>> map_;  // shared with the limit
  std::vector<float> constants_;
  bool trained_;
};

bool moves_nothing(const std::vector<Source>& map, const std::vector<int64_t>& operand_sizes) {
  if (operand_sizes.size() != 1 || static_cast<int64_t>(map.size()) != operand_sizes[0]) {
    return false;
  }
  int32_t e = 0;
  return std::all_of(map.begin(), map.end(),
                     [&](const Source& s) { return s.operand == 0 && s.element == e++; });
}

}  // namespace

std::shared_ptr<const Op> make_view(NodeView& node, const Shape& shape) {
  const Shape& from = node.operand(0);
  if (element_count(from) != element_count(shape)) {
    node.fail("got shape {}, expected as many elements as {}", to_string(shape), to_string(from));
  }
  return std::make_shared<ViewOp>(shape);
}

std::shared_ptr<const Op> make_move(const NodeView& node, Shape shape, std::vector<Source> map,
                                    std::vector<float> constants, bool trained) {
  if (moves_nothing(map, node.operand_sizes())) return std::make_shared<ViewOp>(shape);
  return std::make_shared<MoveOp>(std::move(shape), node.operand_sizes(),
                                  std::make_shared<const std::vector<Source>>(std::move(map)),
                                  std::move(constants), trained);
}

std::shared_ptr<const Op> make_move(NodeView& node, Shape shape, const IndexMap& map, float fill) {
  node.operand(0);
  std::vector<Source> sources;
  sources.reserve(map.size());
  for (const int32_t element : map) {
    sources.push_back(element < 0 ? Source{-1, 0} : Source{0, element});
  }
  return make_move(node, std::move(shape), std::move(sources), {fill});
}

}  // namespace vigor
