// docs/ops.md says what the operator table says.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "ops/table.h"

namespace vigor {
namespace {

constexpr const char* kIntroduction = R"(# Operators

ONNX opsets 7 to 17, float32. A network with any other operator is refused, and every node that is
not supported is named. Constants are what the file stores or what follows from it. Beside these
operators, shape arithmetic on integers (`Shape`, `Size`, `Range`, `Where`, ...) is folded on import.

<!-- Made by
     VIGOR_UPDATE=1 build/release/tests/vigor_tests --gtest_filter='OpsPage.*' -->

| Operator | Limits |
|----------|--------|
)";

std::string page() {
  std::string text = kIntroduction;
  for (const OpRow& row : op_table()) {
    text += "| ";
    text += row.type;
    text += row.limits.empty() ? " |" : " | ";
    text += row.limits;
    text += " |\n";
  }
  return text;
}

TEST(OpsPage, IsUpToDate) {
  const std::string file = VIGOR_OPS_PAGE;
  if (std::getenv("VIGOR_UPDATE")) std::ofstream(file) << page();
  std::ostringstream found;
  found << std::ifstream(file).rdbuf();
  EXPECT_EQ(found.str(), page())
      << "docs/ops.md is out of date; repair: "
         "VIGOR_UPDATE=1 build/release/tests/vigor_tests --gtest_filter='OpsPage.*'";
}

}  // namespace
}  // namespace vigor
