// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <rowsmith/prepare/preparation.hpp>
#include <rowsmith/table/split.hpp>
#include <rowsmith/table/table.hpp>

#include "columns.hpp"

namespace rs = rowsmith;
using test::missing;

namespace {
void check_equal(const rs::Table& a, const rs::Table& b) {
  REQUIRE(a.schema() == b.schema());
  REQUIRE(a.rows() == b.rows());
  for (std::size_t c = 0; c < a.size(); ++c) {
    INFO("column " << a[c].name);
    CHECK(a[c].decimals == b[c].decimals);
    for (std::size_t r = 0; r < a.rows(); ++r) {
      const auto x = a[c].cell(r);
      const auto y = b[c].cell(r);
      CHECK(x.is_missing() == y.is_missing());
      CHECK(x.text() == y.text());
      CHECK((x.is_missing() || x.is_text() || x.number() == y.number()));
    }
  }
}

rs::Column nothing(const std::string& name, std::size_t rows) {
  auto column = rs::Column::categorical(name);
  column.codes.assign(rows, rs::missing_code);
  return column;
}

rs::Table four_people() {
  return rs::Table({rs::Column::numerical("year", {2024, 2024, 2024}, 0),
                    rs::Column::numerical("age", {39, missing, 17}, 0),
                    rs::Column::categorical("country", {"NO", "NO", "NO"}),
                    rs::Column::categorical("town", {"Oslo", "Oslo", "Bergen"}), nothing("note", 3),
                    rs::Column::numerical("shoe", {missing, missing, missing})},
                   "town");
}
} // namespace

TEST_CASE("constant columns are taken out and put back in their places", "[prepare]") {
  const auto table = four_people();
  const auto preparation = rs::Preparation::fit(table);
  CHECK(preparation.transforms().size() == 4);
  const auto learnt = preparation.forward(table);
  REQUIRE(learnt.size() == 2);
  CHECK(learnt[0].name == "age");
  CHECK(learnt[1].name == "town");
  CHECK(learnt.schema() == preparation.model_schema());
  CHECK(learnt.schema().label() == "town");
  check_equal(preparation.backward(learnt), table);
}

TEST_CASE("a value beside missing ones is no constant", "[prepare]") {
  const rs::Table table({rs::Column::numerical("a", {1, missing}), rs::Column::categorical("b", {"x", "y"})});
  CHECK(rs::Preparation::fit(table).transforms().empty());
  CHECK(rs::Preparation::fit(four_people(), {.constants = false}).transforms().empty());
  check_equal(rs::Preparation::fit(table).forward(table), table);
}

TEST_CASE("another value in a constant column is an error that says where, or a row apart", "[prepare]") {
  using Catch::Contains;
  const auto preparation = rs::Preparation::fit(four_people());
  auto columns = rs::concatenate(four_people(), four_people()).into_columns();
  columns[0].values[1] = 2025;
  columns[0].values[4] = missing;
  columns[2].codes[1] = columns[2].dictionary.insert("SE");
  columns[4].codes[5] = columns[4].dictionary.insert("hello");
  const rs::Table table(columns, "town");
  CHECK_THROWS_WITH(preparation.forward(table),
                    Contains("'year', row 2 holds 2025") && Contains("expected the 2024"));
  std::vector<std::size_t> refused{77};
  const auto learnt = preparation.forward(table, refused);
  CHECK(refused == std::vector<std::size_t>{1, 4, 5});
  REQUIRE(learnt.rows() == 3);
  CHECK(learnt["age"].values == std::vector<double>{39, 17, 39});

  columns[0].values[1] = 2024;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns, "town")),
                    Contains("'year', row 5 is missing") && Contains("2024"));
  columns[0].values[4] = 2024;
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns, "town")),
                    Contains("'country', row 2 holds 'SE'") && Contains("expected the 'NO'"));
  columns[2].codes[1] = columns[2].codes[0];
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns, "town")),
                    Contains("'note', row 6 holds 'hello'") && Contains("expected a missing value"));
  columns[4].codes[5] = rs::missing_code;
  CHECK_NOTHROW(preparation.forward(rs::Table(columns, "town")));
  columns[1].name = "wage";
  CHECK_THROWS_WITH(preparation.forward(rs::Table(columns, "town")),
                    Contains("'wage'") && Contains("expected 'age'"));
}

