#include <CLI/CLI.hpp>
#include <iostream>

#include "error.h"

int main(int argc, char** argv) {
  CLI::App app{"Exact fault vulnerability of neural networks", "vigor"};
  app.set_version_flag("--version", "vigor " VIGOR_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const vigor::Error& error) {
    std::cerr << "vigor: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
