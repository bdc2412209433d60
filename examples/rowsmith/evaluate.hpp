// SPDX-License-Identifier: MIT
// rowsmith evaluate: judges a synthetic table, writes the report, and guards a release.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/evaluate.hpp>
#include <rowsmith/evaluate/limits_json.hpp>
#include <rowsmith/io.hpp>
#include <rowsmith/models/expressible_rows.hpp>
#include <rowsmith/models/likelihood.hpp>
#include <rowsmith/table/named_columns.hpp>

#include "command.hpp"
#include "input.hpp"

namespace program {

namespace rs = rowsmith;

struct EvaluateSettings {
  InputSettings input;
  std::string train;
  std::string holdout;
  std::string synthetic;
  std::string model;
  std::string json;
  std::string html;
  std::string gate;
  std::string title = "Synthetic data report";
  std::vector<std::string> targets;
  rs::ReportOptions report;
  std::size_t rows = 0; // of each table, by chance; 0: see `read_judged`
  bool usual_gate = false;
  bool quiet = false;
};

inline std::string today() {
  const std::time_t now = std::time(nullptr);
  std::ostringstream text;
  text << std::put_time(std::gmtime(&now), "%Y-%m-%d");
  return text.str();
}

// Rows that a model of `train` can express, at most so many, evenly from the whole table. `broken` gets those
// that break a relation.
inline rs::Table some_expressible(const rs::Table& table, const rs::Table& train, const rs::TableModel& model,
                                  std::size_t most, std::vector<std::size_t>& broken) {
  auto rows = rs::expressible_rows(table, train, model.preparation(), broken);
  if (rows.size() > most) {
    for (std::size_t k = 0; k < most; ++k)
      rows[k] = rows[k * rows.size() / most];
    rows.resize(most);
  }
  return table.select(rows);
}

inline constexpr const char* likelihood_key = "likelihood.holdout";

// What the model itself says of rows that it never saw, as one more figure on fidelity.
inline rs::evaluate::Figure likelihood(const rs::TableModel& model, const rs::Table& train,
                                       const rs::Table& holdout, const rs::ReportOptions& options) {
  const rs::LikelihoodOptions own{.seed = options.seed, .threads = options.threads};
  const std::size_t most = options.quick ? 200 : 4000;
  std::vector<std::size_t> broken;
  const auto rows = some_expressible(holdout, train, model, most, broken);
  if (rows.rows() == 0)
    throw rs::OptionError(
        "--model: every hold-out row has a category that no training row has (an identifier?), or breaks a "
        "relation that all training rows keep, so none has a probability");
  const auto unseen = rs::log_likelihood(model, rows, own);
  std::vector<std::size_t> exceptions; // of the training, where relations allow for some
  const auto seen = rs::log_likelihood(model, some_expressible(train, train, model, most, exceptions), own);
  const auto spread = rs::mean_sd(unseen.rows);
  std::ostringstream meaning;
  meaning << std::fixed << std::setprecision(2)
          << "Mean log-probability of a hold-out row in nats, by the model (" << unseen.rows.size()
          << " rows, " << unseen.samples << (unseen.samples == 1 ? " latent code" : " latent codes")
          << "); of training rows " << seen.mean
          << ". For comparing models of one table; a wide gap between the two says that rows were learnt by "
             "heart.";
  if (!broken.empty())
    meaning << " Left out: " << broken.size()
            << " hold-out rows that break a relation which the model keeps in every row.";
  return {.key = likelihood_key,
          .section = "fidelity",
          .title = "Log-likelihood of hold-out rows",
          .value = unseen.mean,
          .sd = spread.sd / std::sqrt(static_cast<double>(std::max<std::size_t>(spread.n, 1))),
          .meaning = meaning.str(),
          .rows = unseen.rows.size()};
}

inline constexpr const char* promise_key = "privacy.epsilon";

// What the model promises of any one row, as one more figure on privacy: the one that no attack has to
// confirm.
inline rs::evaluate::Figure promise(const rs::TableModel& model) {
  const auto& ledger = model.privacy();
  std::ostringstream meaning;
  if (ledger.empty())
    meaning << "No guarantee: the model was trained without differential privacy.";
  else
    meaning
        << "The model is (" << ledger.epsilon << ", " << ledger.delta
        << ")-differentially private: that covers it and its rows, not this report, which was made of the "
           "real rows as well.";
  return {.key = promise_key,
          .section = "privacy",
          .title = "Promised epsilon",
          .value = ledger.empty() ? std::numeric_limits<double>::quiet_NaN() : ledger.epsilon,
          .meaning = meaning.str()};
}

inline constexpr const char* copies_key = "copies.all";

// Copies among all training rows, where but some of them are judged by: the file is read once more.
inline rs::evaluate::Figure all_copies(const EvaluateSettings& settings, const rs::TableFile& file,
                                       const rs::Table& holdout, const rs::Table& synthetic) {
  std::vector<bool> made(synthetic.rows());
  std::vector<bool> unseen(holdout.rows());
  const auto rows =
      settings.input.mark_in_file(settings.train, file, {{&synthetic, &made}, {&holdout, &unseen}});
  const auto share = rs::evaluate::share_of(made);
  const auto base = rs::evaluate::share_of(unseen);
  const bool many = share.value > base.value + 3 * base.sd + 3 * share.sd;
  return {.key = copies_key,
          .section = "privacy",
          .title = "Exact copies among all training rows",
          .value = share.value,
          .sd = share.sd,
          .ideal = base.value,
          .ideal_sd = base.sd,
          .per_cent = true,
          .light = many ? rs::evaluate::Light::amber : rs::evaluate::Light::green,
          .meaning = "Every row was compared with all " + std::to_string(rows) +
                     " training rows, cell by cell, so that no other row counts as a copy; hold-out rows set "
                     "the base rate.",
          .rows = synthetic.rows()};
}

inline int run_evaluate(const EvaluateSettings& settings) {
  // Wrong use is better known before minutes of work than after them.
  const Files inputs{{"--train", settings.train},
                     {"--holdout", settings.holdout},
                     {"--synthetic", settings.synthetic},
                     {"--model", settings.model},
                     {"--gate", settings.gate}};
  check_outputs(inputs, {{"--json", settings.json}, {"--html", settings.html}});
  if (same_file(settings.train, settings.holdout))
    throw rs::OptionError("--holdout: " + settings.holdout +
                          " is the file of --train, expected rows that the "
                          "model never saw");
  std::vector<rs::evaluate::Limit> limits;
  if (!settings.gate.empty())
    limits = wrong_use("--gate", [&] { return rs::evaluate::read_limits(settings.gate); });
  decltype(rs::evaluate::Report::of) of;
  const auto seed = settings.report.seed;
  const auto file = settings.input.read_first(settings.train, settings.rows, seed, of.train);
  const auto& train = file.table;
  if (!settings.quiet)
    tell_notes(std::clog, file, settings.train);
  auto options = settings.report;
  const auto keys = wrong_use("--target", [&] {
    options.targets = rs::named_columns(settings.targets, train.schema());
    return rs::evaluate::report_keys(train.schema(), options);
  });
  const bool through = of.train > train.rows() && settings.train != "-"; // all of the file, once more
  for (const auto& limit : limits)
    if (std::find(keys.begin(), keys.end(), limit.key) == keys.end() &&
        !(through && limit.key == copies_key) &&
        (settings.model.empty() || (limit.key != likelihood_key && limit.key != promise_key))) {
      std::string known = settings.model.empty() ? "" : std::string(likelihood_key) + ", " + promise_key;
      for (const auto& key : keys)
        known.append(known.empty() ? "" : ", ").append(key);
      throw rs::OptionError("--gate: " + settings.gate + ": there will be no figure '" + limit.key +
                            "', only: " + known);
    }
  const auto holdout =
      settings.input.read_like(settings.holdout, file.format, settings.rows, seed, 1, of.holdout);
  const auto synthetic =
      settings.input.read_like(settings.synthetic, file.format, settings.rows, seed, 2, of.synthetic);
  for (const auto& [table, path] :
       {std::pair{&holdout, &settings.holdout}, std::pair{&synthetic, &settings.synthetic}})
    for (const auto& warning : rs::unknown_categories(*table, train))
      std::clog << *path << ": warning: " << warning << '\n';
  wrong_use("evaluate", [&] { rs::evaluate::check_judge(train, holdout, synthetic, options); });
  if (!settings.quiet)
    options.progress = rs::progress_bar();
  std::vector<rs::evaluate::Figure> of_model; // first, since a wrong model file is better known early
  if (!settings.model.empty()) {
    const auto model = rs::load_model(settings.model);
    try {
      of_model = {likelihood(model, train, holdout, options)};
    } catch (const rs::SchemaError& error) {
      // A private model may have no word for what few of its training rows had.
      if (model.privacy().empty())
        throw;
      of_model = {{.key = likelihood_key,
                   .section = "fidelity",
                   .title = "Log-likelihood of hold-out rows",
                   .value = std::numeric_limits<double>::quiet_NaN(),
                   .meaning = std::string("Not measured: ") + error.what()}};
    }
    of_model.push_back(promise(model));
  }
  auto report = rs::judge(train, holdout, synthetic, options);
  report.of = of;
  if (through) {
    of_model.push_back(all_copies(settings, file, holdout, synthetic));
    report.privacy = std::max(report.privacy, of_model.back().light);
  }
  for (const auto& figure : of_model) { // behind the others of its section
    const auto last = std::find_if(report.figures.rbegin(), report.figures.rend(),
                                   [&](const auto& other) { return other.section == figure.section; });
    report.figures.insert(last.base(), figure);
  }
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

inline Run add_evaluate(CLI::App& app) {
  auto& command = *app.add_subcommand(
      "evaluate", "Judges a synthetic table: fidelity, utility and privacy, with a report to sign");
  const auto settings = std::make_shared<EvaluateSettings>();
  command.add_option("--train", settings->train, "CSV file of the rows the model was fitted to")->required();
  command.add_option("--holdout", settings->holdout, "CSV file of real rows that the model never saw")
      ->required();
  command.add_option("--synthetic", settings->synthetic, "CSV file of the rows to judge")->required();
  command.add_option("--model", settings->model,
                     "Model file that made the rows: adds the likelihood of hold-out rows");
  command.add_option("--target", settings->targets,
                     "Columns to predict, for the utility of the rows: with commas between, or one for each "
                     "time the option is given");
  add_whole_number(command, "--seeds", settings->report.seeds, "Repeats of all that fits models", 1, 1000);
  add_whole_number(command, "--seed", settings->report.seed, "Of the first repeat");
  add_whole_number(command, "--rows", settings->rows,
                   "Judge so many rows of each table at most, taken by chance while the files are read in "
                   "chunks; 0: all, but 200,000 of files that are compressed or larger than 64 MiB",
                   0, 100'000'000);
  add_whole_number(command, "--max-rows", settings->report.max_rows,
                   "Rows of a table in distances and attacks; more are sampled", 2, 100'000'000);
  add_whole_number(command, "--threads", settings->report.threads, "0: all; never changes the result", 0,
                   4096);
  add_input(command, settings->input, false);
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
  return [settings] { return run_evaluate(*settings); };
}

} // namespace program
