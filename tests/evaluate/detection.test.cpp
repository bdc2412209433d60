// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/evaluate/features.hpp>
#include <rowsmith/evaluate/regression_efficacy.hpp>
#include <rowsmith/evaluate/telling_columns.hpp>

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;

namespace {
// y says whether a is above its mean, with some noise; b is independent. `linked` false: y is drawn alone.
rs::Table make(std::size_t rows, std::uint64_t seed, bool linked, double shift = 0) {
  std::vector<double> a;
  std::vector<std::string> b;
  std::vector<std::string> y;
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.normal();
    a.push_back(x + shift);
    b.push_back(random.below(2) == 0 ? "u" : "v");
    const double driver = linked ? x : random.normal();
    y.push_back(driver + 0.3 * random.normal() > 0.5 ? "yes" : "no");
  }
  return rs::Table(
      {rs::Column::numerical("a", a), rs::Column::categorical("b", b), rs::Column::categorical("y", y)}, "y");
}
const rs::RandomForestOptions small{.trees = 25};
} // namespace

TEST_CASE("rows of one source cannot be told apart, others can", "[evaluate]") {
  const auto real = make(1500, 1, true);
  const auto same = rs::detection(real, make(2000, 2, true), {.forest = small});
  CHECK(same.auc.mean == Approx(0.5).margin(0.03));
  CHECK(same.rows == 1500);
  CHECK(same.aucs.size() == 3);
  CHECK(same.auc.n == 3);
  const auto shifted = rs::detection(real, make(1500, 3, true, 5), {.forest = small});
  CHECK(shifted.auc.mean > 0.98);
  CHECK(shifted.importances[0].first == "a");
  // The margins are equal, only their connection is lost.
  const auto unlinked = rs::detection(real, make(1500, 4, false), {.forest = small});
  CHECK(unlinked.auc.mean > 0.65);
  CHECK(unlinked.auc.mean < 0.98);
}

TEST_CASE("detection repeats itself on any number of threads", "[evaluate][threads]") {
  const auto real = make(400, 1, true);
  const auto synthetic = make(400, 2, false);
  rs::DetectionOptions options{.seeds = 2, .seed = 5, .forest = small};
  options.forest.threads = 1;
  const auto one = rs::detection(real, synthetic, options);
  options.forest.threads = 3;
  CHECK(rs::detection(real, synthetic, options).aucs == one.aucs);
  options.seed = 6;
  CHECK(rs::detection(real, synthetic, options).aucs != one.aucs);
}

TEST_CASE("efficacy is 1 for real rows and falls with the connection lost", "[evaluate]") {
  const auto train = make(1500, 1, true);
  const auto test = make(1500, 2, true);
  const auto good = rs::efficacy(train, test, make(1500, 3, true), "y", {.forest = small});
  CHECK(good.ratio.mean == Approx(1).margin(0.02));
  CHECK(good.auc_real.mean > 0.9);
  const auto poor = rs::efficacy(train, test, make(1500, 4, false), "y", {.forest = small});
  CHECK(poor.auc_synthetic.mean == Approx(0.5).margin(0.1));
  CHECK(poor.note.empty());
}

TEST_CASE("a synthetic table of one class gives one half and says so", "[evaluate]") {
  const auto train = make(500, 1, true);
  auto collapsed =
      rs::Table({rs::Column::numerical("a", {1, 2, 3}), rs::Column::categorical("b", {"u", "v", "u"}),
                 rs::Column::categorical("y", {"no", "no", "no"})},
                "y");
  const auto result = rs::efficacy(train, make(500, 2, true), collapsed, "y", {.seeds = 1, .forest = small});
  CHECK(result.auc_synthetic.mean == 0.5);
  CHECK_THAT(result.note, Catch::Contains("one class"));
  std::ostringstream text;
  text << result;
  CHECK_THAT(text.str(), Catch::Contains("note:"));
}

