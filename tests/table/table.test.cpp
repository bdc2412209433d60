// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table.hpp>

namespace rs = rowsmith;

TEST_CASE("a compile-time schema and its run-time twin agree", "[table]") {
  using S = rs::Schema<rs::Numerical<"age">, rs::Categorical<"town">, rs::Label<"income">>;
  static_assert(S::size == 3);
  static_assert(S::index<"town">() == 1);
  const auto schema = S::table_schema();
  CHECK(schema.size() == 3);
  CHECK(schema[0].kind == rs::ColumnKind::numerical);
  CHECK(schema.label() == "income");
  CHECK(schema.index_of("income") == 2);
  CHECK_THROWS_WITH(schema.index_of("wage"),
                    Catch::Contains("'wage'") && Catch::Contains("age, town, income"));
}

TEST_CASE("a run-time schema is checked", "[table]") {
  using rs::ColumnKind;
  CHECK_THROWS_AS(rs::TableSchema({{"a", ColumnKind::numerical}, {"a", ColumnKind::numerical}}),
                  rs::SchemaError);
  CHECK_THROWS_AS(rs::TableSchema({{"", ColumnKind::numerical}}), rs::SchemaError);
  CHECK_THROWS_AS(rs::TableSchema({{"a", ColumnKind::numerical}}, "a"), rs::SchemaError);
  CHECK_THROWS_AS(rs::TableSchema({{"a", ColumnKind::numerical}}, "b"), rs::SchemaError);
  CHECK_THROWS_AS(rs::TableSchema({{"a", static_cast<ColumnKind>(7)}}), rs::SchemaError);
  CHECK_THROWS_AS(rs::TableSchema(std::vector<rs::ColumnSchema>()), rs::SchemaError);
}

TEST_CASE("a dictionary refuses what is not there with an error of the library", "[table]") {
  const rs::Dictionary dictionary({"x", "y"});
  CHECK(dictionary.text(1) == "y");
  CHECK_THROWS_AS(dictionary.text(2), rs::SchemaError);
  CHECK_THROWS_AS(dictionary.text(rs::missing_code), rs::SchemaError);
  CHECK_THROWS_WITH(rs::Dictionary({"x", "y", "x"}), Catch::Contains("'x' is there twice"));
  CHECK_THROWS_AS(rs::Dictionary({"x", "x"}), rs::SchemaError);
}

TEST_CASE("a table takes no column that is not what its kind says", "[table]") {
  const auto refused = [](const rs::Column& column, const char* what) {
    CHECK_THROWS_WITH(rs::Table({rs::Column::numerical("first", {1, 2}), column}),
                      Catch::Contains("'c'") && Catch::Contains(what));
  };
  auto column = rs::Column::categorical("c", {"x", "y"});
  CHECK_NOTHROW(rs::Table({column}));
  column.codes[1] = 2;
  refused(column, "the code 2 in row 2");
  column.codes[1] = -2;
  refused(column, "the code -2 in row 2");
  column.codes[1] = rs::missing_code;
  CHECK(rs::Table({column})["c"].is_missing(1));
  column.kind = rs::ColumnKind::numerical; // its numbers were forgotten
  refused(column, "has codes or texts");
  column = rs::Column::numerical("c", {1, 2});
  column.kind = rs::ColumnKind::categorical;
  refused(column, "has numbers");
  column.kind = static_cast<rs::ColumnKind>(3);
  CHECK_THROWS_AS(rs::Table({column}), rs::SchemaError);
  refused(rs::Column::numerical("c", {1, 2}, -2), "decimals = -2");
  CHECK_THROWS_AS(rs::Table(std::vector<rs::Column>()), rs::SchemaError);
}

TEST_CASE("a row of a table tells its cells", "[table]") {
  auto town = rs::Column::categorical("town", {"Oslo", "Lima"});
  town.codes[1] = rs::missing_code;
  const rs::Table table({rs::Column::numerical("age", {39.5, 17}, 1), town});
  const auto row = table.row(0);
  CHECK(row.size() == 2);
  CHECK(row.name(1) == "town");
  CHECK((row.cell(0).is_number() && row.cell(0).number() == 39.5 && row.cell(0).decimals() == 1));
  CHECK((row.cell(1).is_text() && row.cell(1).text() == "Oslo"));
  CHECK(table.row(1).cell(1).is_missing());
  CHECK_THROWS_AS(table.row(2), rs::ShapeError);
}

TEST_CASE("columns of a table have one length and select copies rows", "[table]") {
  CHECK_THROWS_WITH(rs::Table({rs::Column::numerical("a", {1, 2}), rs::Column::categorical("b", {"x"})}),
                    Catch::Contains("'b' has 1 rows") && Catch::Contains("'a' has 2"));
  const rs::Table table(
      {rs::Column::numerical("a", {1, 2, 3}), rs::Column::categorical("b", {"x", "y", "x"})}, "b");
  const std::vector<std::size_t> rows{2, 0, 2};
  const auto part = table.select(rows);
  CHECK(part["a"].values == std::vector<double>{3, 1, 3});
  CHECK(part["b"].codes == std::vector<std::int32_t>{0, 0, 0});
  CHECK(part["b"].dictionary.size() == 2);
  CHECK(part.schema().label() == "b");
  const std::vector<std::size_t> beyond{3};
  CHECK_THROWS_AS(table.select(beyond), rs::ShapeError);
}

TEST_CASE("a split is a partition, the same for the same seed, and keeps the strata", "[table]") {
  std::vector<double> id;
  std::vector<std::string> group;
  for (int i = 0; i < 1000; ++i) {
    id.push_back(i);
    group.push_back(i % 10 == 0 ? "rare" : "common");
  }
  const rs::Table table({rs::Column::numerical("id", id), rs::Column::categorical("group", group)});
  const auto [first, second] = rs::split(table, 0.7, 5, "group");
  CHECK(first.rows() == 700);
  std::set<double> all(first["id"].values.begin(), first["id"].values.end());
  all.insert(second["id"].values.begin(), second["id"].values.end());
  CHECK(all.size() == 1000);
  const auto rare = first["group"].dictionary.find("rare");
  CHECK(std::count(first["group"].codes.begin(), first["group"].codes.end(), rare) == 70);
  CHECK(rs::split(table, 0.7, 5, "group").first["id"].values == first["id"].values);
  CHECK(rs::split(table, 0.7, 6, "group").first["id"].values != first["id"].values);
  CHECK(rs::split(table, 0, 1).first.rows() == 0);
  CHECK_THROWS_AS(rs::split(table, 1.5, 1), rs::OptionError);
  CHECK_THROWS_AS(rs::split(table, 0.5, 1, "id"), rs::SchemaError);
}

TEST_CASE("concatenation merges dictionaries", "[table]") {
  const rs::Table a({rs::Column::categorical("c", {"x", "y"}), rs::Column::numerical("n", {1, 2}, 0)});
  const rs::Table b({rs::Column::categorical("c", {"z", "x"}), rs::Column::numerical("n", {2.5, 3}, 1)});
  const auto both = rs::concatenate(a, b);
  REQUIRE(both.rows() == 4);
  CHECK(both["c"].dictionary.text(both["c"].codes[2]) == "z");
  CHECK(both["c"].codes[3] == both["c"].codes[0]);
  CHECK(both["n"].decimals == 1);
  CHECK_THROWS_AS(rs::concatenate(a, rs::Table({rs::Column::categorical("c", {"x"})})), rs::SchemaError);
}
