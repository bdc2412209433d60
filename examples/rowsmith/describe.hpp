// SPDX-License-Identifier: MIT
// rowsmith describe: what a file is, before anything is learnt from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/utf8.hpp>
#include <rowsmith/evaluate/axis_text.hpp>
#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_card_page.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "input.hpp"

namespace program {

struct DescribeSettings {
  std::vector<std::string> files;
  bool in_memory = false;
  bool stream = false;
  std::string schema_out;
  std::string html;
  InputSettings input;

  std::string file() const { // for messages
    return files.empty()       ? input.sqlite.file
           : files.size() == 1 ? files.front()
                               : files.front() + " and " + std::to_string(files.size() - 1) + " more";
  }
};

// What its values are, in a few words.
inline std::string values_text(const rowsmith::SketchedTable& sketch, std::size_t i) {
  const auto& file = sketch.file;
  const auto& format = file.format.columns[i];
  using rowsmith::ColumnRole;
  if (format.role == ColumnRole::identifier)
    return format.pattern == "#" ? "new ones count on from " + std::to_string(format.first)
                                 : "new ones are made like " + format.pattern;
  if (!rowsmith::TableFormat::kind_of(format.role))
    return format.role == ColumnRole::text ? "a placeholder in generated rows" : "";
  const auto& column = file.table[format.name];
  if (column.kind == rowsmith::ColumnKind::numerical) {
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const double value : column.values)
      if (!std::isnan(value)) {
        least = std::min(least, value);
        most = std::max(most, value);
      }
    if (least > most)
      return "none";
    std::string text = sketch.columns[i].range_exact ? "" : "~";
    rowsmith::append_formatted(text, least, column.decimals, format);
    text += " to ";
    rowsmith::append_formatted(text, most, column.decimals, format);
    return text;
  }
  const auto& categories = sketch.columns[i].categories;
  const bool exact = sketch.columns[i].categories_exact;
  std::string text = exact || categories.empty() ? "" : "~";
  for (std::size_t k = 0; k < std::min<std::size_t>(categories.size(), 4); ++k)
    text += (k == 0 ? "" : ", ") + rowsmith::readable_utf8(categories[k].first);
  if (categories.size() > 4)
    text += ", ...";
  if (!categories.empty() && categories.back().second < 10 && exact)
    text += " (the rarest: " + std::to_string(categories.back().second) +
            (categories.back().second == 1 ? " row)" : " rows)");
  return text;
}

inline void write_page(const std::string& path, const rowsmith::Description& page) {
  rowsmith::write_file_atomically(path, [&](std::ostream& out) { out << to_html(page); });
}

// What a model is, and what it repeats.
inline int describe_model(const DescribeSettings& settings) {
  const auto model = rowsmith::load_model(settings.file());
  const auto& notes = model.parts().notes;
  const auto format = notes.find("format");
  if (!settings.schema_out.empty() && format == notes.end())
    throw rowsmith::ModelFileError(settings.file() + ": the model does not know how its table was written");
  const auto card = rowsmith::model_card(model);
  std::cout << settings.file() << ": " << rowsmith::to_text(card);
  if (!settings.schema_out.empty())
    rowsmith::write_file_atomically(settings.schema_out, [&](std::ostream& out) {
      out << rowsmith::to_json(rowsmith::table_format_from_json(format->second), 2) << '\n';
    });
  if (!settings.html.empty())
    write_page(settings.html, rowsmith::description_of(card, settings.file()));
  return 0;
}

// A column of the file, in words.
struct ColumnWords {
  std::string role;
  std::string missing;
  std::string distinct;
  std::string values;
};

inline ColumnWords words_of(const rowsmith::SketchedTable& sketch, std::size_t i) {
  const auto& file = sketch.file;
  const auto& format = file.format.columns[i];
  ColumnWords words{.role = std::string(to_string(format.role)) +
                            (format.role == rowsmith::ColumnRole::date ? " " + format.pattern : ""),
                    .missing = "-",
                    .distinct = "-",
                    .values = values_text(sketch, i)};
  if (i < file.found.size()) {
    const auto& column = sketch.columns[i];
    std::ostringstream share;
    share << (column.missing_exact ? "" : "~") << std::fixed << std::setprecision(1)
          << 100.0 * column.missing_share << " %";
    words.missing = column.missing_share == 0 ? "" : share.str();
    words.distinct = (column.distinct_exact ? "" : "~") + std::to_string(file.found[i].distinct);
  }
  return words;
}

