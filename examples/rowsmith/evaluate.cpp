// SPDX-License-Identifier: MIT
// rowsmith evaluate: judges a synthetic table, writes the report, and guards a release.
#include <ctime>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/progress_bar.hpp>
#include <rowsmith/evaluate.hpp>

#include "command.hpp"

namespace rs = rowsmith;

namespace program {
namespace {

struct Settings {
  CsvSettings csv;
  std::string train;
  std::string holdout;
  std::string synthetic;
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

int run(const Settings& settings) {
  // Limits that cannot be read are better known before a minute of work than after it.
  std::vector<rs::Limit> limits;
  if (settings.usual_gate)
    limits = rs::usual_limits();
  if (!settings.gate.empty()) {
    const auto own = read_limits(settings.gate);
    limits.insert(limits.end(), own.begin(), own.end());
  }
  const auto train = settings.csv.read(settings.train);
  const auto holdout = settings.csv.read_like(settings.holdout, train);
  const auto synthetic = settings.csv.read_like(settings.synthetic, train);
  auto options = settings.report;
  if (!settings.quiet)
    options.progress = rs::progress_bar();
  const auto report = rs::evaluate(train, holdout, synthetic, options);
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
