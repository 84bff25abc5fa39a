// Data sets of given samples, and networks on which one threshold a side says all.
#pragma once

#include <unistd.h>

#include <fstream>

#include "dataset.h"
#include "networks.h"

namespace vigor {

/// A data set of given samples, by way of an .npy file.
inline Dataset samples(const Shape& shape, const std::vector<float>& values) {
  static int number = 0;
  const auto file = std::filesystem::temp_directory_path() /
                    fmt::format("vigor_analyze_test_{}_{}.npy", getpid(), number++);
  const int64_t count = static_cast<int64_t>(values.size()) / element_count(shape);
  std::string dims = fmt::format("{},", count);
  for (const int64_t extent : shape) dims += fmt::format("{},", extent);
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", dims);
  header.resize((header.size() + 10) / 64 * 64 + 64 - 11, ' ');
  header += '\n';
  {
    std::ofstream out(file, std::ios::binary);
    out << "\x93NUMPY" << '\x01' << '\0' << static_cast<char>(header.size() & 0xff)
        << static_cast<char>(header.size() >> 8) << header;
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
  }
  DataOptions options;
  options.spec = "npy:" + file.string();
  Dataset data = Dataset::open(options);
  std::filesystem::remove(file);
  return data;
}

/// One hidden layer: every logit difference is monotone in every neuron, so that one threshold a
/// side says all, and the resolved factors are exact.
inline Graph monotone_network(RandomFloats& random, const char* function) {
  Graph graph = network({1, 5});
  const int h = layer(graph, function,
                      {dense(graph, graph.input, random.floats(30, 1), random.floats(6, 1))});
  dense(graph, h, random.floats(24, 1), random.floats(4, 1));
  return graph;
}

}  // namespace vigor