TEST_CASE("which class is positive does not change a two-class AUC, an unknown one is an error",
          "[evaluate]") {
  const auto train = make(600, 1, true);
  const auto test = make(600, 2, true);
  const auto yes = rs::efficacy(train, test, train, "y", {.seeds = 1, .positive = "yes", .forest = small});
  const auto no = rs::efficacy(train, test, train, "y", {.seeds = 1, .positive = "no", .forest = small});
  CHECK(yes.auc_real.mean == Approx(no.auc_real.mean).epsilon(1e-9));
  CHECK(yes.ratio.mean == 1); // the same rows, the same forests
  CHECK_THROWS_WITH(rs::efficacy(train, test, train, "y", {.positive = "maybe"}), Catch::Contains("'maybe'"));
  CHECK_THROWS_AS(rs::efficacy(train, test, train, "a"), rs::SchemaError);
  CHECK_THROWS_AS(rs::efficacy(train, test, train, "z"), rs::SchemaError);
}

TEST_CASE("label agreement counts what a forest would say", "[evaluate]") {
  const auto train = make(1500, 1, true);
  CHECK(rs::label_agreement(train, make(1000, 2, true), "y", small) > 0.85);
  CHECK(rs::label_agreement(train, make(1000, 3, false), "y", small) < 0.75);
}

TEST_CASE("tables that do not match are refused by column", "[evaluate]") {
  const auto real = make(50, 1, true);
  const rs::Table other({rs::Column::numerical("a", {1}), rs::Column::categorical("c", {"u"}),
                         rs::Column::categorical("y", {"no"})});
  CHECK_THROWS_WITH(rs::detection(real, other), Catch::Contains("'c'") && Catch::Contains("'b'"));
  CHECK_THROWS_AS(rs::detection(real, real, {.rows = 51}), rs::OptionError);
  CHECK_THROWS_AS(rs::detection(real, real, {.seeds = 0}), rs::OptionError);
}

TEST_CASE("codes are shared by all tables, in alphabetical order", "[evaluate]") {
  const rs::Table a({rs::Column::categorical("c", {"pear", "apple"})});
  auto gap = rs::Column::categorical("c", {"quince", "apple"});
  gap.codes.push_back(rs::missing_code);
  const rs::Table b({gap});
  const ev::SharedCodes codes({&a, &b});
  CHECK(codes.codes(a[0], 0) == std::vector<std::int32_t>{1, 0});
  CHECK(codes.codes(b[0], 0) == std::vector<std::int32_t>{2, 0, rs::missing_code});
}

TEST_CASE("results are JSON", "[evaluate]") {
  const auto real = make(100, 1, true);
  const auto text = to_json(rs::detection(real, make(100, 2, true), {.seeds = 1, .forest = {.trees = 3}}));
  CHECK(text.front() == '{');
  CHECK(text.back() == '}');
  CHECK_THAT(text, Catch::Contains("\"auc\":{\"mean\":") && Catch::Contains("\"importances\":{\""));
}

TEST_CASE("the JSON of a result is what a JSON reader expects", "[evaluate]") {
  const auto real = make(100, 1, true);
  const auto efficacy = nlohmann::json::parse(
      to_json(rs::efficacy(real, real, real, "y", {.seeds = 2, .forest = {.trees = 3}})));
  CHECK(efficacy["ratio"]["mean"] == 1.0);
  CHECK(efficacy["seeds"] == 2);
  CHECK(efficacy["target"] == "y");
  const auto detection = nlohmann::json::parse(
      to_json(rs::detection(real, make(90, 2, true), {.seeds = 2, .forest = {.trees = 3}})));
  CHECK(detection["aucs"].size() == 2);
  CHECK(detection["rows"] == 90);
  CHECK(detection["importances"].size() == 3);
}

