// Rate of oneDNN's dense float32 convolution on one thread, in GFLOP/s: the median of some rounds.
#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

namespace {

constexpr int64_t kBatch = 256;
constexpr int64_t kChannels = 64;  // in and out
constexpr int64_t kExtent = 32;
constexpr int64_t kKernel = 3;
constexpr int kRounds = 11;

using dnnl::memory;

memory::desc any_layout(const memory::dims& dims) {
  return {dims, memory::data_type::f32, memory::format_tag::any};
}

/// Memory of the layout that the primitive chose, filled with small values, none of them denormal.
memory filled(const memory::desc& desc, const dnnl::engine& engine) {
  memory result(desc, engine);
  auto* values = static_cast<float*>(result.get_data_handle());
  const size_t count = desc.get_size() / sizeof(float);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i % 17) / 16.0F - 0.5F;
  return result;
}

double seconds(dnnl::primitive& primitive, dnnl::stream& stream,
               const std::unordered_map<int, memory>& arguments) {
  const auto start = std::chrono::steady_clock::now();
  primitive.execute(stream, arguments);
  stream.wait();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main() {
  omp_set_num_threads(1);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);

  const memory::desc image = any_layout({kBatch, kChannels, kExtent, kExtent});
  const memory::desc kernel = any_layout({kChannels, kChannels, kKernel, kKernel});
  const dnnl::convolution_forward::desc layer(dnnl::prop_kind::forward_inference,
                                              dnnl::algorithm::convolution_direct, image, kernel,
                                              image, {1, 1}, {1, 1}, {1, 1});
  const dnnl::convolution_forward::primitive_desc chosen(layer, engine);
  dnnl::convolution_forward convolution(chosen);
  const std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, filled(chosen.src_desc(), engine)},
      {DNNL_ARG_WEIGHTS, filled(chosen.weights_desc(), engine)},
      {DNNL_ARG_DST, filled(chosen.dst_desc(), engine)}};

  seconds(convolution, stream, arguments);  // warm caches and pages
  std::array<double, kRounds> times{};
  for (double& time : times) time = seconds(convolution, stream, arguments);
  std::sort(times.begin(), times.end());

  constexpr double kFlop =
      2.0 * kBatch * kChannels * kChannels * kKernel * kKernel * kExtent * kExtent;
  const auto rate = [](double time) { return kFlop / time * 1e-9; };
  std::printf("%s: %.1f GFLOP/s (slowest round %.1f, fastest %.1f)\n", chosen.impl_info_str(),
              rate(times[kRounds / 2]), rate(times.back()), rate(times.front()));
  return EXIT_SUCCESS;
}
