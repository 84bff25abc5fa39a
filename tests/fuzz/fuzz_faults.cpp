// Lists of faults: what was read is written, and reads as the same.
#include <algorithm>
#include <bit>
#include <cmath>

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

bool same(const vigor::ListedFault& a, const vigor::ListedFault& b) {
  const auto bits = [](float value) { return std::bit_cast<uint32_t>(value); };
  return a.input == b.input && a.site == b.site && a.element == b.element && a.bit == b.bit &&
         (a.bit >= 0 || bits(a.value) == bits(b.value) ||
          (std::isnan(a.value) && std::isnan(b.value)));
}

void write_and_read(const vigor::FaultList& list, const vigor::Graph& graph, int64_t inputs) {
  const auto file = vigor::fuzz::folder() / "again.csv";
  vigor::FaultListWriter writer(file);
  for (const vigor::ListedFault& fault : list.faults) {
    vigor::InjectedFault injected{};
    injected.input = fault.input;
    injected.site = fault.site;
    injected.element = fault.element;
    injected.bit = fault.bit;
    injected.value = fault.value;
    writer.write(std::span(&injected, 1), list.sites);
  }
  writer.finish();
  const vigor::FaultList again = vigor::read_fault_list(file, graph, inputs);
  if (!std::ranges::equal(list.faults, again.faults, same)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  vigor::fuzz::count_bytes(size);
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
    write_and_read(list, graph, kInputs);
  });
  return 0;
}
