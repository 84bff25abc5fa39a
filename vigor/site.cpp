#include "site.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "error.h"
#include "random.h"

namespace vigor {

namespace {

// A node's tensor as a site, and which selections it belongs to.
struct Candidate {
  Site site;
  bool post_activation = false;
  bool pre_activation = false;
};

// conv for Conv, fc for Gemm and MatMul, pool for the pools, bn, else the type in lower case.
std::string short_type(const std::string& type) {
  static const std::map<std::string, std::string> names{
      {"Gemm", "fc"},           {"MatMul", "fc"},        {"BatchNormalization", "bn"},
      {"MaxPool", "pool"},      {"AveragePool", "pool"}, {"GlobalAveragePool", "pool"},
      {"GlobalMaxPool", "pool"}};
  if (const auto at = names.find(type); at != names.end()) return at->second;
  std::string lower = type;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// Short, of harmless characters, and no exporter's "Conv_12".
bool good_name(const Node& node) {
  const std::string& name = node.name;
  const auto harmless = [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; };
  if (name.empty() || name.size() > 24 || !std::isalpha(static_cast<unsigned char>(name[0])) ||
      !std::all_of(name.begin(), name.end(), harmless)) {
    return false;
  }
  return !name.starts_with(node.type + "_");
}

class Names {
 public:
  std::string of(const Node& node) {
    const std::string type = short_type(node.type);
    const int number = ++count_[type];  // counted whether used or not: names do not depend on it
    std::string name = good_name(node) ? node.name : fmt::format("{}{}", type, number);
    while (!used_.insert(name).second) name += "_";
    return name;
  }

 private:
  std::map<std::string, int> count_;
  std::set<std::string> used_;
};

// The last tensor of a weighted layer's neuron: bias, scale, batch norm, one activation.
int end_of_neuron(const Graph& graph, int tensor) {
  int end = tensor;
  for (int at = tensor; graph.tensor(at).consumers.size() == 1 && at != graph.logits;) {
    const Node& next = graph.node(graph.tensor(at).consumers.front());
    const Role role = next.op->role();
    if (role != Role::kAffine && role != Role::kActivation && role != Role::kView) break;
    at = next.output;
    if (role != Role::kView) end = at;
    if (role == Role::kActivation) break;
  }
  return end;
}

std::vector<Candidate> candidates(const Graph& graph) {
  Names names;
  std::vector<Candidate> found;
  std::map<int, size_t> by_tensor;  // tensor -> candidate
  const int logits = graph.tensor(graph.logits).storage;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const Role role = node.op->role();
    if (role == Role::kView || role == Role::kConstant) continue;
    const bool sum = node.type == "Add" && node.inputs.size() == 2;
    const SiteKind kind = node.output == logits ? SiteKind::kLogits
                          : sum                 ? SiteKind::kSum
                                                : SiteKind::kOther;
    by_tensor[node.output] = found.size();
    Candidate candidate{{names.of(node),
                         kind,
                         static_cast<int>(n),
                         node.output,
                         graph.tensor(node.output).size,
                         {}}};
    found.push_back(std::move(candidate));
  }
  // Weighted layers give their names to the end of their neurons.
  for (size_t c = 0; c < found.size(); ++c) {
    const int tensor = found[c].site.tensor;
    if (graph.node(graph.tensor(tensor).producer).op->role() != Role::kWeighted) continue;
    const int end = end_of_neuron(graph, tensor);
    Candidate& post = found[by_tensor.at(end)];
    const std::string layer = found[c].site.name;
    found[c].pre_activation = true;
    if (end != tensor) {
      found[c].site.name += ".pre";
      found[c].site.kind = SiteKind::kPreActivation;
      post.site.name = layer;
      post.site.node = found[c].site.node;
    }
    post.post_activation = true;
    if (post.site.kind != SiteKind::kLogits) post.site.kind = SiteKind::kPostActivation;
  }
  return found;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

std::string_view to_string(SiteKind kind) {
  switch (kind) {
    case SiteKind::kPostActivation:
      return "post-activation";
    case SiteKind::kPreActivation:
      return "pre-activation";
    case SiteKind::kSum:
      return "sum";
    case SiteKind::kLogits:
      return "logits";
    default:
      return "other";
  }
}

std::vector<int64_t> elements(const Site& site, std::span<const int64_t> numbers) {
  std::vector<int64_t> found;
  for (const int64_t k : numbers) found.push_back(site.neurons[static_cast<size_t>(k)]);
  return found;
}

std::vector<Site> all_sites(const Graph& graph) { return select_sites(graph, "all"); }

std::vector<Site> select_sites(const Graph& graph, const std::string& selection) {
  const std::vector<Candidate> known = candidates(graph);
  std::vector<bool> chosen(known.size(), false);
  for (const std::string& wanted : split(selection)) {
    bool any = false;
    for (size_t c = 0; c < known.size(); ++c) {
      const Candidate& candidate = known[c];
      const bool match = wanted == "all" || wanted == candidate.site.name ||
                         (wanted == "post-activation" && candidate.post_activation) ||
                         (wanted == "pre-activation" && candidate.pre_activation) ||
                         (wanted == "logits" && candidate.site.kind == SiteKind::kLogits);
      if (match) chosen[c] = any = true;
    }
    if (any) continue;
    std::vector<std::string> names;
    names.reserve(known.size());
    for (const Candidate& candidate : known) names.push_back(candidate.site.name);
    fail("sites", "got '{}', expected post-activation, pre-activation, logits, all, or some of: {}",
         wanted, fmt::join(names, ", "));
  }
  std::vector<Site> sites;
  for (size_t c = 0; c < known.size(); ++c) {
    if (!chosen[c]) continue;
    sites.push_back(known[c].site);
    sites.back().neurons.resize(static_cast<size_t>(sites.back().population));
    std::iota(sites.back().neurons.begin(), sites.back().neurons.end(), 0);
  }
  return sites;
}

void sample_neurons(std::vector<Site>& sites, const std::string& sample, uint64_t seed) {
  const bool percent = sample.ends_with('%');
  double wanted = 0;
  const char* end = sample.data() + sample.size() - (percent ? 1 : 0);
  const auto [stop, error] = std::from_chars(sample.data(), end, wanted);
  if (error != std::errc() || stop != end || !(wanted > 0) || wanted > (percent ? 100 : 1e12) ||
      (!percent && wanted != std::floor(wanted))) {
    fail("neurons", "got '{}', expected a number such as 200 or a share such as 5%", sample);
  }
  const Philox random(seed);
  for (Site& site : sites) {
    const auto all = static_cast<uint64_t>(site.population);
    const double share = percent ? std::ceil(wanted / 100 * static_cast<double>(all)) : wanted;
    const auto count = std::min(static_cast<uint64_t>(share), all);
    // Floyd: the i-th draw is from [0, all - count + i], or that end itself if it is taken.
    std::set<int64_t> chosen;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t last = all - count + i;
      const auto draw = random.below(last + 1, i, static_cast<uint64_t>(site.tensor));
      if (!chosen.insert(static_cast<int64_t>(draw)).second) {
        chosen.insert(static_cast<int64_t>(last));
      }
    }
    site.neurons.assign(chosen.begin(), chosen.end());
  }
}

std::vector<Site> choose_sites(const Graph& graph, const std::string& selection,
                               const std::string& sample, uint64_t seed) {
  std::vector<Site> sites = select_sites(graph, selection);
  if (!sample.empty()) sample_neurons(sites, sample, seed);
  return sites;
}

}  // namespace vigor
