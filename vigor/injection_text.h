// What an injection found out, for people and for other programs.
#pragma once

#include <string>

#include "injection.h"

namespace vigor {

/// The injection with one site alone; throws Error with the names there are.
Injection only_site(Injection injection, const std::string& name);

/// In plain words, then tables: sites, bits, golden classes, cost. Ends with a line break.
std::string to_text(const Injection& injection);

/// Rates are shares; those without faults are null.
///
///   {"model": {"name", "sha256", "faults", "critical": RATE, "nan": RATE, "bits": [RATE x 32],
///              "probes", "seconds"},
///    "data":  {"name", "sha256", "inputs", "left_out"},
///    "plan":  {"kind", "format", "fault", "margin", "confidence", "until_margin"},
///    "sites": [{"name", "tensor", "node", "kind", "shape", "neurons", "population", "faults",
///               "critical": RATE, "nan": RATE, "masked", "benign", "top5", "inf",
///               "accuracy_loss", "encoding", "bits": [RATE x 32], "classes": [RATE x C]}]}
///   RATE = {"rate", "low", "high"}; masked, benign, top5 and inf are numbers of
///   faults; encoding: share for which storing the value is critical without any fault
std::string to_json(const Injection& injection);

}  // namespace vigor