// Which rows a description is made of, where they are not all.
inline std::string sketch_text(const rowsmith::SketchedTable& sketch) {
  const auto chance = std::count(sketch.by_chance.begin(), sketch.by_chance.end(), true);
  return std::to_string(chance) + " of the " + std::to_string(sketch.file.rows) +
         " rows were taken by chance: relations, warnings and what is marked ~ are from these and " +
         std::to_string(static_cast<std::ptrdiff_t>(sketch.by_chance.size()) - chance) +
         " rows with ends and rare texts; what is not marked is of all rows";
}

// The table as a page: what the text says, and a picture of each column.
inline rowsmith::Description description_of(const rowsmith::SketchedTable& sketch,
                                            const rowsmith::Table& chance, const std::string& path,
                                            const std::string& written,
                                            const std::vector<std::string>& relations,
                                            const rowsmith::TableFindings& findings) {
  namespace evaluate = rowsmith::evaluate;
  const auto& file = sketch.file;
  rowsmith::Description page{
      .title = path,
      .subtitle = std::to_string(file.rows) + (file.rows == 1 ? " row, " : " rows, ") +
                  std::to_string(file.format.columns.size()) + " columns; " + written,
      .columns_note = "Shares of the rows. The outer bars of numbers hold all that lies beyond.",
      .relations = relations,
      .relations_note = "What columns have to do with each other, and dates with the calendar.",
      .notes = file.format.dialect.notes,
      .warnings = findings.warnings,
      .remarks = {"Generated rows repeat categories as they are, and numbers that many rows share; keys are "
                  "made anew, free texts left out.",
                  "What stands here was read from the rows themselves: this page is as confidential as they "
                  "are, and no guarantee of fit --epsilon covers it."}};
  page.notes.insert(page.notes.end(), findings.notes.begin(), findings.notes.end());
  if (!sketch.whole()) {
    page.columns_note += " Pictures are of the rows by chance.";
    page.notes.insert(page.notes.begin(), sketch_text(sketch) + ".");
  }
  const evaluate::SharedCodes codes({&chance});
  std::size_t learnt = 0; // columns of the table, in the order of the file
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& format = file.format.columns[i];
    const auto words = words_of(sketch, i);
    evaluate::DescribedColumn column{.name = format.name, .role = words.role};
    if (i < file.found.size()) {
      column.facts = {{"missing", words.missing}, {"distinct", words.distinct}};
      column.notes = file.found[i].notes;
      column.warnings = file.found[i].warnings;
    }
    column.facts.emplace_back("", words.values);
    if (rowsmith::TableFormat::kind_of(format.role)) {
      const std::size_t place = learnt++;
      if (i < evaluate::described_pictures && chance.rows() > 0)
        column.picture = evaluate::detail::marginal_picture(
            evaluate::detail::marginal(chance, nullptr, codes, place),
            evaluate::detail::AxisText(format, file.table[place].decimals));
    }
    page.columns.push_back(std::move(column));
  }
  return page;
}

// A model says all of itself: options of reading a table would change nothing.
inline void refuse_reading(const CLI::App& command, const std::string& file) {
  for (const auto* option : command.get_options())
    if (const auto name = option->get_name();
        option->count() > 0 && name != "file" && name != "--schema-out" && name != "--html")
      throw rowsmith::OptionError(name + ": " + file +
                                  " is a model, which is not read by options; expected a table");
}

