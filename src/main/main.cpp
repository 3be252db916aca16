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
  ServeArguments rotate_key;
  add_rotate_key(app, rotate_key, exit_code);
  CheckCertificateArguments check_certificate;
  add_check_certificate(app, check_certificate, exit_code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help is one, too, and ends with 0.
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return exit_code;
}
