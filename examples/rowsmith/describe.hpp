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
#include <rowsmith/evaluate/description_html.hpp>
#include <rowsmith/evaluate/html_figures.hpp>
#include <rowsmith/io/model_card.hpp>
#include <rowsmith/io/model_card_page.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/prepare/preparation.hpp>

#include "input.hpp"

namespace program {

struct DescribeSettings {
  std::string file;
  std::string schema_out;
  std::string html;
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

inline void write_page(const std::string& path, const rowsmith::Description& page) {
  rowsmith::write_file_atomically(path, [&](std::ostream& out) { out << to_html(page); });
}

// What a model is, and what it repeats.
inline int describe_model(const DescribeSettings& settings) {
  const auto model = rowsmith::load_model(settings.file);
  const auto& notes = model.parts().notes;
  const auto format = notes.find("format");
  if (!settings.schema_out.empty() && format == notes.end())
    throw rowsmith::ModelFileError(settings.file + ": the model does not know how its table was written");
  const auto card = rowsmith::model_card(model);
  std::cout << settings.file << ": " << rowsmith::to_text(card);
  if (!settings.schema_out.empty())
    rowsmith::write_file_atomically(settings.schema_out, [&](std::ostream& out) {
      out << rowsmith::to_json(rowsmith::table_format_from_json(format->second), 2) << '\n';
    });
  if (!settings.html.empty())
    write_page(settings.html, rowsmith::description_of(card, settings.file));
  return 0;
}

// A column of the file, in words.
struct ColumnWords {
  std::string role;
  std::string missing;
  std::string distinct;
  std::string values;
};

inline ColumnWords words_of(const rowsmith::TableFile& file, std::size_t i) {
  const auto& format = file.format.columns[i];
  ColumnWords words{.role = std::string(to_string(format.role)) +
                            (format.role == rowsmith::ColumnRole::date ? " " + format.pattern : ""),
                    .missing = "-",
                    .distinct = "-",
                    .values = values_text(file, format)};
  if (i < file.found.size()) {
    std::ostringstream share;
    share << std::fixed << std::setprecision(1)
          << 100.0 * static_cast<double>(file.found[i].missing_rows) / static_cast<double>(file.rows) << " %";
    words.missing = file.found[i].missing_rows == 0 ? "" : share.str();
    words.distinct = std::to_string(file.found[i].distinct);
  }
  return words;
}

// How an axis tells a number of a column: as the file writes it, if that is short.
inline auto axis_writer(const rowsmith::ColumnFormat& format, int decimals) {
  return [&format, decimals](double value) {
    std::string text;
    rowsmith::append_formatted(text, value, decimals, format);
    return text.size() > 16 ? rowsmith::evaluate::detail::short_number(value) : text;
  };
}

// The table as a page: what the text says, and a picture of each column.
inline rowsmith::Description description_of(const rowsmith::TableFile& file, const std::string& path,
                                            const std::vector<std::string>& relations,
                                            const rowsmith::TableFindings& findings) {
  namespace evaluate = rowsmith::evaluate;
  rowsmith::Description page{
      .title = path,
      .subtitle = std::to_string(file.rows) + (file.rows == 1 ? " row, " : " rows, ") +
                  std::to_string(file.format.columns.size()) + " columns; " + file.format.dialect.text(),
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
  const evaluate::SharedCodes codes({&file.table});
  std::size_t learnt = 0; // columns of the table, in the order of the file
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& format = file.format.columns[i];
    const auto words = words_of(file, i);
    evaluate::DescribedColumn column{.name = format.name, .role = words.role};
    if (i < file.found.size()) {
      column.facts = {{"missing", words.missing}, {"distinct", words.distinct}};
      column.notes = file.found[i].notes;
      column.warnings = file.found[i].warnings;
    }
    column.facts.emplace_back("", words.values);
    if (rowsmith::TableFormat::kind_of(format.role)) {
      const std::size_t place = learnt++;
      if (i < evaluate::described_pictures && file.table.rows() > 0)
        column.picture =
            evaluate::detail::marginal_picture(evaluate::detail::marginal(file.table, nullptr, codes, place),
                                               axis_writer(format, file.table[place].decimals));
    }
    page.columns.push_back(std::move(column));
  }
  return page;
}

inline int run_describe(const DescribeSettings& settings) {
  check_outputs({{"FILE", settings.file}, {"--schema", settings.input.schema}},
                {{"--schema-out", settings.schema_out}, {"--html", settings.html}});
  if (settings.file != "-" && rowsmith::looks_like_model(settings.file))
    return describe_model(settings);
  const auto file = settings.input.read(settings.file);
  std::cout << settings.file << ": " << file.rows << (file.rows == 1 ? " row, " : " rows, ")
            << file.format.columns.size() << " columns; " << file.format.dialect.text() << "\n\n";
  std::vector<std::vector<std::string>> cells{{"column", "role", "missing", "distinct", "values"}};
  for (std::size_t i = 0; i < file.format.columns.size(); ++i) {
    const auto& name = file.format.columns[i].name;
    auto words = words_of(file, i);
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
  const auto findings = rowsmith::likely_wrong(file.table);
  tell_notes(notes, file, settings.file);
  tell_findings(notes, findings, settings.file);
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
    write_page(settings.html, description_of(file, settings.file, relations, findings));
  return 0;
}

inline Run add_describe(CLI::App& app) {
  auto& command = *app.add_subcommand("describe", "Says how a file is written, what its columns mean, and "
                                                  "which relations its rows keep; of a model, what "
                                                  "it repeats of the rows it learnt");
  const auto settings = std::make_shared<DescribeSettings>();
  command.add_option("file", settings->file, "The table, or a model")->required();
  command.add_option("--schema-out", settings->schema_out,
                     "Write what was found to this file, to be edited and given to --schema");
  command.add_option("--html", settings->html,
                     "Write a page with a picture of each column to this file, for people; of a model, what "
                     "it holds and how its training went");
  add_input(command, settings->input);
  command.footer("rowsmith describe people.csv --html people.html\nrowsmith describe people.csv --schema-out "
                 "schema.json\n"
                 "rowsmith describe people.model");
  return [settings] { return run_describe(*settings); };
}

} // namespace program
