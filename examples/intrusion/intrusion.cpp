// SPDX-License-Identifier: MIT
// Rare attacks: of some there are a dozen connections to learn from. Do rows that a model makes of them help
// to find others like them? Beside it class weights, random oversampling, SMOTE-NC, and a threshold that is
// moved.
//
// usage: intrusion [--train KDDTrain.csv --test KDDTest.csv]; see --help
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/statistics.hpp>
#include <rowsmith/evaluate/classify.hpp>

#include "../common/fit_model.hpp"
#include "../imbalance/ways.hpp"
#include "traffic.hpp"

namespace rs = rowsmith;

namespace {

struct Settings {
  std::string train;
  std::string test;
  double ratio = 0.1;
  std::size_t seeds = 5;
  std::string json;
  int threads = 0;
  bool quick = false;
};

// Figures by name: accuracy, the recall of each class, and false alarms: the share of normal rows taken for
// attacks.
std::map<std::string, double> figures_of(const rs::evaluate::ClassPredictions& told,
                                         const std::vector<std::uint16_t>& predicted) {
  std::map<std::string, double> figures;
  const auto share = [&](const auto& of, const auto& hit) {
    double rows = 0;
    double hits = 0;
    for (std::size_t i = 0; i < told.rows(); ++i)
      if (of(i)) {
        ++rows;
        hits += hit(i) ? 1 : 0;
      }
    return rows > 0 ? hits / rows : 0;
  };
  const auto right = [&](std::size_t i) { return predicted[i] == told.labels[i]; };
  figures["accuracy"] = share([](std::size_t) { return true; }, right);
  for (std::size_t k = 0; k < told.classes.size(); ++k) {
    const auto is_k = [&](std::size_t i) { return told.labels[i] == k; };
    if (told.classes[k] == "normal")
      figures["false alarms"] = share(is_k, [&](std::size_t i) { return !right(i); });
    else
      figures["recall " + told.classes[k]] = share(is_k, right);
  }
  return figures;
}

// The class whose probability is the largest for its share of the training rows: a threshold that is moved
// until all classes are equal.
std::vector<std::uint16_t> as_if_equal(const rs::evaluate::ClassPredictions& told, const rs::Table& train) {
  std::vector<double> shares(told.classes.size(), 1e-9);
  for (const auto code : train["label"].codes)
    shares[told.class_index(train["label"].dictionary.text(code))] += 1;
  auto weighted = told;
  for (std::size_t i = 0; i < weighted.probability.size(); ++i)
    weighted.probability[i] /= shares[i % shares.size()];
  return weighted.predicted();
}

using Figures = std::map<std::string, std::vector<double>>;

struct Results {
  std::vector<std::string> ways;
  std::map<std::string, std::map<std::string, Figures>> figures; // by judge and way
};

Results study(const rs::Table& train, const rs::Table& test, const Settings& settings) {
  Results results;
  for (std::uint64_t seed = 0; seed < settings.seeds; ++seed) {
    const auto model = common::fit_default(train, {seed, settings.threads, settings.quick});
    const ways::Task task{train, "label", {"R2L", "U2R"}, settings.ratio, seed};
    for (const auto& [way, table] : ways::all_of(task, model))
      for (const auto judge : {rs::Classifier::forest, rs::Classifier::boosted}) {
        rs::evaluate::ClassifyOptions options{.classifier = judge, .seed = seed};
        options.models.forest.trees = settings.quick ? 20 : 100;
        options.models.forest.threads = options.models.boosted.threads = settings.threads;
        const auto told = rs::classify(table, test, "label", options);
        const auto add = [&](const std::string& name, const std::vector<std::uint16_t>& predicted) {
          if (std::find(results.ways.begin(), results.ways.end(), name) == results.ways.end())
            results.ways.push_back(name);
          for (const auto& [figure, value] : figures_of(told, predicted))
            results.figures[std::string(to_string(judge))][name][figure].push_back(value);
        };
        add(way, told.predicted());
        if (way == "nothing" || way == "rowsmith")
          add(way == "nothing" ? "threshold" : "rowsmith, threshold", as_if_equal(told, table));
      }
    std::cerr << "seed " << seed + 1 << " of " << settings.seeds << '\n';
  }
  return results;
}

nlohmann::json print(const Results& results) {
  const std::vector<std::string> figures{"accuracy",   "recall DoS", "recall Probe",
                                         "recall R2L", "recall U2R", "false alarms"};
  nlohmann::json json;
  std::cout << std::fixed << std::setprecision(3);
  for (const auto& [judge, by_way] : results.figures) {
    std::cout << '\n' << std::left << std::setw(22) << judge << std::right;
    for (const auto& figure : figures)
      std::cout << std::setw(19) << figure;
    std::cout << '\n';
    for (const auto& way : results.ways) {
      std::cout << std::left << std::setw(22) << way << std::right;
      for (const auto& figure : figures) {
        const auto found = by_way.at(way).find(figure);
        const auto told = rs::mean_sd(found == by_way.at(way).end() ? std::vector<double>{} : found->second);
        std::cout << std::setw(11) << told.mean << " ± " << std::setw(5) << told.sd;
        json[judge][way][figure] = {{"mean", told.mean}, {"sd", told.sd}};
      }
      std::cout << '\n';
    }
  }
  return json;
}

} // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app(
      "Rare attacks: classifiers that learn from what a model makes of them, and from what else is done");
  auto* const train = app.add_option("--train", settings.train,
                                     "NSL-KDD's training file, with a line of names; made rows without");
  auto* const test = app.add_option("--test", settings.test, "NSL-KDD's test file")->needs(train);
  train->needs(test);
  app.add_option("--ratio", settings.ratio, "Rows of each rare class to learn from, for each of the largest")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
  app.add_option("--seeds", settings.seeds, "Models, of the table and of the classifiers")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--json", settings.json, "A file for all figures");
  app.add_option("--threads", settings.threads, "0: all; never changes the result")
      ->check(CLI::Range(0, 4096));
  app.add_flag("--quick", settings.quick,
               "Few made rows, one seed, little training: the figures mean nothing");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0)
      return app.exit(error); // --help
    std::cerr << "intrusion: " << error.what() << " (intrusion --help lists the options)\n";
    return 2;
  }
  try {
    if (settings.quick)
      settings.seeds = 1;
    const std::size_t rows = settings.quick ? 3000 : 25'000;
    const bool files = !settings.train.empty();
    const auto learnt = files ? traffic::read_nsl_kdd(settings.train) : traffic::made(rows, false, 0);
    const auto judged = files ? traffic::read_nsl_kdd(settings.test) : traffic::made(rows, true, 1);
    std::cout << (files ? "NSL-KDD" : "made connections") << ": " << learnt.rows() << " rows to learn from, "
              << judged.rows() << " to judge by; mean ± sd of " << settings.seeds << " seeds\n";
    const auto json = print(study(learnt, judged, settings));
    if (!settings.json.empty())
      rs::write_file_atomically(settings.json, [&](std::ostream& out) { out << json.dump(1) << '\n'; });
  } catch (const std::exception& error) {
    std::cerr << "intrusion: " << error.what() << '\n';
    return 1;
  }
}
