// Sliding windows of convolutions and pools: one or two spatial dimensions, as two.
#pragma once

#include <array>
#include <cstdint>

#include "node_view.h"

namespace vigor {

/// One spatial dimension: output o covers inputs o * stride - pad_begin + k * dilation.
struct WindowAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
};

struct Window {
  int64_t batch = 1, channels = 1;
  std::array<WindowAxis, 2> axes;  // rows (extent 1 for 1-D data), columns
  bool one_dimensional = false;

  /// Output shape with this many channels.
  Shape output_shape(int64_t channels_out) const;
  int64_t in_size() const { return axes[0].in * axes[1].in; }
  int64_t out_size() const { return axes[0].out * axes[1].out; }
};

/// First and last output whose window may cover input `at` (with dilation some of these do not).
std::array<int64_t, 2> covering(const WindowAxis& axis, int64_t at);

/// Reads kernel_shape, strides, dilations, pads, auto_pad and ceil_mode for an input [N, C, (H,)
/// W]. An empty `kernel` means that the attribute kernel_shape is required.
Window read_window(NodeView& node, const Shape& input, const std::vector<int64_t>& kernel);

/// The window that covers all spatial positions (global pools).
Window whole_window(const NodeView& node, const Shape& input);

}  // namespace vigor
