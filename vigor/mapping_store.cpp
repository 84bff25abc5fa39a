#include <array>
#include <utility>

#include "mapping.h"
#include "sealed_file.h"
#include "store_head.h"

namespace vigor {

namespace {

template <typename Tally>
auto cells_of(Tally& tally) {
  return std::array{std::pair{"count_low", &tally.low}, std::pair{"count", &tally.critical},
                    std::pair{"count_high", &tally.high}};
}

template <typename Tally>
auto neuron_counts_of(Tally& tally) {
  return std::array{std::pair{"nan", &tally.nan},
                    std::pair{"beyond", &tally.beyond},
                    std::pair{"gap", &tally.gap},
                    std::pair{"unchanged", &tally.unchanged},
                    std::pair{"encoded_low", &tally.encoded_low},
                    std::pair{"encoded_high", &tally.encoded_high}};
}

void put_factor(const Hdf5Group& group, const std::string& name, const MapFactor& factor) {
  group.put(name + "_low", factor.low);
  group.put(name, factor.resolved);
  group.put(name + "_high", factor.high);
  group.put(name + "_nan", factor.nan);
  group.put("beyond_share", factor.beyond);
  group.put("gap_share", factor.gap);
  group.put("unchanged_share", factor.unchanged);
  group.put("encoded_low_share", factor.encoded_low);
  group.put("encoded_high_share", factor.encoded_high);
}

void put_mapping(const Hdf5Group& root, const Mapping& mapping) {
  put_head(root, mapping, kMapKind);
  const Hdf5Group map = root.create("map");
  map.put("format", mapping.stored.format);
  map.put("fault", mapping.stored.fault);
  map.put("per_input", int32_t{mapping.per_input});
  map.put("bins", mapping.bins);
  map.put("faults_per_bin", mapping.faults_per_bin);
  map.put("sampled", int32_t{mapping.sampled});
  const Hdf5Group sites = root.create("sites");
  for (size_t i = 0; i < mapping.sites.size(); ++i) {
    const MapSite& site = mapping.sites[i];
    const Hdf5Group group = sites.create(fmt::format("{:04}", i));
    const auto neurons = static_cast<hsize_t>(site.site.neurons.size());
    put_site_head(group, site);
    put_factor(group, "lvf", map_factor(mapping, site));
    for (const auto& [name, values] : cells_of(site.tally)) {
      group.put_array(name, *values, {neurons, static_cast<hsize_t>(mapping.bins)});
    }
    for (const auto& [name, values] : neuron_counts_of(site.tally)) {
      group.put_array(name, *values, {neurons});
    }
  }
  const Hdf5Group model = root.create("model");
  put_factor(model, "mvf", map_factor(mapping));
  model.put("forward_macs", mapping.forward_macs);
  put_provenance(root, mapping.provenance);
}

MapSite read_site(const Hdf5Group& group, const Mapping& mapping) {
  MapSite site{read_site_head(group), {0, 0}};
  const auto neurons = static_cast<hsize_t>(site.site.neurons.size());
  const int64_t most = mapping.inputs() * mapping.faults_per_bin;
  const auto counts = [&](const std::string& name, const Extents& extents, int64_t bound) {
    return within(group.get_array<int64_t>(name, extents), 0, bound, group.path(name));
  };
  for (const auto& [name, values] : cells_of(site.tally)) {
    *values = counts(name, {neurons, static_cast<hsize_t>(mapping.bins)}, most);
  }
  for (const auto& [name, values] : neuron_counts_of(site.tally)) {
    *values = counts(name, {neurons}, most * mapping.bins);
  }
  for (size_t i = 0; i < site.tally.low.size(); ++i) {
    if (site.tally.low[i] > site.tally.critical[i] || site.tally.critical[i] > site.tally.high[i]) {
      throw Error(group.path("count") + " is not between count_low and count_high");
    }
  }
  return site;
}

}  // namespace

void write_mapping(const std::filesystem::path& file, const Mapping& mapping) {
  write_sealed(file, [&](const Hdf5Group& root) { put_mapping(root, mapping); });
}

bool holds_mapping(const std::filesystem::path& file) { return holds_kind(file, kMapKind); }

Mapping read_mapping(const std::filesystem::path& file) {
  Mapping mapping;
  read_sealed(file, [&](const Hdf5Group& root) {
    check_schema(file.string(), root, kMapKind);
    read_head(root, mapping);
    const Hdf5Group map = root.open("map");
    mapping.stored = {map.get_string("format"), map.get_string("fault")};
    const int bits = NumberFormat::parse(mapping.stored.format).bits();
    const FaultModel fault = FaultModel::parse(mapping.stored.fault, bits);
    mapping.per_input = map.get<int32_t>("per_input") != 0;
    mapping.sampled = map.get<int32_t>("sampled") != 0;
    const int64_t bins = fault.by_bit() ? fault.places() : 1;
    mapping.bins = within(map.get<int64_t>("bins"), bins, bins, map.path("bins"));
    mapping.faults_per_bin =
        within(map.get<int64_t>("faults_per_bin"), 1, 1 << 16, map.path("faults_per_bin"));
    const Hdf5Group sites = root.open("sites");
    within(sites.members(), 1, kMost, "/sites");
    for (int64_t i = 0; i < sites.members(); ++i) {
      mapping.sites.push_back(read_site(sites.open(fmt::format("{:04}", i)), mapping));
    }
  });
  return mapping;
}

}  // namespace vigor
