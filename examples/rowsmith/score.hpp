// SPDX-License-Identifier: MIT
// rowsmith score: how odd each row of a table is, and why.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <stdlib.h>
#include <unistd.h>

#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/row_reasons.hpp>
#include <rowsmith/models/row_surprise.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table_chunks.hpp>
#include <rowsmith/table/table_file.hpp>

#include "sample.hpp"

namespace program {

struct ScoreSettings {
  std::string model;
  std::vector<std::string> files;
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
inline std::string columns_at_fault(const std::vector<std::string>& names, const double* cells,
                                    const std::vector<double>& usual, std::size_t most) {
  std::vector<std::size_t> by(usual.size());
  std::iota(by.begin(), by.end(), std::size_t{0});
  const auto excess = [&](std::size_t c) { return cells[c] - usual[c]; };
  std::stable_sort(by.begin(), by.end(), [&](std::size_t a, std::size_t b) { return excess(a) > excess(b); });
  std::string text;
  for (std::size_t k = 0; k < std::min(most, by.size()) && excess(by[k]) > 0.5; ++k)
    text += (text.empty() ? "" : "; ") + names[by[k]] + " +" + two_digits(excess(by[k]));
  return text;
}

// A row that was scored. What makes it odd is told by its cells, once the usual ones are known, or in words.
struct ScoredRow {
  std::uint64_t row = 0;
  double score = 0;
  std::vector<double> cells{}; // empty: there are words, or nothing to say
  std::string words{};

  bool before(const ScoredRow& other) const { // the odder one, or the first of two alike
    return score > other.score || (score == other.score && row < other.row);
  }
};

// Rows that were scored, in a file without a name that is gone with the program: how often columns are at
// fault is known only behind the last row, and memory does not grow with the rows.
class ScoreSpool {
public:
  ScoreSpool() {
    auto path = (std::filesystem::temp_directory_path() / "rowsmith-scores-XXXXXX").string();
    const int file = mkstemp(path.data());
    if (file < 0)
      throw rowsmith::Error(path + ": cannot be written");
    unlink(path.c_str());
    file_ = fdopen(file, "w+b");
    if (file_ == nullptr) {
      close(file);
      throw rowsmith::Error(path + ": cannot be written");
    }
  }
  ScoreSpool(const ScoreSpool&) = delete;
  ScoreSpool& operator=(const ScoreSpool&) = delete;
  ~ScoreSpool() { std::fclose(file_); }

