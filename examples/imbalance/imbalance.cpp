// SPDX-License-Identifier: MIT
// A rare class: does a classifier gain from rows of it that a model makes? Beside it what is usually done:
// class weights, random oversampling and SMOTE-NC, on the same rows, judged on others.
//
// usage: imbalance [--data people.csv --target income --positive '>50K' --thin 0.01]; see --help
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classify.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table_file.hpp>

#include "../common/fit_model.hpp"
#include "made_rows.hpp"
#include "ways.hpp"

namespace rs = rowsmith;

namespace {

struct Settings {
  std::string data;
  std::string target;
  std::string positive;
  double thin = 0.01;
  double ratio = 0.1;
  std::size_t seeds = 10;
  std::string json;
  int threads = 0;
  bool quick = false;
};

// A table with a rare class, cut anew for each seed.
struct Source {
  std::string name;
  std::string target;
  std::string positive;
  // Training and test rows. Of the rare class the latter have more, so that figures are no matter of luck;
  // precision is that of the share in the former.
  std::function<std::pair<rs::Table, rs::Table>(std::uint64_t)> cut;
};

// Only so many of the positive rows that they are `share` of all that is left.
rs::Table thinned(const rs::Table& table, const std::string& target, const std::string& positive,
                  double share, std::uint64_t seed) {
  const auto& column = table[target];
  const auto code = column.dictionary.find(positive);
  if (code == rs::missing_code)
    throw rs::OptionError("--positive: column '" + target + "' has no '" + positive + "'");
  std::vector<std::size_t> rare;
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    (column.codes[row] == code ? rare : rows).push_back(row);
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, 3));
  rs::shuffle(std::span<std::size_t>(rare), random);
  const auto count = static_cast<std::size_t>(share / (1 - share) * static_cast<double>(rows.size()));
  rare.resize(std::min(rare.size(), std::max<std::size_t>(count, 2)));
  rows.insert(rows.end(), rare.begin(), rare.end());
  std::sort(rows.begin(), rows.end());
  return table.select(rows);
}

std::vector<Source> sources(const Settings& settings) {
  std::vector<Source> all;
  const std::size_t rows = settings.quick ? 1500 : 10'000;
  all.push_back({"machines", "state", "failure", [rows](std::uint64_t seed) {
                   return std::pair(made::machines(rows, 0.02, 2 * seed),
                                    made::machines(rows, 0.2, 2 * seed + 1));
                 }});
  all.push_back({"payments", "fraud", "yes", [rows](std::uint64_t seed) {
                   return std::pair(made::payments(rows, 0.01, 2 * seed),
                                    made::payments(rows, 0.2, 2 * seed + 1));
                 }});
  if (settings.data.empty())
    return all;
  const auto table = rs::read_table_file(settings.data, {.label = settings.target}).table;
  all.insert(all.begin(),
             {"the file", settings.target, settings.positive, [table, settings](std::uint64_t seed) {
                auto parts = rs::split(table, 0.7, seed, settings.target);
                parts.first = thinned(parts.first, settings.target, settings.positive, settings.thin, seed);
                return parts;
              }});
  return all;
}

// The model's rows alone, as many as it learnt from, and as many of the rare class as the other ways have:
// what can be given to somebody who must not see the rows.
rs::Table rows_of_the_model(const ways::Task& task, const rs::TableModel& model) {
  auto alone = task;
  alone.train = model.sample(task.train.rows(), {.seed = task.seed});
  return ways::by_model(alone, model);
}

using Figures = std::map<std::string, std::vector<double>>; // by figure, one a seed

struct Results {
  std::vector<std::string> ways;
  std::map<std::string, std::map<std::string, Figures>> figures; // by judge and way
};

Results study(const Source& source, const Settings& settings) {
  Results results;
  for (std::uint64_t seed = 0; seed < settings.seeds; ++seed) {
    const auto [train, test] = source.cut(seed);
    const auto model = common::fit_default(train, {seed, settings.threads, settings.quick});
    const ways::Task task{train, source.target, {source.positive}, settings.ratio, seed};
    const double share =
        static_cast<double>(task.rows_of(source.positive).size()) / static_cast<double>(train.rows());
    auto tables = ways::all_of(task, model);
    tables.emplace_back("rowsmith alone", rows_of_the_model(task, model));
    for (const auto& [way, table] : tables) {
      if (seed == 0)
        results.ways.push_back(way);
      for (const auto judge : {rs::Classifier::forest, rs::Classifier::boosted, rs::Classifier::linear}) {
        rs::evaluate::ClassifyOptions options{.classifier = judge, .seed = seed};
        options.models.forest.trees = settings.quick ? 20 : 100;
        options.models.forest.threads = options.models.boosted.threads = options.models.linear.threads =
            settings.threads;
        const auto told = rs::classify(table, test, source.target, options);
        const std::size_t k = told.class_index(source.positive);
        const auto scores = told.of_class(k);
        const auto truth = told.is_class(k);
        auto& figures = results.figures[std::string(to_string(judge))][way];
        figures["PR-AUC"].push_back(rs::evaluate::average_precision(scores, truth, share));
        figures["ROC-AUC"].push_back(rs::evaluate::roc_auc(scores, truth));
        figures["recall at 1 % false alarms"].push_back(
            rs::evaluate::true_positive_rate_at(rs::evaluate::roc_curve(scores, truth), 0.01));
      }
    }
    std::cerr << source.name << ": seed " << seed + 1 << " of " << settings.seeds << '\n';
  }
  return results;
}