TEST_CASE("a model keeps one column where all are constant, and the label", "[prepare]") {
  const rs::Table constant(
      {nothing("none", 2), rs::Column::numerical("a", {1, 1}, 0), rs::Column::numerical("b", {2, 2}, 0)});
  const auto one = rs::Preparation::fit(constant);
  CHECK(one.model_schema().columns() == std::vector<rs::ColumnSchema>{{"a", rs::ColumnKind::numerical}});
  check_equal(one.backward(one.forward(constant)), constant);

  const rs::Table label({rs::Column::numerical("a", {1, 2}), rs::Column::categorical("c", {"x", "x"})}, "c");
  CHECK(rs::Preparation::fit(label).model_schema().label() == "c");
  const rs::Table no_label({rs::Column::numerical("a", {1, 2}), nothing("c", 2)}, "c");
  CHECK(rs::Preparation::fit(no_label).model_schema().label().empty());
  CHECK(rs::Preparation::fit(no_label).schema().label() == "c");

  CHECK_THROWS_WITH(rs::Preparation::fit(rs::Table({nothing("a", 2), nothing("b", 2)})),
                    Catch::Contains("nothing to learn"));
  CHECK_THROWS_AS(rs::Preparation::fit(rs::Table()), rs::SchemaError);
  // The encoder says what is wrong with an infinite number.
  const double infinite = std::numeric_limits<double>::infinity();
  CHECK(rs::Preparation::fit(rs::Table({rs::Column::numerical("a", {infinite, infinite})}))
            .transforms()
            .empty());
}

TEST_CASE("of an empty table, backward tells the texts and decimals of the user's columns", "[prepare]") {
  const auto preparation = rs::Preparation::fit(four_people());
  const std::vector<std::size_t> none;
  const auto columns = preparation.backward(preparation.forward(four_people()).select(none));
  CHECK(columns.rows() == 0);
  CHECK(columns["country"].dictionary.texts() == std::vector<std::string>{"NO"});
  CHECK(columns["note"].dictionary.size() == 0);
  CHECK(columns["year"].decimals == 0);
}

namespace {
// One row by slot.
struct SlotRow {
  std::vector<double> numbers;
  std::vector<std::int32_t> codes;
  explicit SlotRow(std::size_t slots) : numbers(slots, -7), codes(slots, 5) {}
  rs::RowCells cells() noexcept { return {numbers.data(), codes.data()}; }
};
} // namespace

TEST_CASE("one row goes backward and forward as a table does", "[prepare]") {
  const auto preparation = rs::Preparation::fit(four_people());
  SlotRow row(preparation.slots());
  static_assert(noexcept(preparation.backward(row.cells())));
  CHECK(preparation.model_slots() == std::vector<std::size_t>{1, 3});
  row.numbers[1] = 39;
  row.codes[3] = 0;
  preparation.backward(row.cells());
  CHECK(row.numbers[0] == 2024);
  CHECK(row.codes[2] == 0);
  CHECK(row.codes[4] == rs::missing_code);
  CHECK(std::isnan(row.numbers[5]));
  CHECK(preparation.forward(row.cells()));
  for (const auto& change : std::vector<void (*)(SlotRow&)>{
           [](SlotRow& r) { r.numbers[0] = 2025; }, [](SlotRow& r) { r.numbers[0] = missing; },
           [](SlotRow& r) { r.codes[2] = rs::missing_code; }, [](SlotRow& r) { r.codes[4] = 0; },
           [](SlotRow& r) { r.numbers[5] = 1; }}) {
    auto changed = row;
    change(changed);
    CHECK_FALSE(preparation.forward(changed.cells()));
  }
}

