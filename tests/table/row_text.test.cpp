// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <sstream>
#include <string>

#include <rowsmith/deploy/row.hpp>
#include <rowsmith/encoding/table_encoder.hpp>
#include <rowsmith/table/row_text.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/write_csv.hpp>

namespace rs = rowsmith;

namespace {
rs::Table people() {
  auto town = rs::Column::categorical("to\"wn", {"Os,lo", "K\xF6ln", "x"});
  town.codes[2] = rs::missing_code;
  return rs::Table({rs::Column::numerical("age", {39.5, 17, std::nan("")}, 2), town});
}
} // namespace

TEST_CASE("a row as CSV is what the table's file holds", "[table]") {
  const auto table = people();
  std::string rows;
  rs::append_csv_header(rows, table.schema());
  for (std::size_t r = 0; r < table.rows(); ++r)
    rs::append_csv_row(rows, table.row(r));
  std::ostringstream file;
  rs::write_csv(file, table);
  CHECK(rows == file.str());
  CHECK(rows == "age,\"to\"\"wn\"\n39.50,\"Os,lo\"\n17.00,K\xF6ln\n?,?\n");
  std::string cell;
  rs::append_csv_cell(cell, "NA");
  rs::append_csv_cell(cell, rs::CellView(), {.missing = {"-"}});
  rs::append_csv_cell(cell, 1e-300);
  CHECK(cell == "\"NA\"-1e-300");
}

TEST_CASE("a row as JSON is an object, valid whatever its texts", "[table]") {
  const auto table = people();
  std::string rows;
  for (std::size_t r = 0; r < table.rows(); ++r)
    rs::append_json_row(rows, table.row(r));
  CHECK(rows == "{\"age\":39.50,\"to\\\"wn\":\"Os,lo\"}"
                "{\"age\":17.00,\"to\\\"wn\":\"K\\u00f6ln\"}"
                "{\"age\":null,\"to\\\"wn\":null}");
}

TEST_CASE("a model's single rows are written by the same functions", "[table]") {
  const auto encoder = rs::TableEncoder::fit(people());
  rs::DynamicRow row(std::make_shared<const rs::RowColumns>(rs::Table(encoder.empty_columns(0))));
  row.set("age", 17);
  std::string out;
  rs::append_csv_row(out, row);
  row.set("to\"wn", "K\xF6ln");
  rs::append_json_row(out, row);
  CHECK(out == "17.00,?\n{\"age\":17.00,\"to\\\"wn\":\"K\\u00f6ln\"}");
}

TEST_CASE("what a text form cannot hold is an error that names the column", "[table]") {
  using Catch::Contains;
  std::string out;
  const rs::Table wide({rs::Column::numerical("x", {std::numeric_limits<double>::infinity()})});
  CHECK_THROWS_WITH(rs::append_csv_row(out, wide.row(0)), Contains("'x'") && Contains("infinite"));
  CHECK_THROWS_WITH(rs::append_json_row(out, wide.row(0)), Contains("'x'") && Contains("infinite"));
  const rs::Table zero({rs::Column::categorical("z", {std::string("a\0b", 3)})});
  CHECK_THROWS_WITH(rs::append_csv_row(out, zero.row(0)), Contains("'z'") && Contains("zero byte"));
  const rs::Table gap({rs::Column::numerical("g", {std::nan("")})});
  CHECK_THROWS_AS(rs::append_csv_row(out, gap.row(0), {.missing = {}}), rs::OptionError);
  CHECK_THROWS_WITH(rs::append_csv_row(out, gap.row(0), {.missing = {""}}),
                    Contains("'g'") && Contains("blank lines"));
}
