// SPDX-License-Identifier: MIT
// rowsmith score: how odd each row of a table is, and why.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/row_reasons.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table_file.hpp>

#include "sample.hpp"

namespace program {

struct ScoreSettings {
  std::string model;
  std::string file;
  std::string out = "-";
  std::string calibrate;
  double false_alarms = 0.01;
  bool explain = false;
  std::string by = "auto";
  std::size_t reasons = 3;
  std::size_t top = 0;
  std::size_t samples = 64;
  std::uint64_t seed = 0;
  int threads = 0;
};

inline std::string two_digits(double value) {
  if (std::isinf(value))
    return "inf";
  std::array<char, 400> text; // NOLINT: filled by to_chars
  return {text.data(),
          std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 2).ptr};
}

// How a reason writes a number of a column of the file: a date as a date.
inline auto number_writer(const rowsmith::TableFormat& format) {
  return [format](const std::string& column, double value, int decimals) {
    std::string text;
    for (const auto& known : format.columns)
      if (known.name == column &&
          rowsmith::TableFormat::kind_of(known.role) == rowsmith::ColumnKind::numerical) {
        rowsmith::append_formatted(text, value, decimals, known);
        return text;
      }
    rowsmith::append_number(text, value, decimals);
    return text;
  };
}

// Rows that the model has not seen, by which the threshold is found: the score that no more than the wanted
// share of such rows exceeds.
inline double threshold_of(const std::string& what, const std::vector<double>& scores, double false_alarms) {
  const double threshold =
      wrong_use("--calibrate", [&] { return rowsmith::evaluate::alarm_threshold(scores, false_alarms); });
  const auto above = static_cast<std::size_t>(
      std::count_if(scores.begin(), scores.end(), [&](double score) { return score > threshold; }));
  std::clog << "rowsmith: threshold " << two_digits(threshold) << ", which " << above << " of "
            << scores.size() << " rows of " << what << " exceed\n";
  if (std::isinf(threshold))
    std::clog
        << "rowsmith: so many of them are rows that the model cannot make that none can be flagged; ask "
           "for more --false-alarms, or fit to more rows\n";
  return threshold;
}

// The columns whose cells are less likely than such cells are on average in the table, with how many nats.
inline std::string columns_at_fault(const rowsmith::RowSurprise& told, const std::vector<double>& usual,
                                    std::size_t row, std::size_t most) {
  if (!told.impossible[row].empty())
    return told.impossible[row];
  std::vector<std::size_t> by(usual.size());
  std::iota(by.begin(), by.end(), std::size_t{0});
  const auto excess = [&](std::size_t c) { return told.cells[row * usual.size() + c] - usual[c]; };
  std::stable_sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) { return excess(a) > excess(b); });
  std::string text;
  for (std::size_t k = 0; k < std::min(most, by.size()) && excess(by[k]) > 0.5; ++k)
    text += (text.empty() ? "" : "; ") + told.names[by[k]] + " +" + two_digits(excess(by[k]));
  return text;
}

// Reasons of some rows, in words.
inline std::vector<std::string> explained(const ScoreSettings& settings, const rowsmith::TableModel& model,
                                          const rowsmith::TableFormat& format, const rowsmith::Table& table,
                                          const rowsmith::RowSurprise& told,
                                          const std::vector<std::size_t>& rows) {
  const rowsmith::RowReasons why(model, {.most = settings.reasons,
                                         .seed = settings.seed,
                                         .threads = settings.threads,
                                         .write = number_writer(format)});
  std::vector<std::string> texts;
  for (const auto& reasons : why.explain(table, told, rows)) {
    texts.emplace_back();
    for (const auto& reason : reasons)
      texts.back() += (texts.back().empty() ? "" : "; ") + reason.text;
  }
  return texts;
}

// Scores tables of the model's columns as the options say.
class Scorer {
public:
  Scorer(const ScoreSettings& settings, const rowsmith::TableModel& model)
      : settings_(&settings), model_(&model), by_(settings.by != "auto"     ? settings.by
                                                  : model.is_distribution() ? "likelihood"
                                                                            : "reconstruction") {
    if (!model.is_distribution() && (settings.explain || by_ != "reconstruction"))
      throw rowsmith::OptionError((settings.explain ? "--explain" : "--by " + by_) +
                                  ": the model's heads are no distribution, as those of the recipe faithful; "
                                  "expected a model of another recipe, or --by reconstruction");
  }
  // One a row; `told` is filled where the model tells the likelihood of rows.
  std::vector<double> operator()(const rowsmith::Table& rows, rowsmith::RowSurprise& told, bool cells) {
    const rowsmith::LikelihoodOptions likelihood{.samples = settings_->samples,
                                                 .seed = settings_->seed,
                                                 .threads = settings_->threads,
                                                 .cells = cells || by_ == "cells"};
    if (model_->is_distribution() && (by_ != "reconstruction" || cells))
      told = rowsmith::row_surprise(*model_, rows, likelihood);
    if (by_ == "reconstruction")
      return rowsmith::Sampler(*model_).score_rows(rows, settings_->threads);
    if (by_ == "likelihood")
      return told.rows;
    if (usual_.mean.empty())
      usual_ = rowsmith::usual_surprise(*model_, likelihood);
    return rowsmith::outstanding_surprise(told, usual_);
  }

private:
  const ScoreSettings* settings_;
  const rowsmith::TableModel* model_;
  std::string by_;
  rowsmith::UsualSurprise usual_;
};

