// Takes the place of the page where there was no Node.js to build it.
#include "report_page.h"

namespace vigor {

std::string_view report_page() { return {}; }

}  // namespace vigor
