// SPDX-License-Identifier: MIT
// rowsmith evaluate: judges a synthetic table, writes the report, and guards a release.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/evaluate.hpp>
#include <rowsmith/io.hpp>
#include <rowsmith/models/likelihood.hpp>

#include "command.hpp"

namespace rs = rowsmith;

namespace program {
namespace {

struct Settings {
  CsvSettings csv;
  std::string train;
  std::string holdout;
  std::string synthetic;
  std::string model;
  std::string json;
  std::string html;
  std::string gate;
  std::string title = "Synthetic data report";
  rs::ReportOptions report;
  bool usual_gate = false;
  bool quiet = false;
};

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::ostringstream text;
  text << std::put_time(std::gmtime(&now), "%Y-%m-%d");
  return text.str();
}

// {"detection.boosted.auc": {"max": 0.8}, "efficacy.forest.income": {"min": 0.95}}
std::vector<rs::Limit> read_limits(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    throw rs::OptionError("--gate: " + path + " cannot be read");
  const auto json = nlohmann::json::parse(file, nullptr, false);
  if (!json.is_object() || json.empty())
    throw rs::OptionError("--gate: " + path +
                          " is no JSON object of limits, such as {\"shapes.mean\": {\"max\": 0.05}}");
  std::vector<rs::Limit> limits;
  for (const auto& [key, bounds] : json.items()) {
    rs::Limit limit{.key = key};
    if (!bounds.is_object() || bounds.empty())
      throw rs::OptionError("--gate: " + path + ": '" + key + "' is no object with \"min\" or \"max\"");
    for (const auto& [name, bound] : bounds.items()) {
      if ((name != "min" && name != "max") || !bound.is_number())
        throw rs::OptionError("--gate: " + path + ": '" + key + "." + name +
                              "': expected \"min\" or \"max\" with a number");
      (name == "min" ? limit.least : limit.most) = bound.get<double>();
    }
    limits.push_back(limit);
  }
  return limits;
}

// Rows that a model fitted to `train` can give a probability: with no category, and no empty cell, where no
// training row has one.
std::vector<std::size_t> known_rows(const rs::Table& table, const rs::Table& train, std::size_t most) {
  std::vector<bool> has_empty;
  for (const auto& column : train.columns())
    has_empty.push_back(column.missing_count() > 0);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    bool known = true;
    for (std::size_t c = 0; c < table.size() && known; ++c)
      if (table[c].is_missing(row))
        known = has_empty[c];
      else if (table[c].kind == rs::ColumnKind::categorical)
        known = train[c].dictionary.find(table[c].dictionary.text(table[c].codes[row])) != rs::missing_code;
    if (known)
      rows.push_back(row);
  }
  if (rows.size() > most) { // evenly from the whole table
    for (std::size_t k = 0; k < most; ++k)
      rows[k] = rows[k * rows.size() / most];
    rows.resize(most);
  }
  return rows;
}

// What the model itself says of rows that it never saw, as one more figure on fidelity.
rs::Figure likelihood(const rs::TableModel& model, const rs::Table& train, const rs::Table& holdout,
                      const rs::ReportOptions& options) {
  const rs::LikelihoodOptions own{.seed = options.seed, .threads = options.threads};
  const std::size_t most = options.quick ? 200 : 4000;
  const auto rows = known_rows(holdout, train, most);
  if (rows.empty())
    throw rs::OptionError(
        "--model: every hold-out row has a category that no training row has (an identifier?), so "
        "none has a probability");
  const auto unseen = rs::log_likelihood(model, holdout.select(rows), own);
  const auto seen = rs::log_likelihood(model, train.select(known_rows(train, train, most)), own);
  const auto spread = rs::mean_sd(unseen.rows);
  std::ostringstream meaning;
  meaning << std::fixed << std::setprecision(2)
          << "Mean log-probability of a hold-out row in nats, by the model (" << unseen.rows.size()
          << " rows, " << unseen.samples << " latent codes); of training rows " << seen.mean
          << ". For comparing models of one table; a wide gap between the two says that rows were learnt by "
             "heart.";
  return {.key = "likelihood.holdout",
          .section = "fidelity",
          .title = "Log-likelihood of hold-out rows",
          .value = unseen.mean,
          .sd = spread.sd / std::sqrt(static_cast<double>(std::max<std::size_t>(spread.n, 1))),
          .meaning = meaning.str()};
}

