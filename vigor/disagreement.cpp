#include "disagreement.h"

#include <algorithm>
#include <numeric>

#include "run_head.h"
#include "search.h"
#include "workers.h"

namespace vigor {

namespace {

Cause cause_of(const Disagreement& disagreement, const Threshold& below, const Threshold& above) {
  const float v = disagreement.fault.value;
  if (v >= above.unsafe || v <= below.unsafe) {
    return disagreement.nonvulnerable ? Cause::kElsewhere : Cause::kContradiction;
  }
  if (v <= above.safe && v >= below.safe) {
    return disagreement.nonvulnerable ? Cause::kContradiction : Cause::kElsewhere;
  }
  return Cause::kBracket;
}

bool same_neuron(const InjectedFault& a, const InjectedFault& b) {
  return a.input == b.input && a.site == b.site && a.element == b.element;
}

}  // namespace

std::vector<Cause> causes(const Graph& graph, const Dataset& data, const std::vector<Site>& sites,
                          std::span<const Disagreement> disagreements, const Lattice& lattice,
                          const std::string& prober, int threads) {
  std::vector<Cause> result(disagreements.size(), Cause::kNonFinite);
  const auto fault = [&](size_t d) -> const InjectedFault& { return disagreements[d].fault; };
  std::vector<size_t> order;
  for (size_t d = 0; d < disagreements.size(); ++d) {
    if (!fault(d).outcome.nan && !fault(d).outcome.inf) order.push_back(d);
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto key = [&](size_t d) {
      return std::tuple(fault(d).input, fault(d).site, fault(d).element, d);
    };
    return key(a) < key(b);
  });
  std::vector<size_t> first;  // of each input, in `order`; and the end
  for (size_t o = 0; o < order.size(); ++o) {
    if (o == 0 || fault(order[o]).input != fault(order[o - 1]).input) first.push_back(o);
  }
  first.push_back(order.size());
  std::vector<std::unique_ptr<Prober>> probers(static_cast<size_t>(threads));
  share_work(threads, std::ssize(first) - 1, [&](int worker, int64_t item) {
    auto& mine = probers[static_cast<size_t>(worker)];
    if (!mine) mine = make_prober(prober, graph, sites);
    size_t o = first[static_cast<size_t>(item)];
    const size_t end = first[static_cast<size_t>(item) + 1];
    const int64_t input = fault(order[o]).input;
    const Golden golden(graph, read_inputs(graph, data, input, 1), input);
    mine->bind(golden);
    while (o < end) {
      const int32_t site = fault(order[o]).site;
      std::vector<int64_t> neurons;
      size_t next = o;
      for (; next < end && fault(order[next]).site == site; ++next) {
        if (next == o || !same_neuron(fault(order[next]), fault(order[next - 1]))) {
          neurons.push_back(fault(order[next]).element);
        }
      }
      std::vector<int64_t> probes(neurons.size());
      const std::vector<Threshold> found = bisect(*mine, lattice, site, neurons, probes);
      for (size_t k = 0; o < next; ++o) {
        if (neurons[k] != fault(order[o]).element) ++k;
        result[order[o]] = cause_of(disagreements[order[o]], found[2 * k], found[2 * k + 1]);
      }
    }
  });
  return result;
}

}  // namespace vigor
