// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/table/text_column.hpp>
#include <rowsmith/table/text_records.hpp>

namespace rs = rowsmith;

namespace {
struct Row {
  std::string text;
  bool quoted = false;
};
// Texts of up to 20 bytes, of which many come again and some end in zero bytes.
std::vector<Row> some_rows(std::size_t count) {
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  std::vector<Row> rows;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text(random.below(21), 'a');
    if (!text.empty())
      text[random.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(random.below(3) * 98);
    rows.push_back({text, random.below(2) == 1});
  }
  return rows;
}
bool same_columns(const rs::TextColumn& a, const rs::TextColumn& b) {
  bool same = a.size() == b.size() &&
              std::equal(a.codes().begin(), a.codes().end(), b.codes().begin(), b.codes().end());
  for (std::size_t code = 0; code < a.size() && same; ++code)
    same = a[code].text == b[code].text && a[code].quoted == b[code].quoted && a[code].rows == b[code].rows &&
           a[code].first_line == b[code].first_line;
  return same;
}
} // namespace

TEST_CASE("a column has the texts of its rows, told apart by length, quotes and each byte", "[table]") {
  const auto rows = some_rows(3000);
  rs::TextColumn column;
  for (int pass = 0; pass < 2; ++pass) { // the second time in the memory of the first
    column.clear();
    for (std::size_t i = 0; i < rows.size(); ++i)
      column.add(rows[i].text, rows[i].quoted, i);
    REQUIRE(column.rows() == rows.size());
    bool fine = true;
    std::size_t counted = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto text = column[column.codes()[i]];
      fine = fine && text.text == rows[i].text && text.quoted == rows[i].quoted && text.first_line <= i;
      fine = fine && rows[text.first_line].text == rows[i].text; // the first row that has it says so
    }
    for (std::size_t code = 0; code < column.size(); ++code) {
      counted += column[code].rows;
      for (std::size_t other = 0; other < code; ++other)
        fine =
            fine && (column[code].text != column[other].text || column[code].quoted != column[other].quoted);
    }
    CHECK(fine);
    CHECK(counted == rows.size());
    CHECK(column.size() > 400);
    CHECK(column.size() < 2500);
  }
}

TEST_CASE("rows that are added together, or from another column, are as if added one by one", "[table]") {
  const auto rows = some_rows(1000);
  for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 1000U}) {
    rs::TextColumn one_by_one;
    std::vector<rs::TextColumn> batched(1);
    rs::detail::TextRowBatch batch;
    for (std::size_t i = 0; i < count; ++i) {
      one_by_one.add(rows[i].text, rows[i].quoted, i);
      std::string passing = rows[i].text; // a batch keeps no views of what it is given
      batch.add({{passing, rows[i].quoted}}, std::vector<std::size_t>{0}, i, batched);
      std::fill(passing.begin(), passing.end(), '!');
    }
    batch.flush(batched);
    CHECK(same_columns(one_by_one, batched[0]));

    std::vector<std::size_t> backwards;
    rs::TextColumn expected;
    rs::TextColumn copied;
    for (auto* column : {&expected, &copied}) // there is something already
      column->add(rows[999].text, rows[999].quoted, 7);
    for (std::size_t i = count; i-- > 0;) {
      backwards.push_back(i);
      const auto text = one_by_one[one_by_one.codes()[i]];
      expected.add(text.text, text.quoted, text.first_line);
    }
    rs::TextColumn::Copier(one_by_one, copied).add(backwards);
    CHECK(same_columns(expected, copied));
  }
}

TEST_CASE("long texts of a batch find room", "[table]") {
  rs::detail::TextRowBatch batch;
  std::vector<rs::TextColumn> columns(2);
  const std::vector<std::size_t> place{1, 0};
  for (std::size_t i = 0; i < 100; ++i) {
    const std::string text(i * 997, static_cast<char>('a' + i % 26));
    batch.add({{text, false}, {"x", true}}, place, i, columns);
  }
  batch.flush(columns);
  REQUIRE(columns[1].rows() == 100);
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(columns[1][columns[1].codes()[i]].text == std::string(i * 997, static_cast<char>('a' + i % 26)));
  CHECK(columns[0].size() == 1);
  CHECK(columns[0][0].rows == 100);
  CHECK(columns[0][0].quoted);
}
