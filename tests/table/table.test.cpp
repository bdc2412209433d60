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
