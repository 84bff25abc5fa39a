// Faults in the stored values of a network's neurons: v = decode(fault(encode(a))) (METHOD section
// 5). Only the faulty neuron's value is converted; the rest of the network stays float32.
#pragma once

#include <string>
#include <vector>

#include "dataset.h"
#include "fault_model.h"
#include "number_format.h"
#include "site.h"

namespace vigor {

/// A number format and a fault model, by name. The default is what `vigor analyze` counts.
struct StoredKind {
  std::string format = "float32";
  std::string fault = "flip";

  /// "A random single bit flip", "A random fault (stuck-0, int8)".
  std::string phrase() const {
    return is_default() ? "A random single bit flip"
                        : "A random fault (" + fault + ", " + format + ")";
  }
  bool is_default() const { return format == "float32" && fault == "flip"; }
};

class StoredFaults {
 public:
  /// Formats with a scale are calibrated on the golden runs of the first `inputs` of the data: over
  /// all elements of a site's tensor, or of each channel (its first dimension after the batch),
  /// whatever neurons are sampled. Throws Error for unknown names.
  StoredFaults(const StoredKind& kind, const Graph& graph, const Dataset& data, int64_t inputs,
               const std::vector<Site>& sites, int threads);

  const NumberFormat& format() const { return format_; }
  const FaultModel& fault() const { return fault_; }
  /// Faults of one stored value.
  int64_t places() const { return fault_.places(); }

  /// Of a neuron: `element` in the tensor of site number `site`.
  float scale(int32_t site, int64_t element) const {
    const SiteScales& scales = scales_[static_cast<size_t>(site)];
    return scales.values.empty() ? 1.0F
                                 : scales.values[static_cast<size_t>(element / scales.elements)];
  }
  /// What is left of `a` without a fault.
  float encoded(int32_t site, int64_t element, float a) const {
    const float s = scale(site, element);
    return format_.decode(format_.encode(a, s), s);
  }
  float faulty(int32_t site, int64_t element, float a, int64_t place) const {
    const float s = scale(site, element);
    return format_.decode(fault_.apply(format_.encode(a, s), place), s);
  }

 private:
  struct SiteScales {
    std::vector<float> values;  // none: the format has no scale
    int64_t elements = 1;       // that share one
  };
  void calibrate(const Graph& graph, const Dataset& data, int64_t inputs,
                 const std::vector<Site>& sites, int threads);

  NumberFormat format_;
  FaultModel fault_;
  std::vector<SiteScales> scales_;
};

}  // namespace vigor
