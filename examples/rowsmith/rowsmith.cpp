// SPDX-License-Identifier: MIT
// rowsmith on the command line. Exit codes: 0 fine, 1 the work failed (or a release gate did), 2 wrong use.
#include <exception>
#include <iostream>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/version.hpp>

#include "command.hpp"

int main(int argc, char** argv) {
  CLI::App app(
      "Learns tables and writes new rows like them. rowsmith COMMAND --help lists a command's options.");
  app.set_version_flag("--version", ROWSMITH_VERSION);
  app.require_subcommand(1);
  std::vector<program::Run> runs; // in the order of the subcommands
  runs.push_back(program::add_evaluate(app));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help, --version
    std::cerr << "rowsmith: " << error.what() << " (rowsmith --help lists the commands)\n";
    return 2;
  }
  const auto commands = app.get_subcommands({});
  try {
    for (std::size_t k = 0; k < commands.size(); ++k)
      if (commands[k]->parsed())
        return runs[k]();
  } catch (const rowsmith::OptionError& error) {
    std::cerr << "rowsmith: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "rowsmith: " << error.what() << '\n';
    return 1;
  }
  return 2;
}