  void put(const ScoredRow& one) {
    const std::uint64_t sizes[] = {one.row, one.cells.size(), one.words.size()};
    put_bytes(sizes, sizeof sizes);
    put_bytes(&one.score, sizeof one.score);
    put_bytes(one.cells.data(), one.cells.size() * sizeof(double));
    put_bytes(one.words.data(), one.words.size());
  }
  // Calls `take(row)` for all of them, in their order.
  template <class Take>
  void each(const Take& take) {
    if (std::fflush(file_) != 0)
      full();
    std::rewind(file_);
    std::uint64_t sizes[3] = {};
    ScoredRow one;
    while (std::fread(sizes, 1, sizeof sizes, file_) == sizeof sizes) {
      one.row = sizes[0];
      one.cells.resize(sizes[1]);
      one.words.resize(sizes[2]);
      get_bytes(&one.score, sizeof one.score);
      get_bytes(one.cells.data(), one.cells.size() * sizeof(double));
      get_bytes(one.words.data(), one.words.size());
      take(one);
    }
  }

private:
  [[noreturn]] static void full() {
    throw rowsmith::Error("the scores cannot be kept in the folder of temporary files; is the disk full?");
  }
  void put_bytes(const void* bytes, std::size_t count) {
    if (std::fwrite(bytes, 1, count, file_) != count)
      full();
  }
  void get_bytes(void* bytes, std::size_t count) {
    if (std::fread(bytes, 1, count, file_) != count)
      full();
  }
  std::FILE* file_;
};

// Reasons of some rows, in words.
inline std::vector<std::string> explained(const rowsmith::RowReasons& why, const rowsmith::Table& table,
                                          const rowsmith::RowSurprise& told,
                                          const std::vector<std::size_t>& rows) {
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

// Calls `take(table, told, scores, number of the first row)` for all rows of files, a chunk after the other.
template <class Take>
void score_files(const std::vector<std::string>& files, const rowsmith::TableFormat& format,
                 const rowsmith::TableModel& model, Scorer& scorer, bool cells, const Take& take) {
  rowsmith::TableChunks chunks(files, format, {.open = rowsmith::open_compressed});
  const auto learnt = model.empty_table();
  rowsmith::Table table;
  while (chunks.next(table)) {
    auto columns = std::move(table).into_columns();
    for (std::size_t c = 0; c < columns.size(); ++c) // a few rows do not tell them
      columns[c].decimals = learnt[c].decimals;
    table = rowsmith::Table(std::move(columns), format.label);
    rowsmith::RowSurprise told;
    std::vector<double> scores;
    try {
      scores = scorer(table, told, cells);
    } catch (const rowsmith::SchemaError& error) {
      if (chunks.first_row() == 0)
        throw;
      throw rowsmith::SchemaError(chunks.path() + ", rows counted from row " +
                                  std::to_string(chunks.first_row() + 1) + " on: " + error.what());
    }
    take(table, told, scores, chunks.first_row());
  }
}

inline int run_score(const ScoreSettings& settings) {
  const bool calibrated = !settings.calibrate.empty();
  if (settings.out != "-") {
    Files inputs{{"MODEL", settings.model}, {"--calibrate", settings.calibrate}};
    for (const auto& file : settings.files)
      inputs.emplace_back("FILE", file);
    check_outputs(inputs, {{"-o", settings.out}});
  }
  if (calibrated && !(settings.false_alarms > 0 && settings.false_alarms < 1))
    throw rowsmith::OptionError("--false-alarms: expected a share of more than 0 and less than 1");
  const auto model = rowsmith::load_model(settings.model);
  const bool distribution = model.is_distribution();
  const auto format = format_of(model, false);
  Scorer scorer(settings, model);
  double threshold = std::numeric_limits<double>::infinity();
  if (calibrated) {
    std::vector<double> usual;
    score_files({settings.calibrate}, format, model, scorer, false,
                [&](const auto&, const auto&, const std::vector<double>& scores, std::uint64_t) {
                  usual.insert(usual.end(), scores.begin(), scores.end());
                });
    threshold = threshold_of(settings.calibrate, usual, settings.false_alarms);
  }
  std::optional<rowsmith::RowReasons> why;
  if (settings.explain)
    why.emplace(model, rowsmith::ReasonOptions{.most = settings.reasons,
                                               .seed = settings.seed,
                                               .threads = settings.threads,
                                               .write = number_writer(format)});
  ScoreSpool spool;
  std::vector<ScoredRow> oddest; // if only some are asked for
  std::vector<std::string> names;
  std::vector<double> sums; // of finite cells, by name
  std::vector<std::size_t> counts;
  std::uint64_t rows = 0;
  std::uint64_t flagged_rows = 0;
  score_files(
      settings.files, format, model, scorer, distribution,
      [&](const rowsmith::Table& table, const rowsmith::RowSurprise& told, const std::vector<double>& scores,
          std::uint64_t first) {
        names = told.names;
        sums.resize(names.size());
        counts.resize(names.size());
        for (std::size_t i = 0; i < scores.size(); ++i) {
          flagged_rows += scores[i] > threshold ? 1U : 0U;
          for (std::size_t k = 0; k < names.size() && distribution; ++k)
            if (const double cell = told.cells[i * names.size() + k]; std::isfinite(cell)) {
              sums[k] += cell;
              ++counts[k];
            }
        }
        rows += scores.size();
        // The rows of this chunk that may be written.
        std::vector<std::size_t> chosen(scores.size());
        std::iota(chosen.begin(), chosen.end(), std::size_t{0});
        if (settings.top > 0) {
          const auto odder = [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; };
          std::stable_sort(chosen.begin(), chosen.end(), odder);
          chosen.resize(std::min(chosen.size(), settings.top));
          const auto from = std::find_if(chosen.begin(), chosen.end(), [&](std::size_t i) {
            return oddest.size() == settings.top && !(scores[i] > oddest.back().score);
          });
          chosen.erase(from, chosen.end());
        }
        std::vector<std::string> words(chosen.size());
        if (why) {
          std::vector<std::size_t> some;
          std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(some),
                       [&](std::size_t i) { return !calibrated || scores[i] > threshold; });
          const auto texts = explained(*why, table, told, some);
          for (std::size_t i = 0, next = 0; i < chosen.size() && next < some.size(); ++i)
            if (chosen[i] == some[next])
              words[i] = texts[next++];
        }
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          ScoredRow one{.row = first + chosen[i], .score = scores[chosen[i]], .words = std::move(words[i])};
          if (!why && distribution) {
            one.words = told.impossible[chosen[i]];
            const auto* const cells = told.cells.data() + chosen[i] * names.size();
            if (one.words.empty())
              one.cells.assign(cells, cells + names.size());
          }
          if (settings.top > 0)
            oddest.push_back(std::move(one));
          else
            spool.put(one);
        }
        std::sort(oddest.begin(), oddest.end(), [](const auto& a, const auto& b) { return a.before(b); });
        oddest.resize(std::min(oddest.size(), settings.top));
      });
  if (calibrated)
    std::clog << "rowsmith: " << flagged_rows << " of " << rows << " rows flagged\n";
  std::vector<double> usual; // cells of the table
  for (std::size_t k = 0; k < sums.size(); ++k)
    usual.push_back(counts[k] > 0 ? sums[k] / static_cast<double>(counts[k]) : 0);
  write_output(settings.out, "the scores", [&](std::ostream& out) {
    out << "row,score," << (calibrated ? "flagged," : "") << "reasons\n";
    std::string line;
    const auto write = [&](const ScoredRow& one) {
      line = std::to_string(one.row + 1) + "," + two_digits(one.score) + ",";
      if (calibrated)
        line += one.score > threshold ? "yes," : "no,";
      const auto reasons =
          one.cells.empty() ? one.words : columns_at_fault(names, one.cells.data(), usual, settings.reasons);
      if (!reasons.empty())
        rowsmith::append_csv_cell(line, reasons);
      out << line << '\n';
    };
    if (settings.top > 0)
      std::for_each(oddest.begin(), oddest.end(), write);
    else
      spool.each(write);
  });
  return 0;
}

inline Run add_score(CLI::App& app) {
  auto& command = *app.add_subcommand("score", "Says how odd each row of a table is to a model (nats; the "
                                               "more, the odder), and which columns make it so");
  const auto settings = std::make_shared<ScoreSettings>();
  command.add_option("model", settings->model, "The model file")->required();
  command
      .add_option(
          "file", settings->files,
          "The table, with the columns that the model learnt; of several files, compressed or not, the "
          "rows are counted through")
      ->required();
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
