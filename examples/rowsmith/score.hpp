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
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table_file.hpp>

#include "sample.hpp"

namespace program {

struct ScoreSettings {
  std::string model;
  std::string file;
  std::string out = "-";
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

inline int run_score(const ScoreSettings& settings) {
  if (settings.out != "-")
    check_outputs({{"MODEL", settings.model}, {"FILE", settings.file}}, {{"-o", settings.out}});
  const auto model = rowsmith::load_model(settings.model);
  const auto table = rowsmith::read_table_like(settings.file, format_of(model, false));
  const bool distribution =
      model.parts().decoding != rowsmith::Decoding::argmax && model.encoder().number_columns() == 0;
  rowsmith::LogLikelihood told;
  std::vector<double> scores;
  if (distribution) {
    told = rowsmith::log_likelihood(
        model, table,
        {.samples = settings.samples, .seed = settings.seed, .threads = settings.threads, .cells = true});
    for (const double row : told.rows)
      scores.push_back(-row);
  } else {
    scores = rowsmith::Sampler(model).score_rows(table, settings.threads);
  }
  // Oddest first, if only some are asked for.
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (settings.top > 0) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    order.resize(std::min(order.size(), settings.top));
  }
  // A column is a reason by how much less likely its cell is than such cells are on average.
  const std::size_t columns = told.columns.size();
  std::vector<double> usual(columns);
  for (std::size_t c = 0; c < columns; ++c) {
    double rows = 0;
    for (std::size_t r = 0; r < scores.size(); ++r)
      if (const double cell = told.cells[r * columns + c]; std::isfinite(cell)) {
        usual[c] += cell;
        ++rows;
      }
    usual[c] /= std::max(rows, 1.0);
  }
  const auto reasons = [&](std::size_t row) -> std::string {
    if (!distribution)
      return {};
    if (std::isinf(scores[row]) && std::isnan(told.cells[row * columns]))
      return "breaks a relation that the model keeps in every row";
    std::vector<std::size_t> by(columns);
    std::iota(by.begin(), by.end(), std::size_t{0});
    const auto excess = [&](std::size_t c) { return usual[c] - told.cells[row * columns + c]; };
    std::stable_sort(by.begin(), by.end(),
                     [&](std::size_t a, std::size_t b) { return excess(a) > excess(b); });
    std::string text;
    for (std::size_t k = 0; k < std::min(settings.reasons, columns) && excess(by[k]) > 0.5; ++k)
      text += (text.empty() ? "" : "; ") + told.columns[by[k]].first + " +" + two_digits(excess(by[k]));
    return text;
  };
  write_output(settings.out, "the scores", [&](std::ostream& out) {
    out << "row,score,reasons\n";
    std::string line;
    for (const std::size_t row : order) {
      line = std::to_string(row + 1) + "," + two_digits(scores[row]) + ",";
      if (auto text = reasons(row); !text.empty())
        rowsmith::append_csv_cell(line, text);
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
  add_whole_number(command, "--top", settings->top,
                   "Only so many rows, oddest first; 0: all, in the table's order");
  add_whole_number(command, "--reasons", settings->reasons, "Columns named for each row", 0, 1000);
  add_whole_number(command, "--samples", settings->samples,
                   "Latent codes that a probability is averaged over", 1, 65536);
  add_whole_number(command, "--seed", settings->seed, "Of these codes");
  add_whole_number(command, "--threads", settings->threads, "0: all; never changes the result", 0, 4096);
  command.footer("rowsmith score people.model new.csv --top 20");
  return [settings] { return run_score(*settings); };
}

} // namespace program
