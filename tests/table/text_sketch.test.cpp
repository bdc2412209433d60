// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <rowsmith/table/text_sketch.hpp>

namespace rs = rowsmith;

namespace {

using Cell = std::function<std::string(std::size_t row)>;

rs::detail::TextSketch sketch_of(const std::vector<Cell>& columns, std::size_t rows, std::size_t chunk_rows,
                                 const rs::SketchOptions& options) {
  rs::detail::TextSketch sketch(columns.size(), options);
  for (std::size_t begin = 0; begin < rows; begin += chunk_rows) {
    rs::TextChunk chunk;
    chunk.first_row = begin;
    chunk.rows = std::min(chunk_rows, rows - begin);
    for (const auto& cell : columns) {
      auto& texts = chunk.columns.emplace_back();
      for (std::size_t row = begin; row < begin + chunk.rows; ++row)
        texts.add(cell(row), false, row + 2);
    }
    sketch.add(chunk);
  }
  return sketch;
}
std::vector<std::string> texts_of(const rs::detail::TextTable& table, std::size_t column) {
  std::vector<std::string> texts;
  for (const auto code : table.columns[column].codes())
    texts.emplace_back(table.columns[column][code].text);
  return texts;
}
std::uint64_t mixed(std::size_t row) {
  return ((row + 1) * 0x9E3779B97F4A7C15U ^ (row * row * 0xD6E8FEB86659FD93U)) >> 20U;
}

const std::vector<Cell> citizens{
    [](std::size_t row) { return std::to_string(static_cast<double>(mixed(row) % 1000003) / 7); },
    [](std::size_t row) { return std::string("town ") + std::to_string(mixed(row) % 40); },
    [](std::size_t row) { return row == 17'123 ? std::string("a word") : std::to_string(row % 50); },
};

} // namespace

TEST_CASE("a sketch has a row with each end, each text and the longest fraction of a column", "[table]") {
  const std::size_t rows = 30'000;
  const auto sketch = sketch_of(citizens, rows, 1000, {.rows = 500});
  const auto table = sketch.table({"number", "town", "count"});
  CHECK(table.rows == rows);
  CHECK(table.numbers.size() < 2'000);
  CHECK(table.numbers.size() == table.columns[0].rows());
  CHECK(std::is_sorted(table.numbers.begin(), table.numbers.end()));
  double least = 1e9;
  double most = -1e9;
  for (std::size_t row = 0; row < rows; ++row) {
    least = std::min(least, std::stod(citizens[0](row)));
    most = std::max(most, std::stod(citizens[0](row)));
  }
  std::set<double> numbers;
  for (const auto& text : texts_of(table, 0))
    numbers.insert(std::stod(text));
  CHECK(*numbers.begin() == least);
  CHECK(*numbers.rbegin() == most);
  const auto towns = texts_of(table, 1);
  CHECK(std::set<std::string>(towns.begin(), towns.end()).size() == 40);
  const auto counts = texts_of(table, 2);
  CHECK(std::set<std::string>(counts.begin(), counts.end()).size() == 51);
  // A row is kept whole.
  for (std::size_t i = 0; i < table.numbers.size(); ++i)
    for (std::size_t c = 0; c < citizens.size(); ++c)
      REQUIRE(table.columns[c][table.columns[c].codes()[i]].text ==
              citizens[c](static_cast<std::size_t>(table.numbers[i])));
  // How many rows have each category is known exactly.
  REQUIRE(sketch.counts(1) != nullptr);
  std::size_t all = 0;
  for (const auto& [text, count] : *sketch.counts(1))
    all += count.plain + count.quoted;
  CHECK(all == rows);
  CHECK(sketch.counts(0) == nullptr);
}

TEST_CASE("chunks of any size give the same sketch", "[table]") {
  const auto one = sketch_of(citizens, 20'000, 20'000, {.rows = 300}).table({"a", "b", "c"});
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    const auto other = sketch_of(citizens, 20'000, chunk, {.rows = 300}).table({"a", "b", "c"});
    CHECK((other.numbers == one.numbers));
    for (std::size_t c = 0; c < citizens.size(); ++c)
      CHECK((texts_of(other, c) == texts_of(one, c)));
  }
}

TEST_CASE("a sketch has as many rows by chance as it promises, and other ones for another chance",
          "[table]") {
  const std::vector<Cell> numbers{[](std::size_t row) { return std::to_string(row); }};
  const std::size_t kept = 200;
  const auto chosen = [&](std::size_t rows, std::uint64_t chance) {
    const auto table =
        sketch_of(numbers, rows, 997, {.rows = kept, .numbers = 1, .texts = 1, .chance = chance})
            .table({"n"});
    std::set<std::uint64_t> result;
    for (std::size_t i = 0; i < table.numbers.size(); ++i)
      if (table.by_chance[i])
        result.insert(table.numbers[i]);
    return result;
  };
  // Each size is about where half of the rows would be too few now and then.
  std::size_t near = 0;
  for (std::size_t rows = 430; rows < 30'000; rows += rows / 30) {
    const auto size = chosen(rows, 7).size();
    if (size == 0) // whole
      continue;
    CHECK(size >= kept);
    near += size < kept + 40 ? 1U : 0U;
  }
  CHECK(near > 3);
  const auto one = chosen(20'000, 1);
  const auto other = chosen(20'000, 2);
  std::size_t both = 0;
  for (const auto row : one)
    both += other.count(row);
  CHECK(static_cast<double>(both) < 0.1 * static_cast<double>(one.size())); // .02 expected
}

TEST_CASE("a sketch counts texts with and without quotes apart", "[table]") {
  rs::detail::TextSketch sketch(1, {.rows = 100});
  rs::TextChunk chunk;
  chunk.rows = 1000;
  auto& column = chunk.columns.emplace_back();
  for (std::size_t row = 0; row < chunk.rows; ++row)
    column.add(row % 5 < 2 ? "" : "word", row % 5 == 0, row + 2);
  sketch.add(chunk);
  REQUIRE(sketch.counts(0) != nullptr);
  CHECK(sketch.counts(0)->at("").quoted == 200);
  CHECK(sketch.counts(0)->at("").plain == 200);
  CHECK(sketch.counts(0)->at("word").plain == 600);
}

TEST_CASE("a small table is kept whole", "[table]") {
  const auto sketch = sketch_of(citizens, 600, 64, {.rows = 300});
  CHECK(sketch.whole());
  const auto table = sketch.table({"a", "b", "c"});
  CHECK(table.numbers.empty());
  CHECK(table.columns[0].rows() == 600);
}

TEST_CASE("shares in a sketch are as near as they are said to be, in whatever order the rows come",
          "[table]") {
  // One column in no order, one that rises: the sketch chooses by number, and must not see any order.
  const std::vector<Cell> columns{[](std::size_t row) { return std::to_string(mixed(row) % 100'000); },
                                  [](std::size_t row) { return std::to_string(row); }};
  const std::size_t rows = 400'000;
  const std::size_t kept = 4096;
  const auto table =
      sketch_of(columns, rows, 32'768, {.rows = kept, .numbers = 50, .texts = 50}).table({"a", "b"});
  CHECK(table.numbers.size() >= kept);
  // sqrt(log(2 / p) / (2 n)), p = 1e-3, and the few rows that are there for another reason.
  const double bound = std::sqrt(std::log(2000.0) / (2.0 * static_cast<double>(kept))) + 0.01;
  for (std::size_t c = 0; c < 2; ++c) {
    std::vector<double> numbers;
    for (const auto& text : texts_of(table, c))
      numbers.push_back(std::stod(text) / (c == 0 ? 100'000 : static_cast<double>(rows)));
    std::sort(numbers.begin(), numbers.end());
    double farthest = 0; // from a uniform distribution
    for (std::size_t i = 0; i < numbers.size(); ++i)
      farthest = std::max(
          farthest, std::abs(numbers[i] - static_cast<double>(i) / static_cast<double>(numbers.size())));
    CHECK(farthest < bound);
  }
}
