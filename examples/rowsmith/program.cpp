// SPDX-License-Identifier: MIT
#include "program.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/version.hpp>

#include "command.hpp"
#include "compare.hpp"
#include "completion.hpp"
#include "describe.hpp"
#include "evaluate.hpp"
#include "export.hpp"
#include "fit.hpp"
#include "manual.hpp"
#include "sample.hpp"
#include "score.hpp"

namespace program {

int run_program(int argc, const char* const* argv, const rowsmith::Team* team) {
  CLI::App app(
      "Learns tables and writes new rows like them. rowsmith COMMAND --help lists a command's options.");
  app.footer("From a table to a report:\n"
             "  rowsmith describe people.csv\n"
             "  rowsmith fit people.csv --label income -o people.model\n"
             "  rowsmith sample people.model -n 10000 --seed 7 -o synthetic.csv\n"
             "  rowsmith evaluate --train people.csv --holdout others.csv --synthetic synthetic.csv --html "
             "report.html\n"
             "Exit codes: 0 fine, 1 the work failed, 2 wrong use.");
  app.set_version_flag("--version", ROWSMITH_VERSION);
  app.require_subcommand(1);
  std::vector<Run> runs; // in the order of the subcommands
  runs.push_back(add_describe(app));
  runs.push_back(add_fit(app, team));
  runs.push_back(add_sample(app));
  runs.push_back(add_evaluate(app));
  runs.push_back(add_compare(app));
  runs.push_back(add_score(app));
  runs.push_back(add_export(app));
  runs.push_back(add_completion(app));
  runs.push_back(add_manual(app));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help, --version
    std::cerr << "rowsmith: " << error.what() << " (rowsmith --help lists the commands)\n";
    return 2;
  }
  const auto commands = app.get_subcommands({});
  if (team != nullptr && team->size() > 1 && !app.got_subcommand("fit")) {
    if (team->rank() == 0)
      std::cerr
          << "rowsmith: fit alone is made for several processes; rows come in parts by sample --part K/N\n";
    return 2;
  }
  try {
    for (std::size_t k = 0; k < commands.size(); ++k)
      if (commands[k]->parsed())
        return runs[k]();
  } catch (const rowsmith::OptionError& error) {
    if (team == nullptr || team->rank() == 0) // all processes say the same
      std::cerr << "rowsmith: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "rowsmith: " << (team == nullptr ? "" : "process " + std::to_string(team->rank()) + ": ")
              << error.what() << '\n';
    return 1;
  }
  return 2;
}

} // namespace program
