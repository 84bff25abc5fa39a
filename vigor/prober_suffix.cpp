// Many faults of one site at once, through the nodes that depend on it.
//
// Lane l always serves input l modulo the block's inputs, so what enters from outside of the suffix
// is spread over the lanes once per site and block; a fault writes one float and takes it back.
#include <algorithm>
#include <map>

#include "kernels/kernels.h"
#include "prober.h"

namespace vigor {

namespace {

class SuffixProber final : public Prober {
 public:
  SuffixProber(const Graph& graph, const std::vector<Site>& sites, int lanes)
      : Prober(graph, sites), most_lanes_(lanes), suffixes_(sites.size()) {}

 protected:
  void rebind() override {
    const int64_t count = golden_->count();
    // A block of more inputs than lanes is served in several groups of inputs.
    group_ = std::min<int64_t>(count, most_lanes_);
    lanes_ = lanes_for(group_ * std::max<int64_t>(most_lanes_ / group_, 1));
    lanes_ = std::min(lanes_, most_lanes_);
    for (auto& suffix : suffixes_) suffix.reset();
  }

  void probe(std::span<const Fault> faults, std::span<const int64_t> which,
             std::span<Outcome> outcomes) override {
    // Queues of faults by (site, input), each in the order given.
    std::map<std::pair<int32_t, int32_t>, std::vector<int64_t>> queues;
    for (const int64_t i : which) {
      const Fault& fault = faults[static_cast<size_t>(i)];
      queues[{fault.site, fault.input}].push_back(i);
    }
    for (auto at = queues.begin(); at != queues.end();) {
      const int32_t site = at->first.first;
      const int64_t group = at->first.second / group_;
      std::vector<std::span<const int64_t>> waiting(static_cast<size_t>(group_));
      for (; at != queues.end() && at->first.first == site && at->first.second / group_ == group;
           ++at) {
        waiting[static_cast<size_t>(at->first.second % group_)] = at->second;
      }
      run_group(site, group, waiting, faults, outcomes);
    }
  }

 private:
  // The nodes that depend on one site, with what they read from outside spread over the lanes.
  struct Suffix {
    Suffix(const Graph& graph, std::vector<int> nodes, int lanes)
        : runner(graph, std::move(nodes), lanes, false) {}
    LaneRunner runner;
    std::map<int, std::vector<float>> outside;  // per storage tensor
    int64_t group = -1;                         // of inputs that `outside` holds
  };

  Suffix& prepare(int32_t site, int64_t group) {
    auto& slot = suffixes_[static_cast<size_t>(site)];
    const int tensor = sites_[static_cast<size_t>(site)].tensor;
    if (!slot) {
      // One site's buffers at a time: work comes site by site.
      for (auto& other : suffixes_) other.reset();
      std::vector<int> nodes;
      const std::vector<bool> dependent = depends_on(graph_, graph_.tensor(tensor).storage);
      for (size_t n = 0; n < dependent.size(); ++n) {
        if (dependent[n]) nodes.push_back(static_cast<int>(n));
      }
      slot = std::make_unique<Suffix>(graph_, nodes, lanes_);
      for (const int bound : slot->runner.bound()) slot->outside[bound];
      slot->outside[graph_.tensor(tensor).storage];
      for (auto& [bound, values] : slot->outside) {
        values.resize(static_cast<size_t>(graph_.tensor(bound).size * lanes_));
        slot->runner.bind(bound, values.data());
      }
    }
    if (slot->group != group) {
      slot->group = group;
      for (auto& [bound, values] : slot->outside) spread(bound, group, values.data());
    }
    return *slot;
  }

  void spread(int tensor, int64_t group, float* out) const {
    const float* golden = golden_->values(tensor);
    const int64_t stride = golden_->lanes();
    std::vector<int64_t> input(static_cast<size_t>(lanes_));
    for (int l = 0; l < lanes_; ++l) input[static_cast<size_t>(l)] = input_of(l, group);
    for (int64_t e = 0; e < graph_.tensor(tensor).size; ++e) {
      for (const int64_t i : input) *out++ = golden[e * stride + i];
    }
  }

  int64_t input_of(int lane, int64_t group) const {
    return std::min(group * group_ + lane % group_, golden_->count() - 1);
  }

  void run_group(int32_t site, int64_t group, std::vector<std::span<const int64_t>>& waiting,
                 std::span<const Fault> faults, std::span<Outcome> outcomes) {
    Suffix& suffix = prepare(site, group);
    const int tensor = graph_.tensor(sites_[static_cast<size_t>(site)].tensor).storage;
    float* values = suffix.outside.at(tensor).data();
    std::vector<int64_t> running(static_cast<size_t>(lanes_));  // fault of each lane, or -1
    std::vector<float> kept(static_cast<size_t>(lanes_));
    std::vector<uint8_t> nan(static_cast<size_t>(lanes_));
    const Kernels& set = kernels();
    while (true) {
      bool any = false;
      for (int l = 0; l < lanes_; ++l) {
        const size_t lane = static_cast<size_t>(l);
        auto& queue = waiting[static_cast<size_t>(l % group_)];
        running[lane] = -1;
        if (queue.empty()) continue;
        running[lane] = queue.front();
        queue = queue.subspan(1);
        const Fault& fault = faults[static_cast<size_t>(running[lane])];
        float& value = values[fault.element * lanes_ + l];
        kept[lane] = value;
        value = fault.value;
        any = true;
      }
      if (!any) return;
      std::fill(nan.begin(), nan.end(), uint8_t{0});
      suffix.runner.run([&](int made) {
        set.find_nan(suffix.runner.values(made), graph_.tensor(made).size, lanes_, lanes_,
                     nan.data());
      });
      const float* logits = suffix.runner.values(graph_.logits);
      for (int l = 0; l < lanes_; ++l) {
        const size_t lane = static_cast<size_t>(l);
        if (running[lane] < 0) continue;
        const Fault& fault = faults[static_cast<size_t>(running[lane])];
        outcomes[static_cast<size_t>(running[lane])] =
            judge(logits + l, lanes_, fault.input, nan[lane] != 0);
        values[fault.element * lanes_ + l] = kept[lane];
        costs_.macs += suffix.runner.macs();
      }
    }
  }

  int most_lanes_;
  int lanes_ = 0;
  int64_t group_ = 1;
  std::vector<std::unique_ptr<Suffix>> suffixes_;
};

}  // namespace

std::unique_ptr<Prober> make_suffix_prober(const Graph& graph, const std::vector<Site>& sites,
                                           int lanes) {
  return std::make_unique<SuffixProber>(graph, sites, lanes);
}

}  // namespace vigor
