// Lists of faults as CSV: what an injection ran, and what it shall run again.
//
//     input,site,element,bit,value,outcome,top,rank,inf
//
// The first line names the columns. A list that is read needs input (position in the data set),
// site, element (flat index in the site's tensor) and bit (31 is the sign) or value (the faulty
// one); where both stand the bit counts. Other columns are ignored.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "csv.h"
#include "prober.h"

namespace vigor {

struct ListedFault {
  int64_t input;
  int32_t site;  // in FaultList::sites
  int64_t element;
  int bit;  // -1: the value
  float value;
};

struct FaultList {
  std::vector<Site> sites;  // those named, in graph order, with all their neurons
  std::vector<ListedFault> faults;
  std::string sha256;  // of the file
};

/// Throws Error naming file and line: not readable, not a list, sites and elements that the network
/// has not, inputs beyond `inputs`, no fault at all.
FaultList read_fault_list(const std::filesystem::path& file, const Graph& graph, int64_t inputs);

/// A fault that was run.
struct InjectedFault {
  int64_t input;
  int32_t site;
  int64_t element;
  int bit;  // -1: none
  float value;
  float encoded;  // the fault-free value as stored in the number format
  Outcome outcome;
  bool encoded_critical;  // storing the value is critical without any fault
};

/// "masked", "benign", "critical" (the answer changed) or "nan".
std::string_view outcome_name(const Outcome& outcome);

/// Writes a list with outcomes, which read_fault_list reads again. Without `bits` a fault is known
/// by its value alone, as flips in formats other than float32 must be.
class FaultListWriter {
 public:
  explicit FaultListWriter(const std::filesystem::path& file, bool bits = true);
  void write(std::span<const InjectedFault> faults, const std::vector<Site>& sites);
  void finish() { csv_.finish(); }

 private:
  CsvFile csv_;
  bool bits_;
};

}  // namespace vigor
