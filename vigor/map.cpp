#include "map.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "deviation.h"
#include "error.h"
#include "execute.h"
#include "lattice.h"
#include "printable.h"
#include "random.h"
#include "run_head.h"
#include "workers.h"

namespace vigor {

namespace {

// Neurons of a piece of work.
constexpr int64_t kPieceNeurons = 64;
// Keeps drawn places apart from other draws by the same seed.
constexpr uint64_t kPlaceKey = 0x3a9;

struct Decision {
  bool low, critical, high, gap;
};

// What is known of one neuron and one input.
class Known {
 public:
  Known(const SiteResult& site, size_t k, size_t input, int32_t golden_class, float a) : a_(a) {
    if (!site.thresholds.empty()) {
      four_ = &site.thresholds[(input * site.site.neurons.size() + k) * 4];
    } else {
      const SiteTally& tally = site.tally;
      const size_t row = tally.rows > 1 ? static_cast<size_t>(golden_class) : 0;
      const size_t entry = 2 * (row * static_cast<size_t>(tally.neurons) + k);
      safe_ = &tally.nonvulnerable[entry];
      critical_ = &tally.vulnerable[entry];
    }
  }

  /// Of a value inside of the search domain.
  Decision decide(float v) const {
    if (v == a_) return {};
    bool unsafe, safe;
    if (four_ != nullptr) {
      unsafe = v <= four_[1] || v >= four_[3];
      safe = v >= four_[0] && v <= four_[2];
    } else {
      unsafe = compare_deviation(v, a_, critical_[0]) <= 0 ||
               compare_deviation(v, a_, critical_[1]) >= 0;
      safe = compare_deviation(v, a_, safe_[0]) >= 0 && compare_deviation(v, a_, safe_[1]) <= 0;
    }
    return {unsafe, unsafe, !safe, !unsafe && !safe};
  }

 private:
  float a_;
  const float* four_ = nullptr;  // safe and unsafe value below, then above
  const double *safe_ = nullptr, *critical_ = nullptr;
};

// Beyond the domain nothing was found out; the nearest that was is its end.
Decision decide_any(const Known& known, float v) {
  if (std::isnan(v)) return {true, true, true, false};
  if (std::abs(v) <= kMostProbed) return known.decide(v);
  return {false, known.decide(std::copysign(kMostProbed, v)).critical, true, false};
}

class Mapper {
 public:
  Mapper(const Graph& graph, const Dataset& data, const Run& run, const StoredKind& kind,
         int threads)
      : graph_(graph),
        data_(data),
        run_(run),
        threads_(threads > 0 ? threads : available_cores()),
        inputs_(std::ssize(run.golden_class)),
        sites_(sites_of_run()),
        stored_(kind, graph, data, inputs_, sites_, threads_),
        drawn_(stored_.places() > kMostPlaces),
        random_(run.seed ^ kPlaceKey) {
    static_cast<RunHead&>(result_) = describe_run(graph, data, inputs_, threads_);
    if (result_.data_sha256 != run.data_sha256) {
      fail("data", "got other inputs than those analysed: hash {}, expected {}",
           result_.data_sha256, printable(run.data_sha256));
    }
    result_.options = run.options;
    result_.method = "map";
    result_.seed = run.seed;
    result_.stored = kind;
    const int64_t counted = drawn_ ? kDrawnPlaces : stored_.places();
    result_.bins = stored_.fault().by_bit() ? counted : 1;
    result_.faults_per_bin = counted / result_.bins;
    result_.sampled = drawn_;
    result_.per_input = !run.sites.empty() && !run.sites.front().thresholds.empty();
    for (const Site& site : sites_) {
      result_.sites.push_back(
          {describe_site(graph, site), MapTally(std::ssize(site.neurons), result_.bins)});
    }
  }

  Mapping map() {
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t first = 0; first < inputs_; first += inputs_per_block(graph_)) {
      map_block(golden_block(graph_, data_, first, inputs_));
    }
    result_.provenance.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(result_);
  }

 private:
  struct Piece {
    size_t site;
    int64_t first, end;  // neurons
  };

