// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <rowsmith/table/sketched_table.hpp>

#include "../support/folder.hpp"

namespace rs = rowsmith;

TEST_CASE("a table that is too large for a sketch is described by rows by chance, and by exact counts",
          "[table]") {
  const TestFolder folder;
  const std::vector<std::string> parts{folder.file("a.csv"), folder.file("b.csv")};
  constexpr std::size_t rows = 6000;
  std::map<std::string, std::size_t> towns;
  std::size_t no_town = 0;
  for (std::size_t part = 0; part < 2; ++part) {
    std::ofstream out(parts[part]);
    out << "town,price\n";
    for (std::size_t i = part * rows / 2; i < (part + 1) * rows / 2; ++i) {
      const std::string town = i % 17 == 0 ? "" : i == 4321 ? "Lima" : i % 3 == 0 ? "Oslo" : "Rome";
      town.empty() ? ++no_town : ++towns[town];
      out << town << ',';
      if (i % 4 != 0)
        out << static_cast<double>(i * 7919 % 10007) / 4; // more different ones than are counted
      out << '\n';
    }
  }
  const auto sketch = rs::read_sketched_table(parts, {}, {.rows = 500}, {}, 700);
  CHECK_FALSE(sketch.whole());
  CHECK(sketch.file.rows == rows);
  rs::Table some;
  const auto& chance = sketch.rows_by_chance(some);
  CHECK(chance.rows() >= 500);
  CHECK(chance.rows() <= 1100);
  REQUIRE(sketch.columns.size() == 2);
  const auto& town = sketch.columns[0];
  CHECK(town.missing_exact);
  CHECK(town.missing_share == Approx(static_cast<double>(no_town) / rows));
  REQUIRE(town.categories_exact);
  CHECK(std::map<std::string, std::size_t>(town.categories.begin(), town.categories.end()) == towns);
  CHECK(town.categories.front().first == "Rome");
  CHECK(town.categories.back() == std::pair<std::string, std::size_t>("Lima", 1));
  const auto& price = sketch.columns[1];
  CHECK_FALSE(price.missing_exact);
  CHECK_FALSE(price.distinct_exact);
  CHECK(price.missing_share == Approx(0.25).margin(0.07));
  CHECK(price.range_exact);
  CHECK(static_cast<double>(sketch.file.found[1].distinct) == Approx(4500).epsilon(0.15)); // of all rows
  // Chunks change nothing.
  const auto again = rs::read_sketched_table(parts, {}, {.rows = 500}, {}, 10'000);
  CHECK(again.by_chance == sketch.by_chance);
  CHECK(again.columns[1].missing_share == price.missing_share);
  // One that the sketch holds is known exactly, and is the table itself.
  const auto whole = rs::read_sketched_table({parts[0]});
  CHECK(whole.whole());
  const auto table = rs::read_table_file(parts[0]);
  CHECK(whole.file.table["town"].codes == table.table["town"].codes);
  CHECK(whole.columns[1].missing_exact);
  CHECK(whole.columns[1].missing_share == Approx(0.25));
  CHECK(whole.columns[0].categories.front().first == "Rome");
}

TEST_CASE("a sketch says what it knows of all rows, and what of those by chance alone", "[table]") {
  const TestFolder folder;
  const std::string path = folder.file("a.csv");
  {
    std::ofstream out(path);
    out << "price,word,day\n";
    for (std::size_t i = 0; i < 6000; ++i)
      out << '$' << 100 + i % 977 << ".50,"
          << (i % 5 == 0   ? "\"\""
              : i % 5 == 1 ? ""
              : i % 5 == 2 ? "\"b\""
                           : "a")
          << ',' << (i % 28 < 9 ? "0" : "") << i % 28 + 1 << ".01." << 1900 + i % 120 << '\n';
  }
  const auto sketch = rs::read_sketched_table({path}, {}, {.rows = 500, .texts = 300});
  REQUIRE_FALSE(sketch.whole());
  REQUIRE(sketch.file.format.columns[0].role == rs::ColumnRole::real);
  CHECK_FALSE(sketch.columns[0].range_exact); // the ends of texts are none of numbers with marks
  REQUIRE(sketch.file.format.columns[2].role == rs::ColumnRole::date);
  // An empty text in quotes is a word, as in memory; without quotes it is missing.
  const auto whole = rs::read_table_file(path);
  CHECK(whole.table["word"].dictionary.size() == 3);
  const std::map<std::string, std::size_t> words(sketch.columns[1].categories.begin(),
                                                 sketch.columns[1].categories.end());
  CHECK(words == std::map<std::string, std::size_t>{{"", 1200}, {"a", 2400}, {"b", 1200}});
  CHECK(sketch.columns[1].missing_share == Approx(0.2));
}
