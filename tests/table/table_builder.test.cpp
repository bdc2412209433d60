// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table_builder.hpp>

namespace rs = rowsmith;

namespace {
using People = rs::Schema<rs::Numerical<"age">, rs::Categorical<"town">, rs::Label<"income">>;
} // namespace

TEST_CASE("rows of typed cells become a table", "[table]") {
  rs::TableBuilder builder(People::table_schema());
  builder.add_row({39, "Oslo", ">50K"});
  builder.add_row({{}, std::string("Lima"), "<=50K"});
  builder.add_row({std::nan(""), rs::CellView(), ">50K"});
  CHECK(builder.rows() == 3);
  const rs::Table table = std::move(builder).build();
  CHECK(table.schema() == People::table_schema());
  CHECK(table["age"].values[0] == 39);
  CHECK(table["age"].decimals == -1); // nobody told
  CHECK(table["age"].missing_count() == 2);
  CHECK(table["town"].dictionary.texts() == std::vector<std::string>{"Oslo", "Lima"});
  CHECK(table["town"].codes == std::vector<std::int32_t>{0, 1, rs::missing_code});
  CHECK(table["income"].codes == std::vector<std::int32_t>{0, 1, 0});
}

TEST_CASE("decimals are those of the number that needs most", "[table]") {
  rs::TableBuilder builder(rs::TableSchema({{"x", rs::ColumnKind::numerical}}));
  builder.add_row({rs::CellView(1.5, 1)});
  builder.add_row({rs::CellView(0.25, 2)});
  builder.add_row({rs::CellView()});
  CHECK(std::move(builder).build()[0].decimals == 2);
}

TEST_CASE("a row that does not fit is an error that names row and column, and leaves no trace", "[table]") {
  using Catch::Contains;
  rs::TableBuilder builder(People::table_schema());
  builder.add_row({39, "Oslo", ">50K"});
  CHECK_THROWS_WITH(builder.add_row({"old", "Oslo", ">50K"}),
                    Contains("row 2, column 'age'") && Contains("'old'") && Contains("expected a number"));
  CHECK_THROWS_WITH(builder.add_row({40, 7, ">50K"}), Contains("row 2, column 'town'") &&
                                                          Contains("the number 7") &&
                                                          Contains("expected a text"));
  CHECK_THROWS_WITH(builder.add_row({std::numeric_limits<double>::infinity(), "Oslo", ">50K"}),
                    Contains("row 2, column 'age'") && Contains("infinite"));
  CHECK_THROWS_WITH(builder.add_row({40, "Oslo"}), Contains("row 2") && Contains("2 cells, expected 3"));
  builder.set(1, "Oslo");
  CHECK_THROWS_WITH(builder.set(1, "Lima"), Contains("row 2, column 'town'") && Contains("already"));
  CHECK_THROWS_WITH(builder.end_row(), Contains("row 2, column 'age' has no cell"));
  CHECK_THROWS_WITH(builder.set(3, "x"), Contains("row 2") && Contains("no column 4 of 3"));
  CHECK_THROWS_AS(rs::TableBuilder(builder).build(), rs::SchemaError); // a row is begun
  builder.drop_row();
  builder.add_row({41, "Lima", "<=50K"});
  const rs::Table table = std::move(builder).build();
  CHECK(table["age"].values == std::vector<double>{39, 41});
  CHECK(table["town"].dictionary.text(table["town"].codes[1]) == "Lima");
}

TEST_CASE("without a schema the cells decide the kinds", "[table]") {
  rs::TableBuilder builder(std::vector<std::string>{"n", "mixed", "written", "nothing"});
  const auto row = [&builder](rs::CellView n, rs::CellView mixed, const char* written) {
    builder.set(0, n);
    builder.set(1, mixed);
    builder.set_written(2, written);
    builder.set(3, rs::CellView());
    builder.end_row();
  };
  row(1, 2.5, "007");
  row(2.5, 3, "1.50");
  row(rs::CellView(), "x", "b");
  const rs::Table table = std::move(builder).build();
  CHECK(table["n"].kind == rs::ColumnKind::numerical);
  REQUIRE(table["mixed"].kind == rs::ColumnKind::categorical);
  CHECK(table["mixed"].dictionary.texts() == std::vector<std::string>{"2.5", "3", "x"});
  CHECK(table["written"].dictionary.texts() == std::vector<std::string>{"007", "1.50", "b"});
  CHECK(table["nothing"].kind == rs::ColumnKind::categorical);
  CHECK(table["nothing"].missing_count() == 3);
}

TEST_CASE("names and labels are checked when the table is built", "[table]") {
  CHECK_THROWS_AS(rs::TableBuilder(std::vector<std::string>{"a", "a"}).build(), rs::SchemaError);
  CHECK_THROWS_AS(rs::TableBuilder(std::vector<std::string>{}).build(), rs::SchemaError);
  CHECK(rs::TableBuilder(People::table_schema()).build().rows() == 0);
}

TEST_CASE("numbers that turn out to be texts keep how they were written", "[table]") {
  rs::TableBuilder builder(std::vector<std::string>{"a", "b"});
  const std::string zeros = "0." + std::string(200, '0') + "1";
  const std::vector<std::string> written{"1.50", "007", "", "1e3", zeros, "1.50", "x", "2"};
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (i == 3) // rows that are taken back leave no trace
      for (const char* text : {"99", "+99"}) {
        builder.set_written(0, text);
        builder.drop_row();
      }
    if (written[i].empty())
      builder.set(0, rs::CellView());
    else
      builder.set_written(0, written[i]);
    builder.set(1, rs::CellView());
    builder.end_row();
  }
  const auto table = std::move(builder).build();
  const auto& a = table["a"];
  REQUIRE(a.kind == rs::ColumnKind::categorical);
  for (std::size_t i = 0; i < written.size(); ++i)
    CHECK((a.is_missing(i) ? std::string() : a.dictionary.text(a.codes[i])) == written[i]);
  CHECK(a.dictionary.size() == 6); // in the order of the rows
  CHECK(a.dictionary.text(0) == "1.50");
  CHECK(table["b"].kind == rs::ColumnKind::categorical);
  CHECK(table["b"].missing_count() == written.size());
}
