// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/evaluate/attacks.hpp>
#include <rowsmith/evaluate/support.hpp>

#include "small_tables.hpp"

namespace rs = rowsmith;
namespace ev = rowsmith::evaluate;
using small_tables::leaking;
using small_tables::people;

namespace {
const ev::MembershipOptions quick{.replicates = 5, .boosted = {.rounds = 15}};
}

TEST_CASE("without a leak the attacks find what guessing finds", "[evaluate]") {
  double auc[2] = {};
  double tpr = 0;
  double advantage = 0;
  int alarms = 0;
  constexpr int rounds = 12;
  for (std::uint64_t k = 0; k < rounds; ++k) {
    const auto train = people(600, 10 * k + 1);
    const auto holdout = people(800, 10 * k + 2);
    const auto made = people(700, 10 * k + 3);
    const auto members = ev::membership_inference(train, holdout, made, quick);
    CHECK(members.members == 400);
    CHECK(members.reference == 400);
    for (const auto a : {std::size_t{0}, std::size_t{1}})
      auc[a] += members.attacks[a].auc.value / rounds;
    tpr += members.attacks[0].tpr_at_1.value / rounds;
    const auto attributes = ev::attribute_inference(train, holdout, made);
    advantage += attributes.mean.value / rounds;
    alarms +=
        members.attacks[0].p_value < 0.01 || members.attacks[1].p_value < 0.01 || attributes.p_value < 0.01;
  }
  CHECK(auc[0] == Approx(0.5).margin(0.02));
  CHECK(auc[1] == Approx(0.5).margin(0.02));
  CHECK(tpr == Approx(0.01).margin(0.01));
  CHECK(advantage == Approx(0).margin(0.015));
  CHECK(alarms <= 1);
}

TEST_CASE("a table that copies 5 % of its rows is caught at low false alarms", "[evaluate]") {
  const auto train = people(3000, 1);
  const auto holdout = people(3000, 2);
  const auto made = leaking(train, people(3000, 3), 0.05, 0, 4);
  const auto result = ev::membership_inference(train, holdout, made, quick);
  const auto& attack = result.attacks[0];
  CHECK(attack.name == "closest rows");
  CHECK(attack.tpr_at_1.value > 0.04);  // 4.9 % of the training rows were copied
  CHECK(attack.tpr_at_01.value > 0.02); // guessing finds 0.001
  CHECK(attack.auc.value < 0.56);       // the mean over all rows hardly shows it
  CHECK(attack.p_value < 1e-6);
  CHECK(result.strongest == 0);
}

TEST_CASE("noise on all rows is caught by both kinds of attack", "[evaluate]") {
  const auto train = people(1500, 1);
  const auto holdout = people(1500, 2);
  const auto made = leaking(train, people(1500, 3), 1, 0.02, 4);
  const auto members = ev::membership_inference(train, holdout, made, quick);
  CHECK(members.attacks[0].auc.value > 0.7);
  CHECK(members.attacks[0].p_value < 1e-6);
  const auto attributes = ev::attribute_inference(train, holdout, made, {.secrets = {"c", "y"}});
  REQUIRE(attributes.risks.size() == 2);
  CHECK(attributes.risks[0].secret == "c"); // hard to guess for hold-out rows, easy for copied ones
  CHECK(attributes.risks[0].advantage.value > 0.2);
  CHECK(attributes.risks[0].baseline < 0.5);
  CHECK(attributes.p_value < 1e-6);
  CHECK(attributes.mean.value > 5 * attributes.mean.sd);
}

TEST_CASE("attribute inference guesses from the closest row alone", "[evaluate]") {
  // x tells y in the synthetic table; hold-out rows have it the other way round.
  std::vector<double> x;
  std::vector<std::string> y;
  std::vector<std::string> opposite;
  for (int i = 0; i < 40; ++i) {
    x.push_back(i);
    y.push_back(i < 20 ? "low" : "high");
    opposite.push_back(i < 20 ? "high" : "low");
  }
  const rs::Table train({rs::Column::numerical("x", x), rs::Column::categorical("y", y)});
  const rs::Table holdout({rs::Column::numerical("x", x), rs::Column::categorical("y", opposite)});
  const auto result = ev::attribute_inference(train, holdout, train, {.secrets = {"y"}});
  CHECK(result.risks[0].guessed == 1);
  CHECK(result.risks[0].baseline == 0);
  CHECK(result.p_value == 0); // no spread, and as certain as can be
  CHECK(result.persons == 40);
}

TEST_CASE("attacks refuse what they cannot work with", "[evaluate]") {
  const auto table = people(50, 1);
  CHECK_THROWS_AS(ev::membership_inference(table, people(3, 2), table), rs::ShapeError);
  CHECK_THROWS_AS(ev::membership_inference(table, table, table, {.max_rows = 1}), rs::OptionError);
  CHECK_THROWS_AS(ev::attribute_inference(table, table, table, {.secrets = {"z"}}), rs::SchemaError);
  CHECK_THROWS_AS(ev::attribute_inference(table, table, table, {.tolerance = 2}), rs::OptionError);
  const rs::Table narrow({rs::Column::numerical("x", {1, 2})});
  CHECK_THROWS_AS(ev::attribute_inference(narrow, narrow, narrow), rs::SchemaError);
  const auto json = nlohmann::json::parse(to_json(ev::membership_inference(table, table, table, quick)));
  CHECK(json["attacks"].size() == 2);
}

TEST_CASE("precision, recall and authenticity tell what is wrong with a table", "[evaluate]") {
  const auto real = people(1500, 1);
  const auto same = ev::support(real, people(1500, 2));
  CHECK(same.alpha_precision.value > 0.95);
  CHECK(same.beta_recall.value == Approx(0.5).margin(0.06));
  // A row and its closest row are each other's closest with a chance of 1/2 to 2/3 (Cox 1981): the rest.
  CHECK(same.authenticity.value > 0.3);
  CHECK(same.authenticity.value < 0.55);
  CHECK(same.rows == 1500);

  const auto copy = ev::support(real, real);
  CHECK(copy.authenticity.value < 0.01);
  CHECK(copy.alpha_precision.value > 0.999);
  CHECK(copy.beta_recall.value > 0.99);

  // The same typical row again and again: precise in no spread, and nothing is reached.
  const std::vector<std::size_t> again(1500, 0);
  const auto collapsed = ev::support(real, people(1500, 2).select(again));
  CHECK(collapsed.beta_recall.value < 0.05);
  CHECK(collapsed.alpha_precision.value < 0.9);
  const auto far = ev::support(real, people(1500, 3, 100));
  CHECK(far.alpha_precision.value < same.alpha_precision.value - 0.1);
  CHECK_THROWS_AS(ev::support(real, real.select(std::vector<std::size_t>{0})), rs::ShapeError);
}
