// SPDX-License-Identifier: MIT
// What stands between the user's columns and the model's, in everything that makes or judges rows.
#include <rowsmith/deploy/sampler.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <catch2/catch.hpp>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/models/likelihood.hpp>

#include "small_models.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();

rs::TableModel plain() { return rs::TableModel(small::all_parts()[5].model); }
rs::TableModel prepared() { return rs::TableModel(small::with_constants(small::all_parts()[5].model)); }

void check_same_rows(const rs::Table& a, const rs::Table& b) {
  REQUIRE(a.schema() == b.schema());
  REQUIRE(a.rows() == b.rows());
  std::size_t different = 0;
  for (std::size_t c = 0; c < a.size(); ++c)
    for (std::size_t r = 0; r < a.rows(); ++r) {
      const auto x = a[c].cell(r);
      const auto y = b[c].cell(r);
      different += x.is_missing() != y.is_missing() || x.text() != y.text() ||
                           (x.is_number() && x.number() != y.number())
                       ? 1
                       : 0;
    }
  CHECK(different == 0);
}
// Cells that differ between a row of a table and a single row.
std::size_t differences(const rs::Table& table, std::size_t r, const rs::DynamicRow& row) {
  std::size_t different = 0;
  for (std::size_t c = 0; c < table.size(); ++c)
    if (table[c].kind == rs::ColumnKind::numerical)
      different += table[c].is_missing(r) != row.is_missing(c) ||
                           (!row.is_missing(c) && row.number(c) != table[c].values[r])
                       ? 1
                       : 0;
    else
      different += row.category(c).text != table[c].cell(r).text() ? 1 : 0;
  return different;
}
// Single rows are those of `made`, the sample with seed 5; no training row is refused; a file holds the same.
void check_alone_and_saved(const rs::TableModel& model, const rs::Table& made, const rs::Table& train,
                           const char* version) {
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  const auto batch = sampler.score_rows(made);
  std::size_t different = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    sampler(5, i, scratch, row);
    different += sampler.score(row, scratch) == Approx(batch[i]).epsilon(1e-4) ? 0 : 1;
    different += differences(made, i, row);
  }
  CHECK(different == 0);
  const auto scores = sampler.score_rows(train);
  CHECK(std::all_of(scores.begin(), scores.end(), [](double score) { return std::isfinite(score); }));
  const auto read = rs::parse_model(rs::format_model(model));
  check_same_rows(read.sample(100, {.seed = 9}), model.sample(100, {.seed = 9}));
  CHECK(read.preparation().relations() == model.preparation().relations());
  CHECK(rs::pack_model(model).metadata.at("format_version") == version);
}

} // namespace

TEST_CASE("a model's rows have all the user's columns, constants among them", "[deploy]") {
  const auto made = prepared().sample(50, {.seed = 3});
  check_same_rows(made, small::with_constants(plain().sample(50, {.seed = 3})));
  CHECK(made["year"].decimals == 1);
}

TEST_CASE("single rows of all the user's columns are those of a table", "[deploy]") {
  const auto model = prepared();
  const auto table = model.sample(40, {.seed = 5});
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  REQUIRE(row.size() == table.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    sampler(5, i, scratch, row);
    const double score = sampler.score(row, scratch);
    CHECK(std::isfinite(score));
    different += differences(table, i, row);
  }
  CHECK(different == 0);
}

TEST_CASE("every generated row keeps the relations of the training rows, whatever the model draws",
          "[deploy]") {
  const rs::TableModel model(small::related_parts());
  const auto table = model.sample(2000, {.seed = 5});
  std::size_t equal = 0;
  std::size_t absent = 0;
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const bool missing = table["amount"].is_missing(r);
    absent += missing ? 1 : 0;
    equal += table["paid"].values[r] == table["amount"].values[r] ? 1 : 0;
    wrong += table["age"].values[r] > table["most"].values[r] ? 1 : 0;
    wrong += table["age"].values[r] > table["last"].values[r] ? 1 : 0;
    wrong += table["note"].is_missing(r) != missing || table["rate"].is_missing(r) != missing ? 1 : 0;
    wrong += missing && !table["fee"].is_missing(r) ? 1 : 0;
  }
  CHECK(wrong == 0);
  CHECK(absent > 50); // an untrained model draws at random, so that there was something to mend
  CHECK(equal > 100);
  CHECK(table["last"].decimals == 0);
  const auto& codecs = model.encoder().codecs();
  REQUIRE(std::any_of(codecs.begin(), codecs.end(), [](const auto& codec) { return codec.groups() > 0; }));
  check_alone_and_saved(model, table, small::related_table(), "7"); // its heads have a linear path
}

