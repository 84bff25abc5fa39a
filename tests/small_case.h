// A network with one hidden layer and inputs for it. Beyond its hidden neurons it is linear, so
// that the deviations that keep an answer are one interval: thresholds say all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataset.h"
#include "networks.h"
#include "test_data.h"

namespace vigor {

inline Dataset samples(const TempDir& folder, int64_t size, const std::vector<float>& values) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
                  static_cast<int64_t>(values.size()) / size, size);
  header.resize((header.size() + 10) / 64 * 64 + 64 - 11, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\0", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  DataOptions options;
  options.spec = "npy:" + folder.write("samples.npy", file);
  return Dataset::open(options);
}

// Seven classes, so that the golden one can leave the first five.
struct SmallCase {
  explicit SmallCase(unsigned seed, int64_t inputs = 6) {
    RandomFloats random(seed);
    graph = network({1, 5});
    const int h = layer(graph, "Relu",
                        {dense(graph, graph.input, random.floats(30, 1), random.floats(6, 1))});
    dense(graph, h, random.floats(42, 1), random.floats(7, 1));
    values = random.floats(5 * inputs, 1);
    data = std::make_unique<Dataset>(samples(folder, 5, values));
  }
  TempDir folder;
  Graph graph;
  std::vector<float> values;
  std::unique_ptr<Dataset> data;
};

}  // namespace vigor
