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
#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "input.hpp"

namespace program {

struct DescribeSettings {
  std::string file;
  std::string schema_out;
  InputSettings input;
};

// What its values are, in a few words.
inline std::string values_text(const rowsmith::TableFile& file, const rowsmith::ColumnFormat& format) {
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
    std::string text;
    rowsmith::append_formatted(text, least, column.decimals, format);
    text += " to ";
    rowsmith::append_formatted(text, most, column.decimals, format);
    return text;
  }
  std::vector<std::pair<std::size_t, std::string>> texts(column.dictionary.size());
  for (std::size_t k = 0; k < texts.size(); ++k)
    texts[k].second = column.dictionary.texts()[k];
  for (const auto code : column.codes)
    if (code != rowsmith::missing_code)
      ++texts[static_cast<std::size_t>(code)].first;
  std::stable_sort(texts.begin(), texts.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t k = 0; k < std::min<std::size_t>(texts.size(), 4); ++k)
    text += (k == 0 ? "" : ", ") + rowsmith::readable_utf8(texts[k].second);
  if (texts.size() > 4)
    text += ", ...";
  if (!texts.empty() && texts.back().first < 10)
    text += " (the rarest: " + std::to_string(texts.back().first) +
            (texts.back().first == 1 ? " row)" : " rows)");
  return text;
}

// What a model is, and what it repeats.
inline int describe_model(const DescribeSettings& settings) {
  const auto model = rowsmith::load_model(settings.file);
  const auto& notes = model.parts().notes;
  const auto format = notes.find("format");
  if (!settings.schema_out.empty() && format == notes.end())
    throw rowsmith::ModelFileError(settings.file + ": the model does not know how its table was written");
  std::cout << settings.file << ": " << rowsmith::to_text(rowsmith::model_card(model));
  if (!settings.schema_out.empty())
    rowsmith::write_file_atomically(settings.schema_out, [&](std::ostream& out) {
      out << rowsmith::to_json(rowsmith::table_format_from_json(format->second), 2) << '\n';
    });
  return 0;
}

inline int run_describe(const DescribeSettings& asked) {
  asked.input.check_source(asked.file.empty() ? 0 : 1);
  auto settings = asked;
  if (settings.input.from_database())
    settings.file = settings.input.sqlite.file;
  check_outputs({{"FILE", settings.file}}, {{"--schema-out", settings.schema_out}});
  if (settings.file != "-" && !settings.input.from_database() && rowsmith::looks_like_model(settings.file))
    return describe_model(settings);
  const auto file = settings.input.read(settings.file);
  std::cout << settings.file << ": " << file.rows << (file.rows == 1 ? " row, " : " rows, ")
            << file.format.columns.size() << " columns; " << settings.input.written(file) << "\n\n";
  std::vector<std::vector<std::string>> cells{{"column", "role", "missing", "distinct", "values"}};
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& format = file.format.columns[i];
    const auto role = std::string(to_string(format.role)) +
                      (format.role == rowsmith::ColumnRole::date ? " " + format.pattern : "");
    std::string missing = "-";
    std::string distinct = "-";
    if (i < file.found.size()) {
      std::ostringstream share;
      share << std::fixed << std::setprecision(1)
            << 100.0 * static_cast<double>(file.found[i].missing_rows) / static_cast<double>(file.rows)
            << " %";
      missing = file.found[i].missing_rows == 0 ? "" : share.str();
      distinct = std::to_string(file.found[i].distinct);
    }
    cells.push_back({format.name.empty() ? "(no name)" : rowsmith::readable_utf8(format.name), role, missing,
                     distinct, values_text(file, format)});
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
  tell_notes(notes, file, settings.file);
  tell_findings(notes, rowsmith::likely_wrong(file.table), settings.file);
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
  return 0;
}

inline Run add_describe(CLI::App& app) {
  auto& command = *app.add_subcommand("describe", "Says how a file is written, what its columns mean, and "
                                                  "which relations its rows keep; of a model, what "
                                                  "it repeats of the rows it learnt");
  const auto settings = std::make_shared<DescribeSettings>();
  command.add_option("file", settings->file, "The table, or a model");
  command.add_option("--schema-out", settings->schema_out,
                     "Write what was found to this file, to be edited and given to --schema");
  add_input(command, settings->input);
  add_database(command, settings->input);
  command.footer("rowsmith describe people.csv\nrowsmith describe people.csv --schema-out schema.json\n"
                 "rowsmith describe people.model");
  return [settings] { return run_describe(*settings); };
}

} // namespace program
