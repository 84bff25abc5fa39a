// Many faults of one site at once, through the nodes that depend on it.
//
// Lanes show the inputs of their faults: what enters from outside of the suffix is spread over the
// lanes, again only where a batch shows other inputs than the one before. A fault writes one float
// and takes it back.
#include <algorithm>
#include <map>

#include "kernels/kernels.h"
#include "prober.h"

namespace vigor {

namespace {

class SuffixProber final : public Prober {
 public:
  SuffixProber(const Graph& graph, const std::vector<Site>& sites, int lanes)
      : Prober(graph, sites), lanes_(lanes), nan_(static_cast<size_t>(lanes)) {}

 protected:
  void rebind() override { suffix_.reset(); }

  void probe(std::span<const Fault> faults, std::span<const int64_t> which,
             std::span<Outcome> outcomes) override {
    items_.clear();
    rounds_.assign(sites_.size() * static_cast<size_t>(golden_->count()), 0);
    for (const int64_t i : which) {
      const Fault& f = faults[static_cast<size_t>(i)];
      const int64_t of = f.site * golden_->count() + f.input;
      items_.push_back({f.site, rounds_[static_cast<size_t>(of)]++, f.input, i});
    }
    std::sort(items_.begin(), items_.end());
    batch_.clear();
    for (size_t i = 0; i < items_.size(); ++i) {
      batch_.push_back(items_[i].fault);
      const bool last = i + 1 == items_.size() || items_[i + 1].site != items_[i].site;
      if (!last && std::ssize(batch_) < lanes_) continue;
      run_batch(items_[i].site, batch_, faults, outcomes);
      batch_.clear();
    }
  }

 private:
  // By site; there a first fault of each input, a second of each, and so on: so that batches mostly
  // show the same inputs.
  struct Item {
    int32_t site, round, input;
    int64_t fault;
    auto operator<=>(const Item&) const = default;
  };
  // The nodes that depend on one site, with what they read from outside spread over the lanes.
  struct Suffix {
    Suffix(const Graph& graph, std::vector<int> nodes, int lanes)
        : runner(graph, std::move(nodes), lanes, false), inputs(static_cast<size_t>(lanes), -1) {}
    LaneRunner runner;
    std::map<int, LaneFloats> outside;  // per storage tensor
    std::vector<int32_t> inputs;        // that the lanes show
  };

  // One site's buffers at a time: work comes site by site.
  Suffix& prepare(int32_t site) {
    if (suffix_ && site_ == site) return *suffix_;
    site_ = site;
    suffix_.reset();
    const int tensor = storage(site);
    std::vector<int> nodes;
    const std::vector<bool> dependent = depends_on(graph_, tensor);
    for (size_t n = 0; n < dependent.size(); ++n) {
      if (dependent[n]) nodes.push_back(static_cast<int>(n));
    }
    suffix_ = std::make_unique<Suffix>(graph_, nodes, lanes_);
    for (const int bound : suffix_->runner.bound()) suffix_->outside[bound];
    suffix_->outside[tensor];
    for (auto& [bound, values] : suffix_->outside) {
      values.resize(static_cast<size_t>(graph_.tensor(bound).size * lanes_));
      suffix_->runner.bind(bound, values.data());
    }
    return *suffix_;
  }

  int storage(int32_t site) const {
    return graph_.tensor(sites_[static_cast<size_t>(site)].tensor).storage;
  }

  // Lanes without a fault go on showing what they did.
  void show_inputs(Suffix& suffix, std::span<const int64_t> batch, std::span<const Fault> faults) {
    bool same = true;
    for (size_t l = 0; l < suffix.inputs.size(); ++l) {
      int32_t& input = suffix.inputs[l];
      const int32_t shown =
          l < batch.size() ? faults[static_cast<size_t>(batch[l])].input : std::max(input, 0);
      same = same && shown == input;
      input = shown;
    }
    if (same) return;
    for (auto& [tensor, values] : suffix.outside) {
      const float* golden = golden_->values(tensor);
      for (int64_t e = 0; e < graph_.tensor(tensor).size; ++e) {
        kernels().gather(golden + e * golden_->lanes(), golden_->lanes(), suffix.inputs.data(),
                         lanes_, values.data() + e * lanes_);
      }
    }
  }

  void run_batch(int32_t site, std::span<const int64_t> batch, std::span<const Fault> faults,
                 std::span<Outcome> outcomes) {
    Suffix& suffix = prepare(site);
    show_inputs(suffix, batch, faults);
    const LaneRunner& runner = suffix.runner;
    float* values = suffix.outside.at(storage(site)).data();
    const auto place = [&](size_t lane) -> float& {
      return values[faults[static_cast<size_t>(batch[lane])].element * lanes_ +
                    static_cast<int64_t>(lane)];
    };
    for (size_t l = 0; l < batch.size(); ++l)
      place(l) = faults[static_cast<size_t>(batch[l])].value;
    std::fill(nan_.begin(), nan_.end(), uint8_t{0});
    suffix.runner.run([&](int made) {
      kernels().find_nan(runner.values(made), graph_.tensor(made).size, lanes_, lanes_,
                         nan_.data());
    });
    const float* logits = runner.values(graph_.logits);
    for (size_t l = 0; l < batch.size(); ++l) {
      const Fault& fault = faults[static_cast<size_t>(batch[l])];
      outcomes[static_cast<size_t>(batch[l])] =
          judge(logits + l, lanes_, fault.input, nan_[l] != 0);
      place(l) = golden_->value(storage(site), fault.element, fault.input);
      costs_.macs += runner.macs();
    }
  }

  int lanes_;
  std::vector<Item> items_;
  std::vector<int32_t> rounds_;  // [site][input]: faults so far
  std::vector<int64_t> batch_;
  std::vector<uint8_t> nan_;  // of each lane: met one on the way
  std::unique_ptr<Suffix> suffix_;
  int32_t site_ = -1;  // of suffix_
};

}  // namespace

std::unique_ptr<Prober> make_suffix_prober(const Graph& graph, const std::vector<Site>& sites,
                                           int lanes) {
  return std::make_unique<SuffixProber>(graph, sites, lanes);
}

}  // namespace vigor