inline int run_describe(const DescribeSettings& settings, const CLI::App& command) {
  settings.input.check_source(settings.files.size());
  Files inputs{{"--schema", settings.input.schema}, {"--sqlite", settings.input.sqlite.file}};
  for (const auto& file : settings.files)
    inputs.emplace_back("FILE", file);
  check_outputs(inputs, {{"--schema-out", settings.schema_out}, {"--html", settings.html}});
  check_reading(settings.stream, settings.in_memory, settings.files.size());
  if (settings.files.size() == 1 && settings.files.front() != "-" &&
      rowsmith::looks_like_model(settings.files.front())) {
    refuse_reading(command, settings.files.front());
    return describe_model(settings);
  }
  const auto path = settings.file();
  rowsmith::SketchedTable sketch;
  if (!settings.in_memory &&
      (settings.stream || settings.input.from_database() || read_in_chunks(settings.files)))
    sketch = settings.input.read_sketch(settings.files);
  else
    sketch = rowsmith::sketched(settings.input.read(settings.files.empty() ? path : settings.files.front()));
  const auto& file = sketch.file;
  std::cout << path << ": " << file.rows << (file.rows == 1 ? " row, " : " rows, ")
            << file.format.columns.size() << " columns; " << settings.input.written(file) << "\n\n";
  if (!sketch.whole())
    std::cout << sketch_text(sketch) << "\n\n";
  std::vector<std::vector<std::string>> cells{{"column", "role", "missing", "distinct", "values"}};
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& name = file.format.columns[i].name;
    auto words = words_of(sketch, i);
    cells.push_back({name.empty() ? "(no name)" : rowsmith::readable_utf8(name), std::move(words.role),
                     std::move(words.missing), std::move(words.distinct), std::move(words.values)});
  }
  std::vector<std::size_t> width(cells[0].size());
  for (const auto& row : cells)
    for (std::size_t c = 0; c < row.size(); ++c)
      width[c] = std::max(width[c], row[c].size());
  for (const auto& row : cells) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c)
      line += " " + row[c] + (c + 1 < row.size() ? std::string(width[c] - row[c].size() + 1, ' ') : "");
    std::cout << line << '\n';
  }
  const auto relations =
      relation_lines(rowsmith::Preparation::fit(file.table, {.dates = file.format.dates()}));
  if (!relations.empty())
    std::cout << "\nwhat columns have to do with each other, and dates with the calendar:\n";
  for (const auto& relation : relations)
    std::cout << "  " << relation << '\n';
  std::ostringstream notes;
  rowsmith::Table some;
  const auto& chance = sketch.rows_by_chance(some);
  const auto findings = rowsmith::likely_wrong(chance);
  tell_notes(notes, file, path);
  tell_findings(notes, findings, path);
  if (!notes.str().empty())
    std::cout << '\n' << notes.str();
  std::cout
      << "\nGenerated rows repeat categories as they are, and numbers that many rows share; keys are "
         "made anew, "
         "free texts left out.\n"
         "What stands here was read from the rows themselves: no guarantee of fit --epsilon covers it.\n";
  if (!settings.schema_out.empty())
    rowsmith::write_file_atomically(
        settings.schema_out, [&](std::ostream& out) { out << rowsmith::to_json(file.format, 2) << '\n'; });
  if (!settings.html.empty())
    write_page(settings.html,
               description_of(sketch, chance, path, settings.input.written(file), relations, findings));
  return 0;
}

inline Run add_describe(CLI::App& app) {
  auto& command = *app.add_subcommand("describe", "Says how a file is written, what its columns mean, and "
                                                  "which relations its rows keep; of a model, what "
                                                  "it repeats of the rows it learnt");
  const auto settings = std::make_shared<DescribeSettings>();
  command.add_option(
      "file", settings->files,
      "The table, or a model; several files of the same columns, which may be compressed, are one "
      "table");
  command.add_flag(
      "--stream", settings->stream,
      "Read in chunks, in bounded memory, and describe rows by chance where there are many: usual "
      "for several files, databases, compressed files and more than 64 MiB");
  command.add_flag("--in-memory", settings->in_memory, "Keep the whole table in memory, however large");
  command.add_option("--schema-out", settings->schema_out,
                     "Write what was found to this file, to be edited and given to --schema");
  command.add_option("--html", settings->html,
                     "Write a page with a picture of each column to this file, for people; of a model, what "
                     "it holds and how its training went");
  add_input(command, settings->input);
  add_database(command, settings->input);
  command.footer("rowsmith describe people.csv --html people.html\nrowsmith describe people.csv --schema-out "
                 "schema.json\n"
                 "rowsmith describe people.model");
  return [settings, &command] { return run_describe(*settings, command); };
}

} // namespace program