int run(const Settings& settings) {
  // Limits that cannot be read are better known before a minute of work than after it.
  std::vector<rs::Limit> limits;
  if (!settings.gate.empty())
    limits = read_limits(settings.gate);
  const auto train = settings.csv.read(settings.train);
  const auto holdout = settings.csv.read_like(settings.holdout, train);
  const auto synthetic = settings.csv.read_like(settings.synthetic, train);
  auto options = settings.report;
  if (!settings.quiet)
    options.progress = rs::progress_bar();
  std::optional<rs::Figure> of_model; // first, since a wrong model file is better known early
  if (!settings.model.empty())
    of_model = likelihood(rs::load_model(settings.model), train, holdout, options);
  auto report = rs::evaluate(train, holdout, synthetic, options);
  if (of_model)
    report.figures.insert(std::find_if(report.figures.begin(), report.figures.end(),
                                       [](const rs::Figure& figure) { return figure.section != "fidelity"; }),
                          *of_model);
  std::cout << report;
  if (!settings.quiet) {
    double total = 0;
    for (const auto& [stage, seconds] : report.seconds)
      total += seconds;
    std::clog << "evaluated in " << total << " s\n";
  }
  if (!settings.json.empty())
    rs::write_file_atomically(settings.json, [&](std::ostream& out) { out << rs::to_json(report) << '\n'; });
  if (!settings.html.empty())
    rs::write_file_atomically(settings.html, [&](std::ostream& out) {
      out << rs::to_html(report, {.title = settings.title,
                                  .date = today(),
                                  .train = settings.train,
                                  .holdout = settings.holdout,
                                  .synthetic = settings.synthetic});
    });
  if (settings.usual_gate) {
    const auto usual = rs::usual_limits(report);
    limits.insert(limits.end(), usual.begin(), usual.end());
  }
  if (limits.empty())
    return 0;
  const auto gate = rs::release_gate(report, limits);
  std::cout << "release gate: " << (gate.passed ? "passed" : "FAILED") << " (" << limits.size()
            << " limits)\n";
  for (const auto& failure : gate.failures)
    std::cout << "  " << failure << '\n';
  return gate.passed ? 0 : 1;
}

} // namespace

Run add_evaluate(CLI::App& app) {
  auto& command = *app.add_subcommand(
      "evaluate", "Judges a synthetic table: fidelity, utility and privacy, with a report to sign");
  const auto settings = std::make_shared<Settings>();
  command.add_option("--train", settings->train, "CSV file of the rows the model was fitted to")->required();
  command.add_option("--holdout", settings->holdout, "CSV file of real rows that the model never saw")
      ->required();
  command.add_option("--synthetic", settings->synthetic, "CSV file of the rows to judge")->required();
  command.add_option("--model", settings->model,
                     "Model file that made the rows: adds the likelihood of hold-out rows");
  command.add_option("--target", settings->report.targets, "Columns to predict, for the utility of the rows")
      ->delimiter(',');
  command.add_option("--seeds", settings->report.seeds, "Repeats of all that fits models")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1000}))
      ->capture_default_str();
  command.add_option("--seed", settings->report.seed, "Of the first repeat")->capture_default_str();
  command
      .add_option("--max-rows", settings->report.max_rows,
                  "Rows of a table in distances and attacks; more are sampled")
      ->check(CLI::Range(std::size_t{2}, std::size_t{100'000'000}))
      ->capture_default_str();
  command.add_option("--threads", settings->report.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  settings->csv.add_to(command);
  command.add_option("--json", settings->json, "Write all figures to this file");
  command.add_option("--html", settings->html, "Write the report to this file, for people");
  command.add_option("--title", settings->title, "Of the HTML report")->capture_default_str();
  command.add_option(
      "--gate", settings->gate,
      "JSON file of limits on figures, such as {\"detection.boosted.auc\": {\"max\": 0.8}}; exit "
      "code 1 if one is broken");
  command.add_flag("--usual-gate", settings->usual_gate, "Limits that a table made with care should keep");
  command.add_flag("--quick", settings->report.quick,
                   "One seed, small models, few rows: to see that all works");
  command.add_flag("--quiet", settings->quiet, "No progress");
  return [settings] { return run(*settings); };
}

} // namespace program
