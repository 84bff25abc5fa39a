// One number for all that an analysis computes, to compare machines, builds and options by.
#pragma once

#include <cstdint>

#include "analyze.h"

namespace vigor {

/// Analyses a fixed network of every kind of layer on 80 fixed inputs and folds thresholds, ranges
/// and counts into one number: the same for any threads, batch, memory and instruction set. Of the
/// options these alone count. Throws Error as analyze().
uint64_t signature(AnalyzeOptions options);

}  // namespace vigor
