// SPDX-License-Identifier: MIT
// What the program's subcommands share. Each lives in a source of its own and is added in rowsmith.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/table.hpp>

namespace program {

// Does a subcommand's work once its options are read. Returns the exit code: 0 fine, 1 the work failed.
// Throws rowsmith::OptionError for wrong use (the exit code is then 2), anything else for failed work (1).
using Run = std::function<int()>;

Run add_evaluate(CLI::App& app);

// How the CSV files of a subcommand are read: the same for all of them.
struct CsvSettings {
  bool no_header = false;
  std::vector<std::string> categorical; // columns whose texts look like numbers but are names

  void add_to(CLI::App& command) {
    command.add_flag("--no-header", no_header,
                     "The files have no line of names; columns are then column_1, column_2, ...");
    command
        .add_option("--categorical", categorical,
                    "Columns to take as categories although they hold numbers, such as postal codes")
        ->delimiter(',');
  }
  // The first table decides which columns there are and of what kind; the others must have them, too.
  rowsmith::Table read(const std::string& path) const;
  rowsmith::Table read_like(const std::string& path, const rowsmith::Table& first) const;
};

} // namespace program