TEST_CASE("generated dates are dates of the calendar, whatever the model draws", "[deploy]") {
  const rs::TableModel model(small::dated_parts());
  REQUIRE(model.preparation().relations() ==
          std::vector<std::string>{"'sent' is learnt as the days behind 'ordered'",
                                   "'ordered' is learnt as its week, weekday and time of day",
                                   "'paid' is learnt as its month and day of the month"});
  const auto table = model.sample(2000, {.seed = 5});
  std::size_t wrong = 0;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const double day = std::floor(table["ordered"].values[r] / 86400);
    const double time = table["ordered"].values[r] - 86400 * day;
    wrong += std::fmod(day + 3 + 7000, 7) == 6 || time < 7.9 * 3600 || time > 18.1 * 3600 ? 1 : 0;
    wrong += std::round(1e3 * table["ordered"].values[r]) / 1e3 == table["ordered"].values[r] ? 0 : 1;
    const double days = table["sent"].values[r] - day;
    wrong += days >= 1 && days <= 4 ? 0 : 1;
  }
  CHECK(wrong == 0);
  CHECK(table["ordered"].decimals == 3);
  CHECK(table["paid"].missing_count() > 20);
  check_alone_and_saved(model, table, small::dated_table(), "5");
  for (const auto& [from, to] : {std::pair{"\"time_step\":1", "\"time_step\":0"},
                                 {"\"split\":1", "\"split\":7"},
                                 {"\"learnt\":[1,1,1]", "\"learnt\":[1,1]"},
                                 {"\"other\":6", "\"other\":7"},
                                 {"\"split\":1", "\"split\":\"week\""}}) {
    CAPTURE(from);
    auto file = rs::pack_model(model);
    auto& json = file.metadata["model"];
    const auto at = json.find(from);
    REQUIRE(at != std::string::npos);
    json.replace(at, std::string(from).size(), to);
    CHECK_THROWS_AS(rs::unpack_model(file), rs::ModelFileError);
  }
}

TEST_CASE("rows that no generated row can be score infinite and have no likelihood", "[deploy]") {
  const auto model = prepared();
  const auto original = small::with_constants(small::table(20));
  auto columns = rs::Table(original).into_columns();
  columns[8].values[4] = 2025;                              // the year
  columns[2].codes[7] = columns[2].dictionary.insert("lb"); // the unit
  columns[9].values[19] = 0;                                // what follows from the age
  const rs::Table table(columns, "rich");
  const rs::Sampler sampler(model);
  const auto scores = sampler.score_rows(table);
  const auto usual = sampler.score_rows(original);
  const auto likelihood = rs::log_likelihood(model, table, {.samples = 4});
  const auto before = rs::log_likelihood(model, original, {.samples = 4});
  REQUIRE(scores.size() == 20);
  for (std::size_t r = 0; r < 20; ++r) {
    const bool refused = r == 4 || r == 7 || r == 19;
    CHECK(scores[r] == (refused ? infinity : usual[r]));
    CHECK(likelihood.rows[r] == (refused ? -infinity : before.rows[r]));
  }
  CHECK(likelihood.mean == -infinity);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  sampler(1, 1, scratch, row);
  row.set("year", 2023);
  CHECK(sampler.score(row, scratch) == infinity);
}

TEST_CASE("a model file keeps what its preparation puts back", "[deploy]") {
  const auto model = prepared();
  const auto bytes = rs::format_model(model);
  const auto read = rs::parse_model(bytes);
  check_same_rows(read.sample(30, {.seed = 9}), model.sample(30, {.seed = 9}));
  CHECK(rs::format_model(read) == bytes);
  // A model without one is a file that older libraries read.
  const auto version_of = [](const rs::TableModelParts& parts) {
    return rs::pack_model(rs::TableModel(parts)).metadata.at("format_version");
  };
  const auto numbers = small::all_parts()[0].model;
  CHECK(version_of(numbers) == "1");
  CHECK(version_of(small::with_constants(numbers)) == "3"); // lookups among them
  auto constants = small::with_constants(numbers);
  auto kept = constants.preparation.transforms();
  std::erase_if(kept, [](const auto& one) {
    const auto* constant = std::get_if<rs::ConstantColumn>(&one);
    return constant == nullptr || constant->column > 8;
  });
  auto columns = small::with_constants(small::table()).into_columns();
  columns.resize(9); // behind these are what follows from others, and the last constant
  constants.preparation = rs::Preparation(rs::Table(columns, "rich").schema(), kept);
  CHECK(version_of(constants) == "2");
}

TEST_CASE("a model file with an impossible preparation is refused", "[deploy]") {
  const auto refused = [](const std::string& from, const std::string& to) {
    auto file = rs::pack_model(prepared());
    auto& json = file.metadata["model"];
    const auto at = json.find(from);
    REQUIRE(at != std::string::npos);
    json.replace(at, from.size(), to);
    CHECK_THROWS_AS(rs::unpack_model(file), rs::ModelFileError);
  };
  refused("\"kind\":\"constant\"", "\"kind\":\"fortune\"");
  refused("\"column\":2", "\"column\":99");
  refused("\"column\":2", "\"column\":-1");
  refused("\"column\":2", "\"column\":\"2\"");
  refused("\"column\":2", "\"column\":7"); // taken twice
  refused("\"number\":2024.5", "\"number\":null");
  refused("\"missing\":true", "\"missing\":1");
}
