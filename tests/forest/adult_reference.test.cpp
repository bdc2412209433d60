// SPDX-License-Identifier: MIT
// Boosted trees and forests against xgboost's and scikit-learn's on the real Adult table.
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/metrics.hpp>
#include <rowsmith/forest.hpp>
#include <rowsmith/table/read_csv.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {
using Adult =
    rs::Schema<rs::Numerical<"age">, rs::Categorical<"workclass">, rs::Numerical<"fnlwgt">,
               rs::Categorical<"education">, rs::Numerical<"education-num">,
               rs::Categorical<"marital-status">, rs::Categorical<"occupation">,
               rs::Categorical<"relationship">, rs::Categorical<"race">, rs::Categorical<"sex">,
               rs::Numerical<"capital-gain">, rs::Numerical<"capital-loss">, rs::Numerical<"hours-per-week">,
               rs::Categorical<"native-country">, rs::Label<"income">>;

std::string output_of(const std::string& command) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char part[4096];
  while (pipe && std::fgets(part, sizeof part, pipe.get()) != nullptr)
    text += part;
  return text;
}

rs::FeatureMatrix without(rs::FeatureMatrix features, const std::string& name) {
  for (std::size_t f = 0; f < features.names.size(); ++f)
    if (features.names[f] == name) {
      features.names.erase(features.names.begin() + static_cast<std::ptrdiff_t>(f));
      features.columns.erase(features.columns.begin() + static_cast<std::ptrdiff_t>(f));
    }
  return features;
}
} // namespace

TEST_CASE("trees agree with xgboost's and scikit-learn's on Adult", "[forest]") {
  const char* folder = std::getenv("ADULT_DIR");
  if (folder == nullptr || *folder == 0) {
    WARN("skipped: ADULT_DIR does not name a folder with adult.data and adult.test");
    return;
  }
  const auto text = output_of(std::string("/usr/bin/python3 '") + ROWSMITH_SOURCE_DIR +
                              "/tests/forest/adult_reference.py' '" + folder + "'");
  const auto reference = nlohmann::json::parse(text, nullptr, false);
  if (!reference.is_object()) {
    WARN("no comparison: /usr/bin/python3 lacks a package (Debian: python3-xgboost python3-sklearn "
         "python3-pandas)");
    return;
  }
  CAPTURE(text);
  const std::string data = folder;
  const auto train = rs::read_csv<Adult>(data + "/adult.data", {.header = false});
  const auto test = rs::read_csv<Adult>(data + "/adult.test",
                                        {.header = false, .comment = '|', .strip_suffix = {{"income", "."}}});
  const ev::SharedCodes codes({&train, &test});
  const std::size_t income = train.schema().index_of("income");
  const auto labels_of = [&](const rs::Table& table) {
    std::vector<std::uint16_t> labels;
    for (const auto code : codes.codes(table[income], income))
      labels.push_back(static_cast<std::uint16_t>(code));
    return labels;
  };
  const auto labels = labels_of(train);
  const auto features = codes.features(train, income);
  const auto exact = without(features, "fnlwgt");
  const auto& hours = train[train.schema().index_of("hours-per-week")].values;

  // The same trees: sums in fixed point here, in floating point there.
  const auto ten = rs::GradientBoosting::fit(exact, labels, 2, {.rounds = 10});
  const auto probability = ten.predict_probability(exact);
  double loss = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    loss -= std::log(probability[2 * i + labels[i]]) / static_cast<double>(labels.size());
  CHECK(loss == Approx(reference["exact_log_loss"].get<double>()).epsilon(1e-4));
  for (std::size_t f = 0; f < ten.importances().size(); ++f) {
    CAPTURE(exact.names[f]);
    CHECK(ten.importances()[f] == Approx(reference["exact_gain"][f].get<double>()).margin(1e-3));
  }
  const auto others = without(exact, "hours-per-week");
  const auto prediction = rs::GradientBoostingRegressor::fit(others, hours, {.rounds = 10}).predict(others);
  double squares = 0;
  for (std::size_t i = 0; i < hours.size(); ++i)
    squares += (prediction[i] - hours[i]) * (prediction[i] - hours[i]);
  CHECK(std::sqrt(squares / static_cast<double>(hours.size())) ==
        Approx(reference["exact_rmse"].get<double>()).epsilon(1e-4));

  const auto test_features = codes.features(test, income);
  const auto boosted = rs::GradientBoosting::fit(features, labels, 2).predict_probability(test_features);
  std::vector<double> scores;
  std::vector<std::uint8_t> positive;
  for (const auto label : labels_of(test)) {
    positive.push_back(static_cast<std::uint8_t>(label));
    scores.push_back(boosted[2 * positive.size() - 1]);
  }
  CHECK(ev::roc_auc(scores, positive) == Approx(reference["boosted_auc"].get<double>()).margin(0.002));

  CHECK(rs::RandomForest::fit(features, labels, 2, {.out_of_bag = true}).out_of_bag_score() ==
        Approx(reference["out_of_bag"].get<double>()).margin(0.003));
  const auto& truth = test[test.schema().index_of("hours-per-week")].values;
  const auto forest = rs::RandomForestRegressor::fit(others, hours, {.trees = 50});
  const auto expected = forest.predict(without(without(test_features, "fnlwgt"), "hours-per-week"));
  double mean = 0;
  for (const double value : truth)
    mean += value / static_cast<double>(truth.size());
  double errors = 0;
  squares = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    errors += (expected[i] - truth[i]) * (expected[i] - truth[i]);
    squares += (truth[i] - mean) * (truth[i] - mean);
  }
  CHECK(1 - errors / squares == Approx(reference["forest_r2"].get<double>()).margin(0.01));
}
