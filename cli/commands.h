// The commands of the program; each adds itself to the parser and runs in its callback.
#pragma once

namespace CLI {
class App;
}

void add_show(CLI::App& app);