TEST_CASE("boosted trees see lost relations, a linear model does not, and both see a shift", "[evaluate]") {
  const auto real = make(1500, 1, true);
  for (const auto classifier : {rs::Classifier::boosted, rs::Classifier::linear}) {
    const rs::DetectionOptions options{.classifier = classifier, .seeds = 1, .boosted = {.rounds = 30}};
    const auto same = rs::detection(real, make(1500, 2, true), options);
    CHECK(same.auc.mean == Approx(0.5).margin(0.05));
    CHECK(same.p_value > 0.001);
    CHECK(same.classifier == classifier);
    const auto shifted = rs::detection(real, make(1500, 3, true, 5), options);
    CHECK(shifted.auc.mean > 0.98);
    CHECK(shifted.p_value < 1e-9);
    CHECK(shifted.importances[0].first == "a");
    const auto unlinked = rs::detection(real, make(1500, 4, false), options);
    CHECK((unlinked.auc.mean > 0.65) == (classifier == rs::Classifier::boosted));
  }
}

TEST_CASE("an averaged ROC curve has the area of the AUC", "[evaluate]") {
  const auto result = rs::detection(make(800, 1, true), make(800, 4, false), {.forest = small});
  double area = 0;
  for (std::size_t k = 1; k < result.roc.size(); ++k)
    area += (result.roc[k].true_positive_rate + result.roc[k - 1].true_positive_rate) / 200;
  CHECK(area == Approx(result.auc.mean).margin(0.005));
  CHECK(result.roc.front().false_positive_rate == 0);
  CHECK(result.roc.back().true_positive_rate == Approx(1));
}

TEST_CASE("the pair whose relation is lost tells most, and no column alone does", "[evaluate]") {
  const auto result = ev::telling_columns(make(3000, 1, true), make(2500, 4, false));
  REQUIRE(result.columns.size() == 3);
  REQUIRE(result.pairs.size() == 3);
  CHECK(result.pairs[0].first_name == "a");
  CHECK(result.pairs[0].second_name == "y");
  CHECK(result.pairs[0].auc.value > 0.7);
  CHECK(result.pairs[1].auc.value < 0.55);
  for (const auto& column : result.columns)
    CHECK(column.auc.value == Approx(0.5).margin(0.05));
  CHECK_THROWS_AS(ev::telling_columns(make(3, 1, true), make(9, 1, true)), rs::SchemaError);
}

TEST_CASE("efficacy by any model, for numbers too, and what more rows add", "[evaluate]") {
  const auto train = make(1200, 1, true);
  const auto test = make(1200, 2, true);
  const auto good = make(1200, 3, true);
  const auto poor = make(1200, 4, false);
  for (const auto classifier : {rs::Classifier::boosted, rs::Classifier::linear}) {
    const rs::EfficacyOptions options{.classifier = classifier, .seeds = 2, .boosted = {.rounds = 20}};
    const auto result = rs::efficacy(train, test, good, "y", options);
    CHECK(result.ratio.mean == Approx(1).margin(0.03));
    CHECK(result.f1_real.mean > 0.8);
    // Fitted once, the deviation is over test rows: about that of an AUC near 0.95 of 1,200 rows.
    CHECK(result.auc_real.n == 1);
    CHECK(result.auc_real.sd > 0.002);
    CHECK(result.auc_real.sd < 0.02);
    CHECK(result.ratio.sd < 2 * result.auc_real.sd);
    CHECK(result.f1_synthetic.mean == Approx(result.f1_real.mean).margin(0.05));
    CHECK(rs::efficacy(train, test, poor, "y", options).ratio.mean < 0.75);
    const auto number = ev::regression_efficacy(train, test, good, "a", options);
    CHECK(number.r2_real.mean > 0.4); // y tells the sign of a, roughly
    CHECK(number.loss.mean == Approx(0).margin(0.05));
    CHECK(ev::regression_efficacy(train, test, poor, "a", options).r2_synthetic.mean < 0.1);
  }
  CHECK_THROWS_AS(ev::regression_efficacy(train, test, good, "y"), rs::SchemaError);
  const rs::EfficacyOptions few{.classifier = rs::Classifier::boosted, .seeds = 2, .boosted = {.rounds = 20}};
  CHECK(ev::augmentation(train, test, good, "y", 40, few).gain.mean > 0);
  CHECK(ev::augmentation(train, test, poor, "y", 40, few).gain.mean < 0);
  CHECK_THROWS_AS(ev::augmentation(train, test, good, "y", 1201, few), rs::OptionError);
}
