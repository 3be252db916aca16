// eilpost: the command line. Builds the real world and hands it to what does the work.

#include <CLI/CLI.hpp>
#include <cstdio>

#include "main/commands.h"

int main(int argc, char** argv) {
  using namespace eilpost::main;  // NOLINT(google-build-using-namespace): this is the program.
  CLI::App app("Eilpost sends product-usage events to third parties by webhook.", "eilpost");
  app.set_version_flag("--version", std::string("eilpost ") + EILPOST_VERSION);
  app.require_subcommand(1);

  int exit_code = 0;
  ServeArguments serve;
  add_serve(app, serve, exit_code);
  SendArguments send;
  add_send(app, send, exit_code);
  TailArguments tail;
  add_tail(app, tail, exit_code);

  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