inline int run_score(const ScoreSettings& settings) {
  const bool calibrated = !settings.calibrate.empty();
  if (settings.out != "-")
    check_outputs({{"MODEL", settings.model}, {"FILE", settings.file}, {"--calibrate", settings.calibrate}},
                  {{"-o", settings.out}});
  if (calibrated && !(settings.false_alarms > 0 && settings.false_alarms < 1))
    throw rowsmith::OptionError("--false-alarms: expected a share of more than 0 and less than 1");
  const auto model = rowsmith::load_model(settings.model);
  const bool distribution = model.is_distribution();
  const auto format = format_of(model, false);
  Scorer scorer(settings, model);
  const rowsmith::TableFileOptions known{.open = rowsmith::open_compressed};
  const auto table = rowsmith::read_table_like(settings.file, format, known);
  rowsmith::RowSurprise told;
  double threshold = std::numeric_limits<double>::infinity();
  if (calibrated) {
    const auto usual = rowsmith::read_table_like(settings.calibrate, format, known);
    // Too few rows are found before the work.
    wrong_use("--calibrate", [&] {
      return rowsmith::evaluate::alarm_threshold(std::vector<double>(usual.rows()), settings.false_alarms);
    });
    threshold = threshold_of(settings.calibrate, scorer(usual, told, false), settings.false_alarms);
  }
  const auto scores = scorer(table, told, distribution);
  // Oddest first, if only some are asked for.
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (settings.top > 0) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    order.resize(std::min(order.size(), settings.top));
  }
  const auto flagged = [&](std::size_t row) { return scores[row] > threshold; };
  std::vector<std::string> reasons(order.size());
  if (settings.explain) {
    std::vector<std::size_t> rows;
    std::copy_if(order.begin(), order.end(), std::back_inserter(rows),
                 [&](std::size_t row) { return !calibrated || flagged(row); });
    const auto texts = explained(settings, model, format, table, told, rows);
    for (std::size_t i = 0, next = 0; i < order.size() && next < rows.size(); ++i)
      if (order[i] == rows[next])
        reasons[i] = texts[next++];
  } else if (distribution) {
    const auto usual = rowsmith::usual_surprise(told).mean;
    for (std::size_t i = 0; i < order.size(); ++i)
      reasons[i] = columns_at_fault(told, usual, order[i], settings.reasons);
  }
  if (calibrated) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < scores.size(); ++row)
      count += flagged(row) ? 1U : 0U;
    std::clog << "rowsmith: " << count << " of " << scores.size() << " rows flagged\n";
  }
  write_output(settings.out, "the scores", [&](std::ostream& out) {
    out << "row,score," << (calibrated ? "flagged," : "") << "reasons\n";
    std::string line;
    for (std::size_t i = 0; i < order.size(); ++i) {
      line = std::to_string(order[i] + 1) + "," + two_digits(scores[order[i]]) + ",";
      if (calibrated)
        line += flagged(order[i]) ? "yes," : "no,";
      if (!reasons[i].empty())
        rowsmith::append_csv_cell(line, reasons[i]);
      out << line << '\n';
    }
  });
  return 0;
}

inline Run add_score(CLI::App& app) {
  auto& command = *app.add_subcommand("score", "Says how odd each row of a table is to a model (nats; the "
                                               "more, the odder), and which columns make it so");
  const auto settings = std::make_shared<ScoreSettings>();
  command.add_option("model", settings->model, "The model file")->required();
  command.add_option("file", settings->file, "The table, with the columns that the model learnt")->required();
  command.add_option("-o,--out", settings->out, "The file to write; - for the standard output")
      ->capture_default_str();
  command
      .add_option("--by", settings->by,
                  "likelihood: how improbable the row is, in nats; cells: how far single cells stand out, in "
                  "standard deviations, for rows of which one cell in many is odd; reconstruction: how badly "
                  "the autoencoder makes it again; auto: likelihood, or of a model of the recipe faithful "
                  "reconstruction")
      ->check(CLI::IsMember({"auto", "likelihood", "cells", "reconstruction"}))
      ->capture_default_str();
  auto* const calibrate = command.add_option(
      "--calibrate", settings->calibrate,
      "Rows as they usually are that the model has not seen: a row is flagged if its score is "
      "above what --false-alarms of such rows exceed");
  command
      .add_option("--false-alarms", settings->false_alarms,
                  "The share of usual rows that may be flagged; (0, 1)")
      ->needs(calibrate)
      ->capture_default_str();
  command.add_flag("--explain", settings->explain,
                   "Reasons in words, from comparing rows with such as the model draws; with --calibrate, of "
                   "flagged rows alone");
  add_whole_number(command, "--top", settings->top,
                   "Only so many rows, oddest first; 0: all, in the table's order");
  add_whole_number(command, "--reasons", settings->reasons, "Reasons given for each row", 0, 1000);
  add_whole_number(command, "--samples", settings->samples,
                   "Latent codes that a probability is averaged over", 1, 65536);
  add_whole_number(command, "--seed", settings->seed, "Of these codes");
  add_whole_number(command, "--threads", settings->threads, "0: all; never changes the result", 0, 4096);
  command.footer(
      "rowsmith score people.model new.csv --top 20\n"
      "rowsmith score people.model new.csv --calibrate held_out.csv --false-alarms 0.01 --explain");
  return [settings] { return run_score(*settings); };
}

} // namespace program
