// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/likely_wrong.hpp>

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

rs::Column texts(const char* name, std::size_t rows, const std::function<std::string(std::size_t)>& text) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < rows; ++i)
    all.push_back(text(i));
  return rs::Column::categorical(name, all);
}
rs::Column numbers(const char* name, std::size_t rows, const std::function<double(std::size_t)>& number) {
  std::vector<double> all;
  for (std::size_t i = 0; i < rows; ++i)
    all.push_back(number(i));
  return rs::Column::numerical(name, all);
}
std::size_t chance(std::size_t i, std::uint32_t below) {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user), i);
  return random.below(below);
}
std::string label_of(std::size_t i) { return i % 3 == 0 ? "yes" : "no"; }
// Numbers that say nothing and are different, beside the columns given.
rs::TableFindings of(std::vector<rs::Column> columns, const std::string& label = "") {
  columns.push_back(
      numbers("filler", columns[0].rows(), [](std::size_t i) { return static_cast<double>(i); }));
  return rs::likely_wrong(rs::Table(std::move(columns), label));
}

} // namespace

TEST_CASE("a table of which nothing is wrong has no findings", "[table]") {
  const auto found = of(
      {texts("y", 500, label_of), texts("c", 500, [](auto i) { return std::to_string(chance(i, 9)); })}, "y");
  CHECK(found.warnings.empty());
  CHECK(found.notes.empty());
}

TEST_CASE("a column that alone tells the label is named", "[table]") {
  constexpr std::size_t rows = 2000;
  const auto label = texts("y", rows, label_of);
  const auto leaks = [&](const rs::Column& column) {
    const auto found = of({label, column}, "y");
    if (found.warnings.empty())
      return false;
    REQUIRE(found.warnings.size() == 1);
    CHECK_THAT(found.warnings[0], Contains("column 'c' alone tells the label") && Contains("--drop"));
    return true;
  };
  // In other words: one for each class, several, or a number; with a few exceptions.
  CHECK(leaks(texts("c", rows, [](auto i) { return label_of(i) == "yes" ? "1" : "0"; })));
  CHECK(leaks(texts("c", rows, [](auto i) { return label_of(i) + std::to_string(chance(i, 9)); })));
  CHECK(leaks(numbers("c", rows, [](auto i) { return label_of(i) == "yes" ? 7 : missing; })));
  CHECK_FALSE(leaks(numbers("c", rows, [](auto i) { return static_cast<double>(chance(i, 5000)); })));
  CHECK(leaks(texts("c", rows, [](auto i) { return i % 500 == 7 ? "no" : label_of(i); })));
  // One exception in 50 is too many; so are other rows that have nothing in common.
  CHECK_FALSE(leaks(texts("c", rows, [](auto i) { return i % 50 == 0 ? "no" : label_of(i); })));
  CHECK_FALSE(leaks(texts("c", rows, [](auto i) { return label_of(i / 2 * 2); })));
  const auto unique =
      of({label, texts("c", rows, [](auto i) { return label_of(i) + std::to_string(i); })}, "y");
  REQUIRE(unique.warnings.size() == 1);
  CHECK_THAT(unique.warnings[0], Contains("2000 categories in 2000 rows"));
  // Where nearly all rows have one label, every column tells it.
  CHECK(
      of({texts("y", rows, [](auto i) { return i % 200 == 0 ? "a" : "b"; }), texts("c", rows, label_of)}, "y")
          .warnings.empty());
  // Rows without a label do not count.
  const auto some =
      of({texts("y", rows, [](auto i) { return label_of(i); }), texts("c", rows, label_of)}, "y");
  CHECK(some.warnings.size() == 1);
}

TEST_CASE("a column of a large table is compared by some of its rows", "[table]") {
  constexpr std::size_t rows = 450'000;
  const auto found =
      of({texts("y", rows, label_of), texts("c", rows, [](auto i) { return "so " + label_of(i); })}, "y");
  REQUIRE(found.warnings.size() == 1);
  CHECK_THAT(found.warnings[0], Contains("column 'c' alone"));
}