TEST_CASE("a preparation is saved as the fields of its transforms", "[prepare]") {
  const auto preparation = rs::Preparation::fit(four_people());
  std::vector<rs::Preparation::Transform> read;
  for (const auto& transform : preparation.transforms()) {
    auto copy = rs::Preparation::of_kind(rs::Preparation::kind_of(transform));
    std::vector<std::string> written;
    rs::Preparation::each_field(transform, [&](const std::string& name, const auto& field) {
      using Field = std::decay_t<decltype(field)>;
      rs::Preparation::each_field(copy, [&](const std::string& other, auto& to) {
        if constexpr (std::is_same_v<Field, std::decay_t<decltype(to)>>)
          if (other == name) {
            to = field;
            written.push_back(name);
          }
      });
    });
    CHECK(written.size() == 6);
    read.push_back(copy);
  }
  const rs::Preparation back(preparation.schema(), read);
  check_equal(back.backward(back.forward(four_people())), four_people());
}

TEST_CASE("transforms that do not fit are refused, wherever they come from", "[prepare]") {
  using Transform = rs::Preparation::Transform;
  const auto schema = four_people().schema();
  const auto refused = [&](const rs::ConstantColumn& constant) {
    CHECK_THROWS_AS(rs::Preparation(schema, {Transform(constant)}), rs::SchemaError);
  };
  refused({.column = 6});
  refused({.column = 0, .categorical = true});
  refused({.column = 0, .number = std::numeric_limits<double>::infinity()});
  refused({.column = 0, .decimals = -2});
  const Transform year = rs::ConstantColumn{.column = 0, .number = 2024};
  CHECK_NOTHROW(rs::Preparation(schema, {year}));
  CHECK_THROWS_WITH(rs::Preparation(schema, {year, year}), Catch::Contains("taken by another"));
  CHECK_THROWS_AS(rs::Preparation(rs::TableSchema({{"x", rs::ColumnKind::numerical}}), {year}),
                  rs::SchemaError); // nothing left
  CHECK_THROWS_WITH(rs::Preparation::of_kind("magic"), Catch::Contains("'magic'"));
}

namespace {
// What a transform of one's own looks like. The first: a column that is the sum of the two before it.
struct SumColumn {
  static constexpr std::string_view kind = "sum";
  std::size_t column = 2;
  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
  }
  static std::vector<SumColumn> fit(const rs::PreparedColumns& train, const rs::PreparationOptions&) {
    std::vector<SumColumn> found;
    for (std::size_t i = 2; i < train.live.size(); ++i) {
      const SumColumn sum{train.live[i]};
      if (train.slots[sum.column]->kind != rs::ColumnKind::numerical)
        continue;
      std::vector<std::size_t> other;
      sum.forward(train.slots, rs::Refusals(&other));
      if (other.empty())
        found.push_back(sum);
    }
    return found;
  }
  std::vector<std::size_t> takes() const { return {column}; }
  std::string text(const std::vector<rs::ColumnSchema>& schema) const {
    return schema[column].name + " is a sum";
  }
  std::vector<std::size_t> reads() const { return {column - 2, column - 1}; }
  std::vector<rs::ColumnSchema> makes(const std::vector<rs::ColumnSchema>&) const { return {}; }
  std::vector<rs::Column> forward(rs::SlotColumns slots, const rs::Refusals& refuse) const {
    for (std::size_t row = 0; row < slots[column]->rows(); ++row)
      if (slots[column]->values[row] != slots[column - 2]->values[row] + slots[column - 1]->values[row])
        refuse(*slots[column], row, "the sum");
    return {};
  }
  std::vector<rs::Column> backward(rs::SlotColumns slots, std::size_t, std::size_t rows) const {
    auto sum = rs::Column::numerical("", {}, 0);
    for (std::size_t row = 0; row < rows; ++row)
      sum.values.push_back(slots[column - 2]->values[row] + slots[column - 1]->values[row]);
    return {sum};
  }
  bool forward(rs::RowCells cells, std::size_t) const noexcept {
    return cells.numbers[column] == cells.numbers[column - 2] + cells.numbers[column - 1];
  }
  void backward(rs::RowCells cells, std::size_t) const noexcept {
    cells.numbers[column] = cells.numbers[column - 2] + cells.numbers[column - 1];
  }
};