// Mean and half the width of its 95 % interval, by Student's t.
struct Interval {
  double mean = 0;
  double half = 0;
};
Interval interval(const std::vector<double>& values) {
  constexpr double t[] = {12.71, 4.30, 3.18, 2.78, 2.57,
                          2.45,  2.36, 2.31, 2.26}; // of 1 to 9 degrees of freedom
  const auto told = rs::mean_sd(values);
  if (values.size() < 2)
    return {told.mean, 0};
  const double factor = values.size() <= 10 ? t[values.size() - 2] : 2.1;
  return {told.mean, factor * told.sd / std::sqrt(static_cast<double>(values.size()))};
}
Interval difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> values;
  for (std::size_t i = 0; i < a.size(); ++i)
    values.push_back(a[i] - b[i]);
  return interval(values);
}

nlohmann::json print(const Source& source, const Results& results, std::size_t seeds) {
  nlohmann::json json;
  std::cout << "\n"
            << source.name << ": rows of '" << source.target << " = " << source.positive << "', mean of "
            << seeds << (seeds == 1 ? " seed" : " seeds") << " (rowsmith less this way, 95 % interval)\n"
            << std::fixed << std::setprecision(3);
  for (const auto& [judge, by_way] : results.figures)
    for (const char* figure : {"PR-AUC", "ROC-AUC", "recall at 1 % false alarms"}) {
      std::cout << "  " << judge << ", " << figure << '\n';
      const auto& ours = by_way.at("rowsmith").at(figure);
      for (const auto& way : results.ways) {
        const auto& values = by_way.at(way).at(figure);
        const auto own = interval(values);
        const auto less = difference(ours, values);
        std::cout << "    " << std::left << std::setw(16) << way << std::right << own.mean;
        if (way != "rowsmith")
          std::cout << "   (" << std::showpos << less.mean << std::noshowpos << " ± " << less.half << ")";
        std::cout << '\n';
        json[judge][figure][way] = {{"mean", own.mean},
                                    {"half", own.half},
                                    {"rowsmith_less_this", less.mean},
                                    {"rowsmith_less_this_half", less.half},
                                    {"values", values}};
      }
    }
  return json;
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "A rare class: classifiers that learn from what a model makes of it, and from what else is done");
  auto* const data = app.add_option("--data", settings.data, "A table, in place of made ones alone");
  app.add_option("--target", settings.target, "Its column to predict")->needs(data);
  app.add_option("--positive", settings.positive, "The rare class")->needs(data);
  app.add_option("--thin", settings.thin, "Leave so many rows of it that they are this share")
      ->check(CLI::Range(0.0001, 0.5))
      ->capture_default_str();
  app.add_option("--ratio", settings.ratio, "Rows of the rare class to learn from, for each of the other")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
  app.add_option("--seeds", settings.seeds, "Cuts of the table, each with a model of its own")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--json", settings.json, "A file for all figures");
  app.add_option("--threads", settings.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096));
  app.add_flag("--quick", settings.quick,
               "Small tables, one seed, little training: the figures mean nothing");
  try {
    app.parse(argc, argv);
    if (!settings.data.empty() && (settings.target.empty() || settings.positive.empty()))
      throw CLI::ValidationError("--data", "expected --target and --positive beside it");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help
    std::cerr << "imbalance: " << error.what() << " (imbalance --help lists the options)\n";
    return 2;
  }
  try {
    if (settings.quick)
      settings.seeds = 1;
    nlohmann::json json;
    for (const auto& source : sources(settings))
      json[source.name] = print(source, study(source, settings), settings.seeds);
    if (!settings.json.empty())
      rs::write_file_atomically(settings.json, [&](std::ostream& out) { out << json.dump(1) << '\n'; });
  } catch (const rs::OptionError& error) {
    std::cerr << "imbalance: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "imbalance: " << error.what() << '\n';
    return 1;
  }
}
