// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/schema.hpp>
#include <rowsmith/table/table.hpp>
#include <rowsmith/table/write_csv.hpp>

namespace rs = rowsmith;

namespace {
using People = rs::Schema<rs::Numerical<"age">, rs::Categorical<"town">, rs::Label<"income">>;

template <class SchemaType = People>
rs::Table read(const std::string& text, const rs::CsvOptions& options = {}) {
  std::istringstream in(text);
  return rs::read_csv<SchemaType>(in, "people.csv", options);
}
rs::Table infer(const std::string& text, const rs::CsvOptions& options = {}) {
  std::istringstream in(text);
  return rs::read_csv(in, "people.csv", options);
}
std::string failure(const std::string& text, const rs::CsvOptions& options = {}) {
  try {
    read(text, options);
  } catch (const rs::CsvError& error) {
    return error.what();
  }
  return "no error";
}
std::string cell(const rs::Table& table, std::size_t row, std::size_t column) {
  const auto& c = table[column];
  if (c.is_missing(row))
    return "<missing>";
  if (c.kind == rs::ColumnKind::categorical)
    return c.dictionary.text(c.codes[row]);
  std::ostringstream text;
  text.precision(17);
  text << c.values[row];
  return text.str();
}
} // namespace

TEST_CASE("columns are found by name, in any order", "[table]") {
  const auto table = read("income,age,town\n>50K,39,Oslo\n<=50K, 17.5 ,?\n");
  REQUIRE(table.rows() == 2);
  CHECK(table[0].name == "age");
  CHECK(table.schema().label() == "income");
  CHECK(table["age"].values == std::vector<double>{39, 17.5});
  CHECK(table["age"].decimals == 1);
  CHECK(cell(table, 0, 1) == "Oslo");
  CHECK(cell(table, 1, 1) == "<missing>");
  CHECK(cell(table, 1, 2) == "<=50K");
}

TEST_CASE("Adult's oddities are options", "[table]") {
  const auto table = read("|1x3 Cross validator\n39, ?, >50K.\n40, Oslo, <=50K.\n",
                          {.header = false, .comment = '|', .strip_suffix = {{"income", "."}}});
  REQUIRE(table.rows() == 2);
  CHECK(table["income"].dictionary.texts() == std::vector<std::string>{">50K", "<=50K"});
  CHECK(table["town"].missing_count() == 1);
}

TEST_CASE("a quoted marker is a text, not a missing value", "[table]") {
  const auto table = read("age,town,income\n1,\"?\",a\n2,\"\",b\n3,NA,c\n");
  CHECK(cell(table, 0, 1) == "?");
  CHECK(cell(table, 1, 1).empty());
  CHECK(cell(table, 2, 1) == "<missing>");
}

TEST_CASE("kinds are inferred from all rows", "[table]") {
  const auto table = infer("a,b,c,d\n1,1,\"1\",\n2.5,x,\"2\",?\n?,3,\"3\",\n");
  CHECK(table[0].kind == rs::ColumnKind::numerical);
  CHECK(std::isnan(table[0].values[2]));
  CHECK(table[1].kind == rs::ColumnKind::categorical);
  CHECK(cell(table, 2, 1) == "3");
  CHECK(table[2].kind == rs::ColumnKind::categorical); // quoted: a text
  CHECK(table[3].kind == rs::ColumnKind::categorical); // nothing there at all
  CHECK(table[3].missing_count() == 3);
  CHECK(infer("1,2\n3,4\n", {.header = false})[1].name == "column_2");
  CHECK(infer("1,2\n3,4\n", {.header = false, .names = {"x", "y"}})[1].name == "y");
  CHECK(infer("a\n1\n2\n3\n", {.max_rows = 2}).rows() == 2);
}

TEST_CASE("numbers that are names are read as texts if the caller says so", "[table]") {
  const auto table = infer("zip,n\n01357,1\n,2\n7,3\n", {.categorical = {"zip"}});
  REQUIRE(table["zip"].kind == rs::ColumnKind::categorical);
  CHECK(cell(table, 0, 0) == "01357");
  CHECK(cell(table, 1, 0) == "<missing>");
  CHECK(table["n"].kind == rs::ColumnKind::numerical);
  CHECK_THROWS_WITH(infer("zip\n1\n", {.categorical = {"postcode"}}),
                    Catch::Contains("categorical names the column 'postcode'"));
}

