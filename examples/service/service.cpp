// SPDX-License-Identifier: MIT
// Serves a model over HTTP; service.hpp says how. SIGHUP loads the model file again, SIGTERM ends what is
// under way and stops.
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>

#include <rowsmith/core/version.hpp>

#include "../common/manual.hpp"
#include "service.hpp"

#include <httplib.h>

int main(int argc, char** argv) {
  service::Options options;
  CLI::App app("Serves a rowsmith model over HTTP: GET /sample, POST /score, GET /health, GET /metrics.");
  app.add_option("model", options.model, "The model file")->required();
  app.add_option("--host", options.host, "Address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port; 0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--max-rows", options.max_rows, "Most rows of one /sample")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}))
      ->capture_default_str();
  app.add_option("--max-body", options.max_body, "Most bytes of one /score")->capture_default_str();
  app.add_option("--threads", options.threads, "Answers of rows or scores that are made at once")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--connections", options.connections, "Connections that are open at once")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  app.set_version_flag("--version", ROWSMITH_VERSION);
  app.add_flag_callback(
         "--manual",
         [&app] {
           std::cout << manual::page(
               app, {"rowsmith-service", ROWSMITH_VERSION, "serve a rowsmith model over HTTP",
                     ".SH SIGNALS\n\\fBSIGHUP\\fR loads the model file again: a bad one changes nothing. "
                     "\\fBSIGTERM\\fR ends what is under way and stops.\n"
                     ".SH EXIT STATUS\n0 fine, 1 the work failed, 2 wrong use.\n"
                     ".SH SECURITY\nThere is no TLS and no authentication.\n",
                     "\\fBrowsmith\\fR(1)"});
           throw CLI::Success();
         },
         "Print the manual page, for man")
      ->trigger_on_parse();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    const auto signals = service::hold_signals();
    service::Service service(options);
    std::cout << "listening on " << options.host << ":" << service.port() << std::endl;
    service::run_until_stopped(service, signals);
  } catch (const std::exception& error) {
    std::cerr << "service: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
