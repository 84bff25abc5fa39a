#include "window.h"

#include <algorithm>

namespace vigor {

namespace {

void check_input(const NodeView& node, const Shape& input) {
  if (input.size() != 3 && input.size() != 4) {
    node.fail("got an input of rank {}, expected 3 or 4 (one or two spatial dimensions)",
              input.size());
  }
}

// Output extent without auto_pad; ceil_mode lets the last window stick out, but it must start
// inside the input or its left padding (as PyTorch).
int64_t extent(const WindowAxis& a, bool ceil_mode) {
  const int64_t reach = (a.kernel - 1) * a.dilation + 1;
  const int64_t room = a.in + a.pad_begin + a.pad_end - reach;
  if (room < 0) return 0;
  int64_t out = (room + (ceil_mode ? a.stride - 1 : 0)) / a.stride + 1;
  if (ceil_mode && (out - 1) * a.stride >= a.in + a.pad_begin) --out;
  return out;
}

void auto_pad(WindowAxis& a, const std::string& mode) {
  const int64_t reach = (a.kernel - 1) * a.dilation + 1;
  const int64_t out = (a.in + a.stride - 1) / a.stride;
  const int64_t pad = std::max<int64_t>((out - 1) * a.stride + reach - a.in, 0);
  const int64_t less = pad / 2;
  a.pad_begin = mode == "SAME_UPPER" ? less : pad - less;
  a.pad_end = pad - a.pad_begin;
}

// What tables of windows and padded inputs take.
void check_extents(const NodeView& node, const Window& window) {
  int64_t covered = 1, padded = window.channels;
  for (const WindowAxis& a : window.axes) {
    for (const int64_t factor : {a.out, a.kernel}) {
      if (covered > kMostElements / factor) node.fail("its windows cover too much");
      covered *= factor;
    }
    const int64_t extent = a.in + a.pad_begin + a.pad_end;
    if (padded > kMostElements / extent) node.fail("its padded input is too large");
    padded *= extent;
  }
}

}  // namespace

Shape Window::output_shape(int64_t channels_out) const {
  if (one_dimensional) return {batch, channels_out, axes[1].out};
  return {batch, channels_out, axes[0].out, axes[1].out};
}

std::array<int64_t, 2> covering(const WindowAxis& axis, int64_t at) {
  const int64_t reach = (axis.kernel - 1) * axis.dilation;
  const int64_t padded = at + axis.pad_begin;
  const int64_t first = padded <= reach ? 0 : (padded - reach + axis.stride - 1) / axis.stride;
  return {first, std::min(padded / axis.stride, axis.out - 1)};
}

Window read_window(NodeView& node, const Shape& input, const std::vector<int64_t>& kernel) {
  check_input(node, input);
  const size_t rank = input.size() - 2;
  const auto given = node.attribute("kernel_shape", kernel);
  if (given.empty()) node.fail("attribute kernel_shape is missing");
  if (!kernel.empty() && given != kernel) {
    node.fail("attribute kernel_shape: got {}, expected {}", to_string(given), to_string(kernel));
  }
  const auto strides = node.attribute("strides", std::vector<int64_t>(rank, 1));
  const auto dilations = node.attribute("dilations", std::vector<int64_t>(rank, 1));
  const auto pads = node.attribute("pads", std::vector<int64_t>(2 * rank, 0));
  const std::string mode = node.attribute("auto_pad", std::string("NOTSET"));
  const bool ceil_mode = node.attribute("ceil_mode", int64_t{0}) != 0;
  if (given.size() != rank || strides.size() != rank || dilations.size() != rank ||
      pads.size() != 2 * rank) {
    node.fail("kernel_shape, strides, dilations or pads do not fit {} spatial dimensions", rank);
  }
  if (mode != "NOTSET" && mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER") {
    node.fail("attribute auto_pad: got {}", mode);
  }
  Window window;
  window.batch = input[0];
  window.channels = input[1];
  window.one_dimensional = rank == 1;
  constexpr int64_t kMost = 1 << 20;
  for (size_t i = 0; i < rank; ++i) {
    WindowAxis& a = window.axes[i + 2 - rank];
    a = {input[i + 2], 0, given[i], strides[i], dilations[i], pads[i], pads[rank + i]};
    for (const int64_t value : {a.kernel, a.stride, a.dilation}) {
      if (value < 1 || value > kMost)
        node.fail("kernel, stride or dilation {} out of range", value);
    }
    for (const int64_t value : {a.pad_begin, a.pad_end}) {
      if (value < 0 || value > kMost) node.fail("attribute pads: {} out of range", value);
    }
    if (mode == "VALID") a.pad_begin = a.pad_end = 0;
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") auto_pad(a, mode);
    a.out = extent(a, ceil_mode);
    if (a.out < 1) {
      node.fail("window of {} (dilation {}) does not fit into extent {}", a.kernel, a.dilation,
                a.in);
    }
  }
  check_extents(node, window);
  return window;
}

Window whole_window(const NodeView& node, const Shape& input) {
  check_input(node, input);
  Window window;
  window.batch = input[0];
  window.channels = input[1];
  window.one_dimensional = input.size() == 3;
  for (size_t i = 2; i < input.size(); ++i) {
    WindowAxis& a = window.axes[i + 4 - input.size() - 2];
    a.in = a.kernel = input[i];
    if (a.in < 1) node.fail("got an empty input {}", to_string(input));
  }
  return window;
}

}  // namespace vigor
