// glasspost: one program, one subcommand for each thing it does.
#include <CLI/CLI.hpp>

#include "cli/analyze.h"

int main(int argc, char** argv) {
  CLI::App app{"Glasspost: a mail system you can see through"};
  app.set_version_flag("--version", "glasspost " GLASSPOST_VERSION);
  app.require_subcommand(1);
  int status = 0;
  glasspost::cli::AddAnalyze(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  }
  return status;
}
