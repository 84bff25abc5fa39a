#include <algorithm>
#include <array>
#include <utility>

#include "injection.h"
#include "sealed_file.h"
#include "store_head.h"

namespace vigor {

namespace {

// Counts of a site, under their names in the file.
template <typename Tally>
auto counts_of(Tally& tally) {
  return std::array{std::pair{"faults", &tally.faults}, std::pair{"critical", &tally.critical},
                    std::pair{"masked", &tally.masked}, std::pair{"benign", &tally.benign},
                    std::pair{"top5", &tally.top5},     std::pair{"nan", &tally.nan},
                    std::pair{"inf", &tally.inf}};
}

template <typename Tally>
auto input_counts_of(Tally& tally) {
  return std::array{std::pair{"input_faults", &tally.input_faults},
                    std::pair{"input_critical", &tally.input_critical},
                    std::pair{"input_nan", &tally.input_nan},
                    std::pair{"input_correct", &tally.input_correct}};
}

void put_rate(const Hdf5Group& group, const FaultRate& rate) {
  group.put("critical_rate", rate.rate);
  group.put("critical_interval", std::vector{rate.low, rate.high});
}

void put_site(const Hdf5Group& group, const InjectionSite& site, const Injection& injection) {
  const InjectionTally& tally = site.tally;
  put_site_head(group, site);
  put_rate(group, site_rate(injection, site));
  const AccuracyCounts accuracy = accuracy_counts(injection, site);
  group.put("accuracy_loss", accuracy_loss(injection, site));
  group.put("labelled", accuracy.labelled);
  group.put("golden_correct", accuracy.golden_correct);
  group.put("faulty_correct", accuracy.faulty_correct);
  const Extents cells{static_cast<hsize_t>(injection.classes), kFaultBins};
  for (const auto& [name, values] : counts_of(tally)) {
    std::vector<int64_t> bins(kFaultBins, 0);
    for (size_t i = 0; i < values->size(); ++i) bins[i % kFaultBins] += (*values)[i];
    group.put_array(name, bins, {kFaultBins});
    group.put_array(std::string("class_") + name, *values, cells);
  }
  for (const auto& [name, values] : input_counts_of(tally)) {
    group.put_array(name, *values, {values->size()});
  }
  if (injection.stored.is_default()) return;
  group.put_array("input_encoded", tally.input_encoded, {tally.input_encoded.size()});
  group.put("encoding_rate", encoding_rate(site));
}

void put_injection(const Hdf5Group& root, const Injection& injection) {
  put_head(root, injection, kInjectionKind);
  const Hdf5Group plan = root.create("plan");
  plan.put("kind", injection.plan.kind);
  plan.put("margin", injection.plan.margin);
  plan.put("confidence", injection.plan.confidence);
  plan.put("until_margin", int32_t{injection.plan.until_margin});
  if (!injection.stored.is_default()) {
    plan.put("format", injection.stored.format);
    plan.put("fault", injection.stored.fault);
  }
  const Hdf5Group sites = root.create("sites");
  for (size_t i = 0; i < injection.sites.size(); ++i) {
    put_site(sites.create(fmt::format("{:04}", i)), injection.sites[i], injection);
  }
  const Hdf5Group model = root.create("model");
  put_rate(model, model_rate(injection));
  model.put("probes", injection.probes);
  model.put("macs", injection.macs);
  model.put("forward_macs", injection.forward_macs);
  put_provenance(root, injection.provenance);
}

FaultPlan read_plan(const Hdf5Group& group) {
  FaultPlan plan;
  plan.kind = group.get_string("kind");
  bool known = false;
  for (const char* kind : {"input", "layer", "model", "exhaustive", "list"}) {
    known |= plan.kind == kind;
  }
  if (!known) throw Error(group.path("kind") + " is no kind of plan");
  plan.margin = group.get<double>("margin");
  plan.confidence = group.get<double>("confidence");
  for (const double share : {plan.margin, plan.confidence}) {
    if (!(share > 0 && share < 1)) throw Error("/plan: got no share between 0 and 1");
  }
  plan.until_margin = group.get<int32_t>("until_margin") != 0;
  return plan;
}

// Throws where the names are not known.
int64_t places_of(const StoredKind& stored) {
  const int bits = NumberFormat::parse(stored.format).bits();
  return FaultModel::parse(stored.fault, bits).places();
}

InjectionSite read_site(const Hdf5Group& group, const Injection& injection) {
  InjectionSite site{read_site_head(group), {}};
  InjectionTally& tally = site.tally;
  const auto counts = [&](const std::string& name, const Extents& extents) {
    std::vector<int64_t> values = group.get_array<int64_t>(name, extents);
    // Sums over all sites stay in range.
    const auto most = kMost / (1 << 16) / std::max<int64_t>(std::ssize(values), 1);
    within(values, 0, most, group.path(name));
    return values;
  };
  for (const auto& [name, values] : counts_of(tally)) {
    *values =
        counts(std::string("class_") + name, {static_cast<hsize_t>(injection.classes), kFaultBins});
  }
  for (const auto& [name, values] : input_counts_of(tally)) {
    *values = counts(name, {injection.golden_class.size()});
  }
  const Extents inputs{injection.golden_class.size()};
  tally.input_encoded = injection.stored.is_default() ? std::vector<int64_t>(inputs[0])
                                                      : counts("input_encoded", inputs);
  for (size_t i = 0; i < tally.faults.size(); ++i) {
    if (tally.critical[i] + tally.masked[i] + tally.benign[i] != tally.faults[i] ||
        tally.nan[i] > tally.critical[i]) {
      throw Error(group.path("class_faults") + " is not the sum of its outcomes");
    }
  }
  for (size_t i = 0; i < tally.input_faults.size(); ++i) {
    if (tally.input_critical[i] > tally.input_faults[i] ||
        tally.input_nan[i] > tally.input_critical[i] ||
        tally.input_correct[i] > tally.input_faults[i] ||
        tally.input_encoded[i] > tally.input_faults[i]) {
      throw Error(group.path("input_faults") + " are fewer than their outcomes");
    }
  }
  return site;
}

}  // namespace

void write_injection(const std::filesystem::path& file, const Injection& injection) {
  write_sealed(file, [&](const Hdf5Group& root) { put_injection(root, injection); });
}

Injection read_injection(const std::filesystem::path& file) {
  Injection injection;
  read_sealed(file, [&](const Hdf5Group& root) {
    check_schema(file.string(), root, kInjectionKind);
    read_head(root, injection);
    const Hdf5Group plan = root.open("plan");
    injection.plan = read_plan(plan);
    if (plan.has_attribute("format")) {
      injection.stored = {plan.get_string("format"), plan.get_string("fault")};
    }
    injection.places = places_of(injection.stored);
    const Hdf5Group model = root.open("model");
    injection.probes = within(model.get<int64_t>("probes"), 0, kMost, model.path("probes"));
    injection.macs = within(model.get<int64_t>("macs"), 0, kMost, model.path("macs"));
    const Hdf5Group sites = root.open("sites");
    within(sites.members(), 1, kMost, "/sites");
    for (int64_t i = 0; i < sites.members(); ++i) {
      injection.sites.push_back(read_site(sites.open(fmt::format("{:04}", i)), injection));
    }
  });
  return injection;
}

bool holds_injection(const std::filesystem::path& file) { return holds_kind(file, kInjectionKind); }

}  // namespace vigor