// The second: the first column in tens and ones.
struct TensAndOnes {
  static constexpr std::string_view kind = "tens";
  std::size_t column = 0;
  template <class Self, class Visit>
  static void each_field(Self& self, Visit&& visit) {
    visit("column", self.column);
  }
  static std::vector<TensAndOnes> fit(const rs::PreparedColumns& train, const rs::PreparationOptions&) {
    return {TensAndOnes{train.live[0]}};
  }
  std::vector<std::size_t> takes() const { return {column}; }
  std::string text(const std::vector<rs::ColumnSchema>& schema) const {
    return schema[column].name + " has tens and ones";
  }
  std::vector<rs::ColumnSchema> makes(const std::vector<rs::ColumnSchema>& schema) const {
    return {{schema[column].name + " tens", rs::ColumnKind::numerical},
            {schema[column].name + " ones", rs::ColumnKind::numerical}};
  }
  std::vector<rs::Column> forward(rs::SlotColumns slots, const rs::Refusals&) const {
    auto tens = rs::Column::numerical("");
    auto ones = rs::Column::numerical("");
    for (const double value : slots[column]->values) {
      tens.values.push_back(std::floor(value / 10));
      ones.values.push_back(value - 10 * tens.values.back());
    }
    return {tens, ones};
  }
  std::vector<rs::Column> backward(rs::SlotColumns slots, std::size_t made, std::size_t rows) const {
    auto whole = rs::Column::numerical("", {}, 0);
    for (std::size_t row = 0; row < rows; ++row)
      whole.values.push_back(10 * slots[made]->values[row] + slots[made + 1]->values[row]);
    return {whole};
  }
  bool forward(rs::RowCells cells, std::size_t made) const noexcept {
    cells.numbers[made] = std::floor(cells.numbers[column] / 10);
    cells.numbers[made + 1] = cells.numbers[column] - 10 * cells.numbers[made];
    return true;
  }
  void backward(rs::RowCells cells, std::size_t made) const noexcept {
    cells.numbers[column] = 10 * cells.numbers[made] + cells.numbers[made + 1];
  }
};
} // namespace

TEST_CASE("transforms make columns, read those that stay, and are undone in reverse order", "[prepare]") {
  using Own = rs::BasicPreparation<SumColumn, TensAndOnes, rs::ConstantColumn>;
  // c = a + b is found before a, which it needs, is cut into tens and ones.
  const rs::Table table(
      {rs::Column::numerical("a", {41, 52, 63}, 0), rs::Column::numerical("b", {1, 2, 4}, 0),
       rs::Column::numerical("c", {42, 54, 67}, 0), rs::Column::categorical("d", {"x", "x", "x"})});
  const auto preparation = Own::fit(table);
  REQUIRE(preparation.transforms().size() == 3);
  const auto learnt = preparation.forward(table);
  CHECK(learnt.schema().columns() == std::vector<rs::ColumnSchema>{{"a tens", rs::ColumnKind::numerical},
                                                                   {"a ones", rs::ColumnKind::numerical},
                                                                   {"b", rs::ColumnKind::numerical}});
  CHECK(learnt[0].values == std::vector<double>{4, 5, 6});
  check_equal(preparation.backward(learnt), table);
  CHECK(preparation.model_slots() == std::vector<std::size_t>{4, 5, 1});

  SlotRow row(preparation.slots());
  row.numbers[4] = 5;
  row.numbers[5] = 2;
  row.numbers[1] = 2;
  preparation.backward(row.cells());
  CHECK(row.numbers[0] == 52);
  CHECK(row.numbers[2] == 54);
  CHECK(row.codes[3] == 0);
  row.numbers[4] = row.numbers[5] = 0;
  CHECK(preparation.forward(row.cells()));
  CHECK(row.numbers[4] == 5);
  row.numbers[2] = 55;
  CHECK_FALSE(preparation.forward(row.cells()));
  // A sum of what was taken out already cannot be put back.
  CHECK_THROWS_AS(Own(table.schema(), {TensAndOnes{0}, SumColumn{2}}), rs::SchemaError);
}
