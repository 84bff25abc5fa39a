// The manual page, in roff, out of what the parser knows.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vigor {

std::string man_page(const CLI::App& app);

}  // namespace vigor
