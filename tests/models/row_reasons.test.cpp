// SPDX-License-Identifier: MIT
// Why rows are odd to a model.
#include <rowsmith/models/row_reasons.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/table/split.hpp>

#include "../deploy/small_parts.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

using Plain = rs::Autoencoder<rs::Dense<6>, rs::ReLU, rs::Latent<3>, rs::AutoregressiveHeads<8>>;
using Generator = rs::Generator<rs::Noise<4>, rs::Dense<3>, rs::Tanh>;

// Doctors are 30 and older, others 16 and older; one town in three hundred is Laos's. The coin is of no use.
rs::Table people(std::size_t rows = 6000) {
  auto coin = rs::Column::categorical("coin");
  auto education = rs::Column::categorical("education");
  auto town = rs::Column::categorical("town");
  auto age = rs::Column::numerical("age", {}, 0);
  rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i) {
    const bool doctor = random.below(4) == 0;
    coin.codes.push_back(coin.dictionary.insert(random.below(2) == 0 ? "head" : "tail"));
    education.codes.push_back(education.dictionary.insert(doctor ? "doctorate" : "school"));
    town.codes.push_back(town.dictionary.insert(random.below(300) == 0 ? "Vientiane"
                                                : random.below(2) == 0 ? "Oslo"
                                                                       : "Lima"));
    age.values.push_back(doctor ? 30 + random.below(41) : 16 + random.below(55));
  }
  return rs::Table({coin, education, town, age});
}

// Trees that were fitted to those people.
rs::TableModel model(rs::UnseenCategory unseen = rs::UnseenCategory::error, std::size_t least = 0) {
  const auto train = people();
  rs::EncodingOptions encoding;
  encoding.unseen = unseen;
  encoding.min_category_rows = least;
  auto parts = small::parts<Plain, Generator>(rs::TableEncoder::fit(train, encoding), false, 3, train);
  small::add_trees(parts, 1, train);
  return rs::TableModel(std::move(parts));
}

rs::Table row(const std::string& education, const std::string& town, double age) {
  return rs::Table({rs::Column::categorical("coin", {"head"}),
                    rs::Column::categorical("education", {education}),
                    rs::Column::categorical("town", {town}), rs::Column::numerical("age", {age}, 0)});
}
constexpr double infinite = std::numeric_limits<double>::infinity();
const std::vector<std::size_t> first{0};

std::vector<rs::RowReason> reasons(const rs::TableModel& of, const rs::Table& table,
                                   rs::ReasonOptions options = {}) {
  const auto told = rs::row_surprise(of, table, {.samples = 4, .cells = true});
  options.samples = 4;
  return rs::RowReasons(of, options).explain(table, told, first).front();
}

} // namespace

TEST_CASE("surprise is the negative log-likelihood, and what numbers are outside their range by",
          "[models]") {
  const auto made = model();
  const auto table = people(50);
  const auto told = rs::row_surprise(made, table, {.samples = 4, .cells = true});
  const auto likelihood = rs::log_likelihood(made, table, {.samples = 4});
  REQUIRE(told.names.size() == 4);
  for (std::size_t r = 0; r < 50; ++r) {
    CHECK(told.rows[r] == Approx(-likelihood.rows[r]));
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k)
      sum += told.cells[4 * r + k];
    CHECK(sum == Approx(told.rows[r]));
    CHECK(told.impossible[r].empty());
  }
  // The edge's likelihood, and a nat for each step outside: the range of 54 years has one for each of its
  // codes.
  const auto at = [](const rs::TableModel& of, double age) {
    return rs::row_surprise(of, row("school", "Oslo", age), {.samples = 4}).rows[0];
  };
  const auto codes = made.encoder().codecs()[3].view().plain_codes();
  CHECK(at(made, 97) - at(made, 70) == Approx(27.0 / 54 * codes));
  CHECK(at(made, 97) > at(made, 70) + 5);
  // A model that knows how many training rows there were also counts that none of them was outside.
  auto parts = made.parts();
  parts.notes["training_rows"] = "6000";
  const rs::TableModel noted(std::move(parts));
  CHECK(at(noted, 70) == at(made, 70));
  CHECK(at(noted, 97) - at(made, 97) == Approx(std::log(6001.0 / (2 * codes))));
}

TEST_CASE("one odd cell stands out where likelihoods are of many", "[models]") {
  rs::RowSurprise told;
  told.names = {"a", "b"};
  told.rows = {5, 9, 9, infinite};
  told.cells = {3, 2, 1, 8, 2, 5, std::nan(""), std::nan("")};
  const auto usual = rs::usual_surprise(told);
  CHECK(usual.mean == std::vector<double>{2, 5});
  CHECK(usual.sd == std::vector<double>{1, 3});
  // One deviation more than usual, and less, which is nothing; as usual; and a row that cannot be.
  CHECK(rs::outstanding_surprise(told, usual) == std::vector<double>{1, 1, 0, infinite});
  told.cells[0] = 5; // 3 deviations of a, and 4 of b
  told.cells[1] = 17;
  CHECK(rs::outstanding_surprise(told, usual)[0] == 5);
  // Deviations of less than a nat count as one.
  CHECK(rs::outstanding_surprise(told, {{2, 5}, {0.1, 3}})[0] == 5);
  CHECK_THROWS_AS(rs::outstanding_surprise(told, {{1}, {1}}), rs::ShapeError);
  told.cells.clear();
  CHECK_THROWS_AS(rs::outstanding_surprise(told, usual), rs::ShapeError);
}

