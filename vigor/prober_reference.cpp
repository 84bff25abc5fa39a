// The oracle: puts the value in and runs all that is left of the graph, one fault at a time.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "prober.h"

namespace vigor {

namespace {

class ReferenceProber final : public Prober {
 public:
  ReferenceProber(const Graph& graph, const std::vector<Site>& sites)
      : Prober(graph, sites), golden_values_(graph.tensors.size()), faulty_(graph.tensors.size()) {
    for (size_t t = 0; t < graph.tensors.size(); ++t) {
      golden_values_[t].resize(static_cast<size_t>(graph.tensors[t].size));
      faulty_[t].resize(static_cast<size_t>(graph.tensors[t].size));
    }
    for (const Site& site : sites) {
      dependent_.push_back(depends_on(graph, graph.tensor(site.tensor).storage));
    }
  }

 protected:
  void rebind() override { current_ = -1; }

  void probe(std::span<const Fault> faults, std::span<const int64_t> which,
             std::span<Outcome> outcomes) override {
    std::vector<int64_t> by_input(which.begin(), which.end());
    std::stable_sort(by_input.begin(), by_input.end(), [&](int64_t a, int64_t b) {
      return faults[static_cast<size_t>(a)].input < faults[static_cast<size_t>(b)].input;
    });
    for (const int64_t i : by_input) {
      outcomes[static_cast<size_t>(i)] = run_one(faults[static_cast<size_t>(i)]);
    }
  }

 private:
  using Values = std::vector<std::vector<float>>;  // per tensor

  // Its own golden run: nothing is taken from the fast path but the input and the golden class.
  void run_golden(int32_t input) {
    const auto sample = golden_->input(input);
    std::copy(sample.begin(), sample.end(), at(golden_values_, graph_.input));
    for (const Node& node : graph_.nodes) run_node(node, {}, golden_values_);
    current_ = input;
  }

  Outcome run_one(const Fault& fault) {
    if (fault.input != current_) run_golden(fault.input);
    const Site& site = sites_[static_cast<size_t>(fault.site)];
    std::vector<bool> touched(graph_.tensors.size(), false);
    // The fault is visible through every view of its tensor that was made before it as well.
    for (size_t t = 0; t < touched.size(); ++t) {
      if (graph_.tensors[t].storage != graph_.tensor(site.tensor).storage) continue;
      faulty_[t] = golden_values_[t];
      faulty_[t][static_cast<size_t>(fault.element)] = fault.value;
      touched[t] = true;
    }
    bool nan = std::isnan(fault.value);
    const std::vector<bool>& dependent = dependent_[static_cast<size_t>(fault.site)];
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (!dependent[n] || node.op->role() == Role::kView) continue;
      run_node(node, touched, faulty_);
      costs_.macs += node.op->macs();
      const auto& out = faulty_[static_cast<size_t>(node.output)];
      nan = nan || std::any_of(out.begin(), out.end(), [](float x) { return std::isnan(x); });
      for (size_t t = 0; t < touched.size(); ++t) {
        if (graph_.tensors[t].storage == node.output) {
          faulty_[t] = out;
          touched[t] = true;
        }
      }
    }
    const size_t logits = static_cast<size_t>(graph_.logits);
    return judge(touched[logits] ? faulty_[logits].data() : golden_values_[logits].data(), 1,
                 fault.input, nan);
  }

  void run_node(const Node& node, const std::vector<bool>& touched, Values& out) {
    std::vector<const float*> operands;
    for (const int input : node.inputs) {
      const bool faulty = !touched.empty() && touched[static_cast<size_t>(input)];
      operands.push_back(at(faulty ? faulty_ : golden_values_, input));
    }
    if (node.op->role() == Role::kView) {
      std::copy_n(operands[0], graph_.tensor(node.output).size, at(out, node.output));
    } else {
      node.op->forward(operands, at(out, node.output));
    }
  }

  static float* at(Values& values, int tensor) {
    return values[static_cast<size_t>(tensor)].data();
  }

  Values golden_values_, faulty_;
  std::vector<std::vector<bool>> dependent_;  // per site
  int32_t current_ = -1;                      // the input of golden_values_
};

}  // namespace

std::unique_ptr<Prober> make_reference_prober(const Graph& graph, const std::vector<Site>& sites) {
  return std::make_unique<ReferenceProber>(graph, sites);
}

}  // namespace vigor
