// What a validation found out, for people and for other programs (docs/validation.md has the
// schema).
#pragma once

#include <string>

#include "validation.h"

namespace vigor {

/// In plain words, then tables for each set: agreement, reach, disagreements. Ends with a line
/// break.
std::string to_text(const Validation& validation);

std::string to_json(const Validation& validation);

}  // namespace vigor