TEST_CASE("rows that no generated row can be are infinitely surprising, and it is said why", "[models]") {
  const auto made = model();
  const auto one = [&](const rs::Table& table) {
    const auto told = rs::row_surprise(made, table, {.samples = 4, .cells = true});
    CHECK(told.rows[0] == infinite);
    CHECK(std::isnan(told.cells[0]));
    const auto why = rs::RowReasons(made, {.rows = 1000, .samples = 1}).explain(table, told, first);
    REQUIRE(why[0].size() == 1);
    CHECK(why[0][0].text == told.impossible[0]);
    return told.impossible[0];
  };
  CHECK(one(row("school", "Atlantis", 30)) == "town is 'Atlantis', which no training row had");
  CHECK_THAT(one(row("school", "Oslo", std::nan(""))), Contains("age is missing"));
  CHECK_THAT(one(row("school", "Oslo", infinite)), Contains("age is infinite"));
  // Other rows of the table are scored all the same.
  const auto table = rs::concatenate(row("school", "Atlantis", 30), row("school", "Oslo", 30));
  CHECK(rs::row_surprise(made, table).rows[1] ==
        Approx(rs::row_surprise(made, row("school", "Oslo", 30)).rows[0]));
}

TEST_CASE("a category that shares the code of rare ones is possible, one that nothing shares is not",
          "[models]") {
  const auto unknown = row("school", "Atlantis", 30);
  CHECK(rs::row_surprise(model(rs::UnseenCategory::other), unknown).rows[0] == infinite);
  // Towns of fewer than 100 rows are one code, which some training rows had.
  const auto folded = rs::row_surprise(model(rs::UnseenCategory::other, 100), unknown);
  CHECK(std::isfinite(folded.rows[0]));
  CHECK(folded.impossible[0].empty());
}

TEST_CASE("a broken relation is named", "[models]") {
  // Whatever is computed: 'due' is twice 'age'.
  auto columns = people().columns();
  auto due = rs::Column::numerical("due", columns[3].values, 0);
  for (auto& value : due.values)
    value *= 2;
  columns.push_back(due);
  const rs::Table train(columns);
  rs::TableModelParts parts;
  const auto preparation = rs::Preparation::fit(train);
  REQUIRE(preparation.transforms().size() == 1);
  const auto learnt = preparation.forward(train);
  parts = small::parts<Plain, Generator>(rs::TableEncoder::fit(learnt), false, 3, learnt);
  small::add_trees(parts, 1, learnt);
  parts.preparation = preparation;
  const rs::TableModel made(std::move(parts));
  columns[4].values[1] += 1;
  const auto told = rs::row_surprise(made, rs::Table(columns), {.samples = 1});
  CHECK(told.rows[1] == infinite);
  CHECK(std::isfinite(told.rows[0]));
  CHECK_THAT(told.impossible[1],
             Contains("holds in the training rows") && Contains("'due'") && Contains("'age'"));
}

TEST_CASE("reasons name the cells at fault, what is usual instead, and beside what", "[models]") {
  const auto made = model();
  auto why = reasons(made, row("doctorate", "Oslo", 17));
  REQUIRE(!why.empty());
  CHECK(why[0].column == "age");
  CHECK(why[0].partner == "education");
  CHECK(why[0].nats > 2);
  // From the 5th to the 95th percentile of 30 to 70.
  CHECK_THAT(why[0].text,
             Catch::Matches("age is 17, where 3[0-4] to 6[6-9] is usual beside 'education = doctorate'"));

  why = reasons(made, row("school", "Oslo", 130));
  CHECK_THAT(why[0].text, Contains("age is 130, outside of 16 to 70"));
  why = reasons(made, row("school", "Vientiane", 40));
  CHECK(why[0].column == "town");
  CHECK_THAT(why[0].text, Contains("'town = Vientiane' is rare"));
  // Usual rows have nothing that stands out, and a row has at most so many reasons as are asked for.
  why = reasons(made, row("school", "Oslo", 40));
  REQUIRE(why.size() == 1);
  CHECK(why[0].column.empty());
  CHECK(reasons(made, row("doctorate", "Vientiane", 17), {.most = 1}).size() == 1);
  CHECK(reasons(made, row("doctorate", "Vientiane", 17)).size() == 2);
  // Numbers are written as the caller has them.
  why = reasons(made, row("school", "Oslo", 130),
                {.write = [](const std::string& column, double, int) { return "<" + column + ">"; }});
  CHECK_THAT(why[0].text, Contains("age is <age>, outside of <age> to <age>"));
}

TEST_CASE("reasons are the same on any number of threads and whatever else is in the table",
          "[models][threads]") {
  const auto made = model();
  const auto table = rs::concatenate(people(40), row("doctorate", "Oslo", 17));
  const auto told = rs::row_surprise(made, table, {.samples = 4, .cells = true});
  std::vector<std::size_t> all(table.rows());
  for (std::size_t r = 0; r < all.size(); ++r)
    all[r] = r;
  const rs::RowReasons single(made, {.rows = 3000, .samples = 4, .threads = 1});
  const rs::RowReasons several(made, {.rows = 3000, .samples = 4, .threads = 3});
  const auto a = single.explain(table, told, all);
  const auto b = several.explain(table, told, all);
  const std::vector<std::size_t> last{40};
  const auto c = single.explain(table, told, last);
  for (std::size_t r = 0; r < all.size(); ++r) {
    REQUIRE(a[r].size() == b[r].size());
    for (std::size_t i = 0; i < a[r].size(); ++i)
      CHECK(a[r][i].text == b[r][i].text);
  }
  CHECK(c[0][0].text == a[40][0].text);
  const std::vector<std::size_t> outside{41};
  CHECK_THROWS_AS(single.explain(table, told, outside), rs::ShapeError);
  CHECK_THROWS_AS(single.explain(people(40), told, last), rs::ShapeError);
  CHECK_THROWS_AS(rs::RowReasons(made, {.rows = 10}), rs::OptionError);
}
