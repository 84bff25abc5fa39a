// Writes a run of a made-up network: large_run RUN.h5 NEURONS. Random where a real one is, so that
// it packs no better.
#include <cmath>
#include <cstdlib>
#include <random>

#include "error.h"
#include "store.h"

namespace {

constexpr int64_t kSites = 12, kClasses = 10, kInputs = 100;

class Maker {
 public:
  vigor::Run run(int64_t neurons) {
    vigor::Run run;
    run.version = "0";
    run.model = "large.onnx";
    run.model_sha256 = std::string(64, '0');
    run.data = "made up";
    run.preprocessing = run.options = "{}";
    run.method = "lattice";
    run.graph_json = R"({"nodes":[]})";
    run.classes = kClasses;
    run.forward_macs = 1;
    for (int64_t i = 0; i < kInputs; ++i) {
      run.input_index.push_back(i);
      run.golden_class.push_back(static_cast<int32_t>(i % kClasses));
      run.label.push_back(static_cast<int32_t>(i % kClasses));
    }
    for (int64_t s = 0; s < kSites; ++s) run.sites.push_back(site(s, neurons / kSites / 100));
    return run;
  }

 private:
  vigor::SiteResult site(int64_t number, int64_t channels) {
    vigor::SiteResult site;
    const int64_t count = channels * 100;
    site.site.name = fmt::format("conv{}", number + 1);
    site.site.population = count;
    site.node_name = site.tensor_name = site.site.name;
    site.shape = {channels, 10, 10};
    for (int64_t k = 0; k < count; ++k) site.site.neurons.push_back(k);
    site.tally = vigor::SiteTally(count, kClasses + 1);
    site.far_class.assign(static_cast<size_t>(2 * count), -1);
    for (int64_t k = 0; k < count; ++k) fill(site, k, count);
    return site;
  }

  void fill(vigor::SiteResult& site, int64_t k, int64_t count) {
    vigor::SiteTally& tally = site.tally;
    for (int64_t row = 0; row <= kClasses; ++row) {
      for (int side = 0; side < 2; ++side) {
        const auto at = static_cast<size_t>(2 * (row * count + k) + side);
        const double sign = side ? 1 : -1;
        tally.nonvulnerable[at] = sign * std::exp(normal_(engine_));
        tally.vulnerable[at] = tally.vulnerable_finite[at] =
            2 * tally.nonvulnerable[at] * (1 + std::abs(normal_(engine_)));
        tally.finite[at] = 1;
        tally.golden[at] = static_cast<float>(side * std::exp(normal_(engine_)));
      }
    }
    for (int bit = 23; bit < 32; ++bit) {
      const auto cell = static_cast<size_t>(k * vigor::kBits + bit);
      const auto critical = static_cast<int64_t>(engine_() % (bit == 30 ? kInputs : 4));
      tally.critical[cell] = tally.critical_low[cell] = critical;
      tally.critical_high[cell] = critical + 1;
    }
    site.far_class[static_cast<size_t>(2 * k + 1)] = static_cast<int32_t>(engine_() % kClasses);
    tally.histogram[130 + engine_() % 40] += kInputs;
  }

  std::mt19937 engine_{1};
  std::normal_distribution<double> normal_{0, 2};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  vigor::write_run(argv[1], Maker().run(std::atoll(argv[2])));
  return 0;
}
