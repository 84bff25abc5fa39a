#include "map.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "error.h"
#include "execute.h"
#include "lattice.h"
#include "printable.h"
#include "random.h"
#include "run_head.h"
#include "verdict.h"
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
  Known(const SiteResult& site, int64_t k, int64_t input, int32_t golden_class, float a)
      : tally_(site.tally), entry_(range_entry(site.tally, golden_class, k)), a_(a) {
    if (site.thresholds.empty()) return;
    four_ = &site.thresholds[static_cast<size_t>((input * site.tally.neurons + k) * 4)];
  }

  /// Beyond the search domain nothing was found out: the nearest that was is its end.
  Decision decide(float v) const {
    if (std::isnan(v)) return {true, true, true, false};
    if (std::abs(v) <= kMostProbed) return decide_inside(v);
    return {false, decide_inside(std::copysign(kMostProbed, v)).critical, true, false};
  }

 private:
  Decision decide_inside(float v) const {
    if (v == a_) return {};
    const Verdict verdict =
        four_ ? threshold_verdict(four_, v) : range_verdict(tally_, entry_, v, a_);
    const bool critical = verdict == Verdict::kCritical;
    return {critical, critical, verdict != Verdict::kSafe, verdict == Verdict::kUnknown};
  }

  const SiteTally& tally_;
  size_t entry_;
  float a_;
  const float* four_ = nullptr;  // SiteResult::thresholds, if kept
};

class Mapper {
 public:
  Mapper(const Graph& graph, const Dataset& data, const Run& run, const StoredKind& kind,
         int threads)
      : graph_(graph),
        data_(data),
        run_(run),
        threads_(threads > 0 ? threads : available_cores()),
        inputs_(std::ssize(run.golden_class)),
        sites_(sites_of_run(run, graph)),
        stored_(kind, graph, data, inputs_, sites_, threads_),
        drawn_(stored_.places() > kMostPlaces),
        random_(run.seed ^ kPlaceKey) {
    if (!run.has_vulnerable) {
      fail("map", "the run holds no vulnerable ranges (it was made with --ranges inner)");
    }
    if (inputs_ > data.size()) {
      fail("data", "got {} inputs, expected the {} analysed", data.size(), inputs_);
    }
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
    const Known known(run_.sites[s], static_cast<int64_t>(k), golden.first() + i,
                      golden.golden_class(i), a);
    const NumberFormat& format = stored_.format();
    const float scale = stored_.scale(static_cast<int32_t>(s), element);
    const uint32_t pattern = format.encode(a, scale);
    MapTally& tally = result_.sites[s].tally;
    const Decision encoded = known.decide(format.decode(pattern, scale));
    tally.encoded_low[k] += encoded.low;
    tally.encoded_high[k] += encoded.high;
    const int64_t faults = result_.bins * result_.faults_per_bin;
    for (int64_t f = 0; f < faults; ++f) {
      const int64_t place = drawn_ ? drawn_place(site, element, input, f) : f;
      const float v = format.decode(stored_.fault().apply(pattern, place), scale);
      const Decision fate = known.decide(v);
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
