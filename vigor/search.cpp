#include "search.h"

#include <limits>

namespace vigor {

namespace {

// Point `safe` is non-critical, point `unsafe` critical; the last point is probed first.
struct Bisection {
  int32_t neuron, input;
  int side;
  float a;
  int64_t safe, unsafe, last;
  bool open;
  bool nan = false;

  int64_t next() const { return open ? last : safe + (unsafe - safe) / 2; }
  bool done() const { return open ? last == 0 : unsafe - safe <= 1; }
};

}  // namespace

std::vector<Threshold> bisect(Prober& prober, const Lattice& lattice, int32_t site,
                              std::span<const int64_t> neurons, std::span<int64_t> probes) {
  const Golden& golden = prober.golden();
  const int tensor = prober.site(site).tensor;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto count = static_cast<size_t>(golden.count());
  std::vector<Threshold> result(neurons.size() * count * 2, {nan, nan});
  std::vector<Bisection> active;
  const auto finish = [&](const Bisection& b) {
    Threshold& threshold =
        result[(static_cast<size_t>(b.neuron) * count + static_cast<size_t>(b.input)) * 2 +
               (b.side > 0 ? 1 : 0)];
    threshold.nan = b.nan;
    const int64_t safe = b.open ? b.last : b.safe;
    threshold.safe = lattice.point(b.a, b.side, safe);
    threshold.unsafe =
        b.open ? static_cast<float>(b.side) * infinity : lattice.point(b.a, b.side, b.unsafe);
  };
  for (size_t k = 0; k < neurons.size(); ++k) {
    for (size_t i = 0; i < count; ++i) {
      const auto input = static_cast<int32_t>(i);
      if (golden.golden_class(input) < 0) continue;
      for (const int side : {-1, 1}) {
        const float a = golden.value(tensor, neurons[k], input);
        const Bisection b{static_cast<int32_t>(k), input, side, a, 0, 0,
                          lattice.count(a, side),  true};
        b.done() ? finish(b) : active.push_back(b);
      }
    }
  }
  std::vector<Fault> faults;
  std::vector<Outcome> outcomes;
  while (!active.empty()) {
    faults.clear();
    for (const Bisection& b : active) {
      faults.push_back({b.input, site, neurons[static_cast<size_t>(b.neuron)],
                        lattice.point(b.a, b.side, b.next())});
      ++probes[static_cast<size_t>(b.neuron)];
    }
    outcomes.resize(faults.size());
    prober.run(faults, outcomes);
    size_t kept = 0;
    for (size_t n = 0; n < active.size(); ++n) {
      Bisection b = active[n];
      const bool critical = outcomes[n].critical;
      if (b.open && !critical) {
        finish(b);
        continue;
      }
      b.nan = b.nan || outcomes[n].nan;
      (critical ? b.unsafe : b.safe) = b.next();
      b.open = false;
      b.done() ? finish(b) : static_cast<void>(active[kept++] = b);
    }
    active.resize(kept);
  }
  return result;
}

}  // namespace vigor
