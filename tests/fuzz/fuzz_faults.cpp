// Lists of faults.
#include "../networks.h"
#include "fault_list.h"
#include "fuzz.h"

namespace {

vigor::Graph small_network() {
  vigor::RandomFloats random(1);
  vigor::Graph graph = vigor::network({1, 3});
  const int h = vigor::layer(
      graph, "Relu", {vigor::dense(graph, graph.input, random.floats(12, 1), random.floats(4, 1))});
  vigor::dense(graph, h, random.floats(8, 1), random.floats(2, 1));
  return graph;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const vigor::Graph graph = small_network();
  constexpr int64_t kInputs = 10;
  const auto file = vigor::fuzz::put_file("faults.csv", vigor::fuzz::as_text(bytes, size));
  vigor::fuzz::expect_error_or_success([&] {
    const vigor::FaultList list = vigor::read_fault_list(file, graph, kInputs);
    for (const vigor::ListedFault& fault : list.faults) {
      const vigor::Site& site = list.sites.at(static_cast<size_t>(fault.site));
      const bool good = fault.input >= 0 && fault.input < kInputs && fault.element >= 0 &&
                        fault.element < site.population && fault.bit >= -1 && fault.bit < 32;
      if (!good) std::abort();
    }
  });
  return 0;
}
