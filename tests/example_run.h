// A small Run whose factors can be worked out on paper.
#pragma once

#include <limits>

#include "run.h"

namespace vigor {

/// Three classes, of which class 1 has no input; inputs 0 and 3 are of class 0, input 1 of class 2,
/// input 2 was left out. Site conv1: all 4 neurons of 1x2x2, ranges per class. Site fc1: neurons 1
/// and 4 of 6, ranges of all inputs together.
inline Run example_run() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Run run;
  run.version = "0.1.0";
  run.model = "model.onnx";
  run.model_sha256 = "00ff";
  run.data = "images, labels";
  run.data_sha256 = "11ee";
  run.preprocessing = "{\"scale\":0.5}";
  run.split = "";
  run.options = "{\"sites\":\"post-activation\"}";
  run.method = "lattice";
  run.graph_json = "{\"nodes\":[]}";
  run.seed = std::numeric_limits<uint64_t>::max();
  run.class_names = {"zero", "", "zw\xc3\xb6lf"};
  run.classes = 3;
  run.forward_macs = 1000;
  run.input_index = {0, 1, 2, 7};
  run.golden_class = {0, 2, -1, 0};
  run.label = {0, 1, -1, 2};
  run.provenance = {1.5, "box", "avx2", "2024-01-01T00:00:00Z", "vigor analyze", 4, 2, "{}"};

  SiteResult conv;
  conv.site = {"conv1", SiteKind::kPostActivation, -1, -1, 4, {0, 1, 2, 3}};
  conv.node_name = "/conv1/Conv";
  conv.tensor_name = "relu1";
  conv.shape = {1, 2, 2};
  conv.tally = SiteTally(4, 4);
  for (size_t k = 0; k < 4; ++k) {
    for (const size_t row : {0U, 2U, 3U}) {
      const size_t entry = 2 * (4 * row + k);
      conv.tally.nonvulnerable[entry] = k == 0 ? -kInfinity : -1.0 - static_cast<double>(k);
      conv.tally.nonvulnerable[entry + 1] = 0.5;
      conv.tally.vulnerable[entry] = k == 0 ? -kInfinity : -2.0 - static_cast<double>(k);
      conv.tally.vulnerable[entry + 1] = k == 1 ? kInfinity : 0.75;
      if (k != 0) conv.tally.vulnerable_finite[entry] = conv.tally.vulnerable[entry];
      conv.tally.vulnerable_finite[entry + 1] = 0.75;
      conv.tally.finite[entry] = k == 0 ? 0 : 1;
      conv.tally.finite[entry + 1] = 1;
      conv.tally.golden[entry] = 0;
      conv.tally.golden[entry + 1] = 0.25F * static_cast<float>(k + 1);
    }
  }
  // Bit 30 of all neurons for every input (3 each), bit 29 of neuron 1 for one: 13 of 384 flips.
  for (size_t k = 0; k < 4; ++k) {
    conv.tally.critical[k * kBits + 30] = 3;
    conv.tally.critical_low[k * kBits + 30] = 2;
    conv.tally.critical_high[k * kBits + 30] = 3;
    conv.tally.probes[k] = 6;
  }
  conv.tally.critical[1 * kBits + 29] = 1;
  conv.tally.critical_high[1 * kBits + 29] = 2;
  conv.tally.critical_nan[2 * kBits + 30] = 2;
  conv.tally.critical_beyond[2 * kBits + 30] = 2;
  conv.tally.contradictions[3] = 1;
  conv.tally.overflow[2] = 3;
  conv.tally.histogram[150] = 12;
  conv.tally.audited = 50;
  conv.tally.disagreements = 1;
  conv.tally.macs = 6000;
  conv.cuts = 1;
  conv.far_class = {-1, 2, -1, 0, -1, -1, 1, 1};
  for (int i = 0; i < 4 * 4 * 4; ++i) conv.thresholds.push_back(static_cast<float>(i));
  conv.thresholds[3] = std::numeric_limits<float>::infinity();

  SiteResult dense;
  dense.site = {"fc1", SiteKind::kLogits, -1, -1, 6, {1, 4}};
  dense.node_name = "gemm, \"fc\"";
  dense.tensor_name = "logits";
  dense.shape = {6};
  dense.tally = SiteTally(2, 1);
  dense.tally.nonvulnerable = {-1, 1, -2, 2};
  dense.tally.vulnerable = {-3, 3, -kInfinity, kInfinity};
  dense.tally.vulnerable_finite = {-3, 3, -4, 4};
  dense.tally.finite = {3, 3, 1, 2};
  dense.tally.golden = {-0.5F, 0.5F, 0, 2};
  // Neuron 0: 6 of 96 flips, neuron 1: 18 of 96.
  dense.tally.critical[30] = 3;
  dense.tally.critical[31] = 3;
  for (size_t bit = 26; bit < 32; ++bit) dense.tally.critical[kBits + bit] = 3;
  dense.tally.critical_high = dense.tally.critical;
  dense.tally.probes = {10, 20};
  dense.tally.macs = 3000;
  dense.far_class = {-1, -1, 0, 2};
  run.sites = {conv, dense};
  return run;
}

}  // namespace vigor
