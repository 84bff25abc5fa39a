// Nothing is allocated while the faults of a site run: all that a prober needs is there after a
// first round.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "bit_flip.h"
#include "networks.h"
#include "onnx_import.h"
#include "prober.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they have their own

namespace {
thread_local int64_t allocations = 0;

void* counted(size_t size, size_t alignment) {
  ++allocations;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  return memory ? memory : throw std::bad_alloc();
}
}  // namespace

void* operator new(size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace vigor {
namespace {

TEST(Allocation, NoneWhileFaultsRun) {
  const Graph graph = import_onnx(lenet5());
  const auto sites = select_sites(graph, "conv1");
  RandomFloats random(3);
  std::vector<float> inputs = random.floats(20 * graph.tensor(graph.input).size, 1.0F);
  const Golden golden(graph, std::move(inputs), 0);
  std::vector<Fault> faults;
  for (int f = 0; f < 20000; ++f) {
    const auto input = static_cast<int32_t>(random.below(golden.count()));
    const int64_t element = random.below(sites[0].population);
    const float a = golden.value(sites[0].tensor, element, input);
    faults.push_back({input, 0, element, flip_bit(a, static_cast<int>(20 + random.below(12)))});
  }
  std::vector<Outcome> outcomes(faults.size());
  const auto prober = make_prober("region", graph, sites);
  prober->bind(golden);
  prober->run(faults, outcomes);
  const int64_t before = allocations;
  EXPECT_GT(before, 0);
  prober->run(faults, outcomes);
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace vigor

#endif
