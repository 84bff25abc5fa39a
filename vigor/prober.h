// The narrow waist: with this value at this neuron for this input, what does the network answer?
//
// Searches, bit flips, injection and validation make faults and read outcomes; they hold no
// kernels. A prober holds no policy.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "execute.h"
#include "site.h"
#include "slopes.h"

namespace vigor {

/// One neuron's value replaced during one execution.
struct Fault {
  int32_t input;    // in the golden block
  int32_t site;     // in the prober's sites
  int64_t element;  // flat index of the neuron in the site's tensor
  float value;      // v, not the deviation
};

struct Outcome {
  int32_t top = -1;       // the class answered, -1 with a NaN
  float margin = 0;       // of the golden class: E_t - max over j != t of E_j
  int32_t rank = -1;      // classes that stand before the golden one
  bool critical = false;  // nan, or top is not the golden class
  bool masked = false;    // all logits equal the golden ones
  bool nan = false;       // the value or any tensor computed from it holds a NaN
  bool inf = false;       // a logit is infinite
};

/// What it cost. A fault that changes nothing (v == a) and one that is NaN costs no run.
struct ProbeCosts {
  int64_t probes = 0;
  int64_t macs = 0;
  int64_t masked = 0;  // probes that changed no logit
  // Of the region prober: segments run, lanes that were in use in them, segments planned, and the
  // most bytes that these took at a time.
  int64_t batches = 0, lanes = 0, plans = 0, plan_bytes = 0;

  /// Sums; of plan_bytes too, as each prober has plans of its own.
  ProbeCosts& operator+=(const ProbeCosts& other);
};

/// One per thread.
class Prober {
 public:
  virtual ~Prober() = default;
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  /// The inputs that faults refer to; `golden` outlives its use here.
  void bind(const Golden& golden);
  const Golden& golden() const { return *golden_; }
  const Site& site(int32_t index) const { return sites_[static_cast<size_t>(index)]; }
  const Graph& graph() const { return graph_; }

  /// Outcomes in the order of the faults, each independent of all others. Faults of inputs that the
  /// golden run leaves out are not allowed.
  void run(std::span<const Fault> faults, std::span<Outcome> outcomes);

  /// With values[l] at one neuron for the input of lane l of the golden block: what the network
  /// answers, and how that changes with the value (METHOD section 3). One run per input. Throws
  /// Error where an operator behind the site has no derivative. Valid until the next call.
  const Slopes& slopes(int32_t site, int64_t element, const float* values);

  const ProbeCosts& costs() const { return costs_; }

 protected:
  Prober(const Graph& graph, const std::vector<Site>& sites) : graph_(graph), sites_(sites) {}

  virtual void rebind() = 0;
  /// Runs the faults listed in `which`; their values are no NaN and differ from the golden ones.
  virtual void probe(std::span<const Fault> faults, std::span<const int64_t> which,
                     std::span<Outcome> outcomes) = 0;

  /// Outcome from the logits logits[class * stride] of a fault on `input`.
  Outcome judge(const float* logits, int64_t stride, int32_t input, bool nan) const;

  const Graph& graph_;
  const std::vector<Site>& sites_;
  const Golden* golden_ = nullptr;
  ProbeCosts costs_;

 private:
  std::vector<int64_t> which_;
  std::unique_ptr<SlopeRunner> slopes_;  // of one site at a time
  int32_t slopes_site_ = -1;
};

/// Bytes of plans and waiting batches that a region prober keeps.
inline constexpr int64_t kProberCache = int64_t{128} << 20;

/// "reference": one fault at a time, the whole remaining graph, plain loops. The oracle.
/// "suffix": many at once, the part of the graph that depends on the site. The same bits.
/// "region": runs only what a fault changes. Its sums start from golden ones, so that margins
/// differ from the others' in the last bits (METHOD section 7); with small integers they are the
/// same. `lanes` (a multiple of 16 up to kMostLanes) bounds the batch; it does not change any
/// outcome.
std::unique_ptr<Prober> make_prober(const std::string& kind, const Graph& graph,
                                    const std::vector<Site>& sites, int lanes = 64,
                                    int64_t cache = kProberCache);

/// Implementations.
std::unique_ptr<Prober> make_reference_prober(const Graph& graph, const std::vector<Site>& sites);
std::unique_ptr<Prober> make_region_prober(const Graph& graph, const std::vector<Site>& sites,
                                           int lanes, int64_t cache);
std::unique_ptr<Prober> make_suffix_prober(const Graph& graph, const std::vector<Site>& sites,
                                           int lanes);

}  // namespace vigor