  // The sites of the file, in this graph.
  std::vector<Site> sites_of_run() const {
    if (run_.model_sha256 != graph_.sha256) {
      fail(graph_.file, "is not the network analysed: hash {}, expected {}", graph_.sha256,
           printable(run_.model_sha256));
    }
    if (inputs_ > data_.size()) {
      fail("data", "got {} inputs, expected the {} analysed", data_.size(), inputs_);
    }
    std::vector<Site> found;
    const std::vector<Site> all = all_sites(graph_);
    for (const SiteResult& site : run_.sites) {
      const auto same = [&](const Site& s) { return s.name == site.site.name; };
      const auto at = std::find_if(all.begin(), all.end(), same);
      if (at == all.end() || at->population != site.site.population) {
        fail(graph_.file, "has no site '{}' of {} neurons", printable(site.site.name),
             site.site.population);
      }
      found.push_back(*at);
      found.back().neurons = site.site.neurons;
    }
    return found;
  }

  void map_block(const Golden& golden) {
    std::vector<Piece> pieces;
    for (size_t s = 0; s < sites_.size(); ++s) {
      const auto neurons = std::ssize(sites_[s].neurons);
      for (int64_t first = 0; first < neurons; first += kPieceNeurons) {
        pieces.push_back({s, first, std::min(neurons, first + kPieceNeurons)});
      }
    }
    share_work(threads_, std::ssize(pieces), [&](int, int64_t item) {
      const Piece& piece = pieces[static_cast<size_t>(item)];
      for (int64_t k = piece.first; k < piece.end; ++k) {
        for (int64_t i = 0; i < golden.count(); ++i) {
          if (golden.golden_class(i) >= 0)
            map_neuron(golden, piece.site, static_cast<size_t>(k), i);
        }
      }
    });
  }

  void map_neuron(const Golden& golden, size_t s, size_t k, int64_t i) {
    const Site& site = sites_[s];
    const int64_t element = site.neurons[k];
    const auto input = static_cast<size_t>(golden.first() + i);
    const float a = golden.value(site.tensor, element, i);
    const Known known(run_.sites[s], k, input, golden.golden_class(i), a);
    const NumberFormat& format = stored_.format();
    const float scale = stored_.scale(static_cast<int32_t>(s), element);
    const uint32_t pattern = format.encode(a, scale);
    MapTally& tally = result_.sites[s].tally;
    const Decision encoded = decide_any(known, format.decode(pattern, scale));
    tally.encoded_low[k] += encoded.low;
    tally.encoded_high[k] += encoded.high;
    const int64_t faults = result_.bins * result_.faults_per_bin;
    for (int64_t f = 0; f < faults; ++f) {
      const int64_t place = drawn_ ? drawn_place(site, element, input, f) : f;
      const float v = format.decode(stored_.fault().apply(pattern, place), scale);
      const Decision fate = decide_any(known, v);
      const auto cell =
          k * static_cast<size_t>(result_.bins) + static_cast<size_t>(f / result_.faults_per_bin);
      tally.low[cell] += fate.low;
      tally.critical[cell] += fate.critical;
      tally.high[cell] += fate.high;
      tally.gap[k] += fate.gap;
      tally.nan[k] += std::isnan(v);
      tally.beyond[k] += std::abs(v) > kMostProbed;
      tally.unchanged[k] += v == a;
    }
  }

  // By (site, neuron, input, number) alone.
  int64_t drawn_place(const Site& site, int64_t element, size_t input, int64_t number) const {
    const auto low = static_cast<uint64_t>(element * kDrawnPlaces + number);
    const uint64_t high = static_cast<uint64_t>(input) << 20 | static_cast<uint64_t>(site.tensor);
    return static_cast<int64_t>(random_.below(static_cast<uint64_t>(stored_.places()), low, high));
  }

  const Graph& graph_;
  const Dataset& data_;
  const Run& run_;
  int threads_;
  int64_t inputs_;
  std::vector<Site> sites_;
  StoredFaults stored_;
  bool drawn_;
  Philox random_;
  Mapping result_;
};

}  // namespace

Mapping map_faults(const Graph& graph, const Dataset& data, const Run& run, const StoredKind& kind,
                   int threads) {
  check_data(graph, data);
  return Mapper(graph, data, run, kind, threads).map();
}

}  // namespace vigor