TEST_CASE("categories that look like numbers are said, with the reason", "[table]") {
  constexpr std::size_t rows = 3000;
  const auto said = [](const std::function<std::string(std::size_t)>& text) {
    const auto found = of({texts("c", rows, [&](std::size_t i) { return text(i % 150); })});
    return found.warnings.empty() ? std::string() : found.warnings.at(0);
  };
  CHECK_THAT(said([](auto i) { return "00" + std::to_string(i); }),
             Contains("100.0 % of its 150 texts look like numbers: some have zeros in front"));
  CHECK_THAT(said([](auto i) { return std::to_string(i) + "E3"; }), Contains("codes such as 12E3"));
  CHECK_THAT(said([](auto i) { return i == 9 ? "Total" : std::to_string(i); }),
             Contains("99.3 %") && Contains("others are none, such as 'Total' (20 rows)"));
  CHECK_THAT(
      said([](auto i) { return std::to_string(10'000'000'000'000'000 + i * i * 1'000'000'000'000'000); }),
      Contains("too long and too far apart"));
  CHECK_THAT(said([](auto i) { return std::to_string(i); }), Contains("it was said to be"));
  CHECK(said([](auto i) { return i % 10 == 9 ? "t" + std::to_string(i) : std::to_string(i); }).empty());
  CHECK(of({texts("c", rows, [](auto i) { return std::to_string(i % 100); })}).warnings.empty());
}

TEST_CASE("labels that are none, and columns with nothing in them, are said", "[table]") {
  constexpr std::size_t rows = 4000;
  const auto label = [](std::size_t classes, const std::string& before) {
    const auto found =
        of({texts("y", rows,
                  [&](std::size_t i) {
                    return before + std::to_string(chance(i, static_cast<std::uint32_t>(classes)));
                  })},
           "y");
    return found.warnings.empty() ? std::string() : found.warnings.at(0);
  };
  CHECK_THAT(label(1, "a"), Contains("the label 'y' has one value only"));
  CHECK(label(2, "").empty());
  CHECK(label(20, "").empty());
  CHECK_THAT(label(21, ""), Contains("is of 21 numbers"));
  CHECK(label(100, "a").empty());
  CHECK_THAT(label(101, "a"), Contains("has 101 classes"));

  const auto empty = of({numbers("n", rows, [](auto) { return missing; }),
                         numbers("m", rows, [](auto i) { return i < 39 ? 1 : missing; }),
                         numbers("k", rows, [](auto i) { return i < 40 ? 1 : missing; })});
  CHECK(empty.warnings == std::vector<std::string>{"column 'n' is empty in every row",
                                                   "column 'm' is missing in 99.0 % of the rows"});
  const auto few = of({texts("c", 200, [](auto i) { return "t" + std::to_string(i % 21); })});
  REQUIRE(few.warnings.size() == 1);
  CHECK_THAT(few.warnings[0], Contains("21 categories in 200 rows: most have few rows"));
}

TEST_CASE("rows that are copies are counted", "[table]") {
  const auto notes = [](std::size_t copies) {
    const auto of_row = [&](std::size_t i) { return i < copies ? 500 + i : i; };
    const auto number = [&](std::size_t i) {
      return of_row(i) % 7 == 0 ? missing : static_cast<double>(of_row(i));
    };
    return rs::likely_wrong(rs::Table({numbers("a", 1000, number),
                                       texts("b", 1000, [&](auto i) { return std::to_string(of_row(i)); })}))
        .notes;
  };
  CHECK(notes(10).empty());
  REQUIRE(notes(11).size() == 1);
  CHECK_THAT(notes(11)[0], Contains("1.1 % of the rows are the same as rows before them"));
}

TEST_CASE("tables whose categories are written otherwise are told apart", "[table]") {
  const auto labels = [](const std::string& end, std::size_t others) {
    return rs::Table(
        {texts("c", 200, [&](auto i) { return (i % 2 == 0 ? "a" : "b") + (i < others ? end : ""); }),
         numbers("n", 200, [](auto i) { return static_cast<double>(i); })});
  };
  CHECK(rs::unknown_categories(labels(".", 0), labels(".", 0)).empty());
  CHECK(rs::unknown_categories(labels(".", 20), labels("", 0)).empty()); // a tenth, and no more
  const auto warnings = rs::unknown_categories(labels(".", 200), labels("", 0));
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings[0], Contains("column 'c': 100.0 % of the cells are") && Contains("such as 'a.'"));
}
