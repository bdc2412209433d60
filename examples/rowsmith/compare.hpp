// SPDX-License-Identifier: MIT
// rowsmith compare: how far two tables are alike.
#pragma once

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/evaluate/compare.hpp>
#include <rowsmith/evaluate/compare_html.hpp>
#include <rowsmith/table/likely_wrong.hpp>
#include <rowsmith/table/table_file.hpp>

#include "command.hpp"
#include "evaluate.hpp"
#include "input.hpp"

namespace program {

struct CompareSettings {
  InputSettings input;
  std::string first;
  std::string second;
  std::string json;
  std::string html;
  rs::CompareOptions compare;
  std::size_t rows = 0; // of each table, by chance; 0: see `read_judged`
  bool quiet = false;
};

inline int run_compare(const CompareSettings& settings) {
  check_outputs({{"A", settings.first}, {"B", settings.second}, {"--schema", settings.input.schema}},
                {{"--json", settings.json}, {"--html", settings.html}});
  if (settings.second == "-")
    throw rs::OptionError("B: expected a file; only A may be the standard input");
  if (same_file(settings.first, settings.second))
    throw rs::OptionError("B: " + settings.second + " is the file of A, expected another one");
  std::size_t first_of = 0;
  std::size_t second_of = 0;
  const auto seed = settings.compare.seed;
  const auto file = settings.input.read_first(settings.first, settings.rows, seed, first_of);
  if (!settings.quiet)
    tell_notes(std::clog, file, settings.first);
  if (!settings.compare.target.empty())
    wrong_use("--target", [&] { return file.table.schema().index_of(settings.compare.target); });
  const auto second =
      settings.input.read_like(settings.second, file.format, settings.rows, seed, 1, second_of);
  for (const auto& warning : rs::unknown_categories(second, file.table))
    std::clog << settings.second << ": warning: " << warning << '\n';
  auto options = settings.compare;
  wrong_use("compare", [&] { rs::evaluate::check_compare(file.table, second, options); });
  if (!settings.quiet)
    options.progress = rs::progress_bar();
  auto result = rs::compare(file.table, second, options);
  result.first_of = first_of;
  result.second_of = second_of;
  if (first_of > file.table.rows() && settings.first != "-") { // the file is still there to be looked through
    std::vector<bool> found(second.rows());
    result.found_among = settings.input.mark_in_file(settings.first, file, {{&second, &found}});
    result.found_in_all = rs::evaluate::share_of(found);
  }
  std::cout << result;
  if (!settings.json.empty())
    rs::write_file_atomically(settings.json, [&](std::ostream& out) { out << to_json(result) << '\n'; });
  if (!settings.html.empty())
    rs::write_file_atomically(settings.html, [&](std::ostream& out) {
      out << to_html(result, {.title = settings.first + " and " + settings.second,
                              .date = today(),
                              .first = settings.first,
                              .second = settings.second,
                              .formats = file.format.columns});
    });
  return 0;
}

inline Run add_compare(CLI::App& app) {
  auto& command = *app.add_subcommand(
      "compare", "Says how far two tables are alike, beside what two parts of the first one show");
  const auto settings = std::make_shared<CompareSettings>();
  command.add_option("A", settings->first, "The first table, such as real rows; - for the standard input")
      ->required();
  command.add_option("B", settings->second, "The second one, with the same columns")->required();
  command.add_option("--html", settings->html, "Write a page with pictures to this file, for people");
  command.add_option("--json", settings->json, "Write all figures to this file");
  command.add_option("--target", settings->compare.target,
                     "A column to predict: how well it is learnt from the rows of either table");
  add_whole_number(
      command, "--rows", settings->rows,
      "Take so many rows of each table at most, by chance while the files are read in chunks; 0: "
      "all, but 200,000 of files that are compressed or larger than 64 MiB",
      0, 100'000'000);
  add_whole_number(command, "--max-rows", settings->compare.max_rows, "Rows of each side; more are sampled",
                   100, 100'000'000);
  add_whole_number(command, "--seeds", settings->compare.seeds, "Repeats of all that fits models", 1, 1000);
  add_whole_number(command, "--seed", settings->compare.seed,
                   "Of the rows by chance, and of the first repeat");
  add_whole_number(command, "--threads", settings->compare.threads, "0: all; never changes the result", 0,
                   4096);
  command.add_flag("--quick", settings->compare.quick,
                   "One seed, small models, few rows: to see that all works");
  command.add_flag("--quiet", settings->quiet, "No progress");
  add_input(command, settings->input, false);
  command.footer("rowsmith compare people.csv synthetic.csv --html likeness.html");
  return [settings] { return run_compare(*settings); };
}

} // namespace program