TEST_CASE("errors name file, line, column and what was expected", "[table]") {
  using Catch::Contains;
  CHECK_THAT(failure("age,town,income\n39,Oslo,a\nold,Oslo,b\n"),
             Contains("people.csv:3:1") && Contains("'old'") && Contains("expected a number"));
  CHECK_THAT(failure("age,town,income\n39,Oslo\n"),
             Contains("people.csv:2:") && Contains("2 fields, expected 3"));
  CHECK_THAT(failure("age,town,income\n39,Oslo,a,b\n"), Contains("4 fields, expected 3"));
  CHECK_THAT(failure("age,town,income,shoe\n"),
             Contains("people.csv:1:4") && Contains("'shoe'") && Contains("age"));
  CHECK_THAT(failure("age,town\n1,x\n"), Contains("'income'") && Contains("missing"));
  CHECK_THAT(failure("age,town,age\n1,x,2\n"), Contains("people.csv:1:3") && Contains("twice"));
  CHECK_THAT(failure("age,,income\n1,x,2\n"), Contains("people.csv:1:2") && Contains("empty"));
  CHECK_THAT(failure(""), Contains("empty"));
  CHECK_THAT(failure("age,town,income\n"), Contains("no rows"));
  CHECK_THAT(failure("age,town,income\n1,x,y\n", {.strip_suffix = {{"wage", "."}}}), Contains("'wage'"));
  CHECK(read("age,town,shoe,income\n1,x,45,y\n", {.ignore_unknown_columns = true}).size() == 3);
}

TEST_CASE("what is written is read back the same", "[table]") {
  const std::vector<std::string> nasty{"a",
                                       " b ",
                                       "c,d",
                                       "\"e\"",
                                       "f\ng",
                                       "",
                                       "?",
                                       "NA",
                                       "|h",
                                       "Köln",
                                       "\t",
                                       "\"",
                                       "\"\"",
                                       "i;j",
                                       "1",
                                       "-",
                                       "k\"l",
                                       ",",
                                       "m\n\n",
                                       "\xEF\xBB\xBF"
                                       "n"};
  rs::RandomSequence random(rs::RandomStream(7, rs::Purpose::user));
  for (int round = 0; round < 60; ++round) {
    const rs::CsvOptions options{.delimiter = round % 2 == 0 ? ',' : ';', .comment = '|'};
    auto text = rs::Column::categorical(nasty[random.below(static_cast<std::uint32_t>(nasty.size()))] + "!");
    auto number = rs::Column::numerical("number");
    auto fixed = rs::Column::numerical("fixed", {}, 2);
    const auto rows = 1 + random.below(12);
    for (std::uint32_t r = 0; r < rows; ++r) {
      text.codes.push_back(
          random.below(5) == 0
              ? rs::missing_code
              : text.dictionary.insert(nasty[random.below(static_cast<std::uint32_t>(nasty.size()))]));
      number.values.push_back(random.below(5) == 0 ? std::numeric_limits<double>::quiet_NaN()
                                                   : random.normal() * 1e6);
      fixed.values.push_back(std::round(random.normal() * 100) / 100);
    }
    const rs::Table table({text, number, fixed});
    std::ostringstream out;
    rs::write_csv(out, table, options);
    std::istringstream in(out.str());
    const auto back = rs::read_csv(in, "back.csv", table.schema(), options);
    REQUIRE(back.rows() == table.rows());
    for (std::size_t c = 0; c < table.size(); ++c)
      for (std::size_t r = 0; r < table.rows(); ++r) {
        INFO(out.str());
        CHECK(cell(back, r, c) == cell(table, r, c));
      }
  }
}

TEST_CASE("a file is written whole or left as it was", "[table]") {
  namespace fs = std::filesystem;
  const auto folder = fs::temp_directory_path() / ("rowsmith-write-csv-" + rs::detail::writer_number());
  fs::create_directories(folder);
  const auto file = folder / "table.csv";
  rs::write_csv(file.string(), rs::Table({rs::Column::numerical("x", {1, 2}, 0)}));
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  CHECK(text == "x\n1\n2\n");
  const rs::Table gap({rs::Column::numerical("x", {std::nan("")})});
  CHECK_THROWS_AS(rs::write_csv(file.string(), gap, {.missing = {}}), rs::OptionError);
  CHECK(rs::read_csv(file.string()).rows() == 2);
  CHECK(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}) == 1);
  CHECK_THROWS_AS(rs::write_csv((folder / "none" / "x.csv").string(), gap), rs::Error);
  fs::remove_all(folder);
}
