// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/encoding/column_codec.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/table_encoder.hpp>

namespace rs = rowsmith;

namespace {
const double missing = std::numeric_limits<double>::quiet_NaN();

rs::Table small() {
  auto colour = rs::Column::categorical("colour", {"red", "green", "red", "blue"});
  colour.codes[3] = rs::missing_code;
  return rs::Table({rs::Column::numerical("x", {1.5, 2.5, missing, 4.5}, 1), std::move(colour),
                    rs::Column::numerical("n", {10, 20, 30, 40}, 0)});
}

// Encodes and decodes every row by its own codes and numbers.
rs::Table round_trip(const rs::TableEncoder& encoder, const rs::Table& table, double position = 0.5) {
  const auto encoded = encoder.encode(table);
  auto columns = encoder.empty_columns(table.rows());
  const auto view = encoder.view();
  const auto& layout = encoder.layout();
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::vector<std::int32_t> codes(layout.size());
    std::vector<float> numbers(layout.size());
    std::size_t code_column = 0;
    std::size_t number_column = 0;
    for (std::size_t h = 0; h < layout.size(); ++h)
      if (layout[h].categorical)
        codes[h] = encoded.code(row, code_column++);
      else
        numbers[h] = encoded.number(row, number_column++);
    rs::kernel::each_cell(
        view.columns, codes.data(), [&numbers](std::size_t h) { return numbers[h]; },
        [position](std::size_t) { return position; },
        [&](std::size_t column, const rs::kernel::Cell& cell) { rs::set_cell(columns[column], row, cell); });
  }
  return rs::Table(std::move(columns));
}

void check_equal(const rs::Table& a, const rs::Table& b) {
  REQUIRE(a.size() == b.size());
  REQUIRE(a.rows() == b.rows());
  for (std::size_t c = 0; c < a.size(); ++c)
    for (std::size_t r = 0; r < a.rows(); ++r) {
      INFO("column " << a[c].name << ", row " << r);
      REQUIRE(a[c].is_missing(r) == b[c].is_missing(r));
      if (a[c].is_missing(r))
        continue;
      if (a[c].kind == rs::ColumnKind::numerical)
        CHECK(a[c].values[r] == Approx(b[c].values[r]).epsilon(1e-12));
      else
        CHECK(a[c].dictionary.text(a[c].codes[r]) == b[c].dictionary.text(b[c].codes[r]));
    }
}
} // namespace

TEST_CASE("few-valued tables survive encoding and decoding unchanged", "[encoding]") {
  const auto table = small();
  const auto encoder = rs::TableEncoder::fit(table);
  CHECK(encoder.width() == (3 + 1) + (2 + 1) + 4);
  CHECK(encoder.number_columns() == 0);
  check_equal(round_trip(encoder, table), table);
}

TEST_CASE("standardised numericals survive too, to float precision and the column's decimals", "[encoding]") {
  const auto table = small();
  const auto encoder = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
  // x is a number and a missing mark, n a number alone.
  CHECK(encoder.number_columns() == 2);
  CHECK(encoder.width() == (1 + 2) + (2 + 1) + 1);
  check_equal(round_trip(encoder, table), table);
  const auto& codec = encoder.codecs()[2];
  CHECK(codec.mean == Approx(25));
  CHECK(codec.sd == Approx(std::sqrt(125.0)));
  CHECK(codec.view().unstandardise(100) == 40); // stays in the range seen
  CHECK(codec.view().unstandardise(0.1) == 26); // and is an integer again
}

TEST_CASE("many-valued numericals go to quantile bins and come back inside them", "[encoding]") {
  std::vector<double> values;
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  for (int i = 0; i < 5000; ++i)
    values.push_back(i % 5 == 0 ? 0.0 : std::exp(random.normal()));
  const rs::Table table({rs::Column::numerical("income", values)});
  const auto encoder = rs::TableEncoder::fit(table, {.bins = 32});
  const auto& codec = encoder.codecs()[0];
  REQUIRE(codec.kind == rs::ColumnCodec::Kind::binned);
  CHECK(codec.points == std::vector<double>{0.0}); // a fifth of the rows
  CHECK(codec.bins() == 32);
  const auto encoded = encoder.encode(table);
  std::vector<int> counts(codec.codes());
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const auto code = encoded.code(r, 0);
    ++counts[static_cast<std::size_t>(code)];
    if (values[r] == 0)
      CHECK(code == 0);
    else {
      CHECK(codec.view().value_of(code, 0) <= values[r]);
      CHECK(codec.view().value_of(code, 1) >= values[r] * (1 - 1e-12)); // the edge is computed
    }
  }
  for (std::size_t k = 1; k < counts.size(); ++k)
    CHECK(counts[k] == Approx(4000.0 / 32).margin(2));

  SECTION("inner edges are not training values") {
    const std::set<double> seen(values.begin(), values.end());
    for (std::size_t k = 1; k + 1 < codec.knots.size(); ++k)
      CHECK(seen.count(codec.knots[k]) == 0);
  }
  SECTION("values outside the range go to the last bins") {
    CHECK(codec.view().code_of(1e9) == static_cast<std::int32_t>(codec.codes()) - 1);
    CHECK(codec.view().code_of(-5) == 1);
  }
}

TEST_CASE("decimals are found where the file did not tell them", "[encoding]") {
  const auto decimals = [](const std::vector<double>& values) {
    const rs::Table table({rs::Column::numerical("x", values)});
    return rs::TableEncoder::fit(table).codecs()[0].decimals;
  };
  CHECK(decimals({1, 2, 3}) == 0);
  CHECK(decimals({1.25, 2.5, 3}) == 2);
  CHECK(decimals({1.0 / 3, 2}) == -1);
}

TEST_CASE("what was not there at fitting time is an error that says where", "[encoding]") {
  const auto encoder = rs::TableEncoder::fit(small());
  auto colour = rs::Column::categorical("colour", {"red", "violet"});
  const rs::Table unseen(
      {rs::Column::numerical("x", {1.5, 2.5}), colour, rs::Column::numerical("n", {10, 20})});
  CHECK_THROWS_WITH(encoder.encode(unseen), Catch::Contains("'colour', row 2") && Catch::Contains("violet"));
  const rs::Table gap({rs::Column::numerical("x", {1.5}), rs::Column::categorical("colour", {"red"}),
                       rs::Column::numerical("n", {missing})});
  CHECK_THROWS_WITH(encoder.encode(gap), Catch::Contains("'n', row 1 is missing"));
  const rs::Table renamed({rs::Column::numerical("x", {1.5}), rs::Column::categorical("color", {"red"}),
                           rs::Column::numerical("n", {1})});
  CHECK_THROWS_WITH(encoder.encode(renamed),
                    Catch::Contains("'color'") && Catch::Contains("expected 'colour'"));
  const rs::Table infinite({rs::Column::numerical("x", {std::numeric_limits<double>::infinity()}),
                            rs::Column::categorical("colour", {"red"}), rs::Column::numerical("n", {1})});
  CHECK_THROWS_WITH(encoder.encode(infinite), Catch::Contains("infinite"));
  CHECK_THROWS_AS(rs::TableEncoder::fit(rs::Table({rs::Column::numerical("x", {missing, missing})})),
                  rs::SchemaError);
  CHECK_THROWS_AS(rs::TableEncoder::fit(rs::Table()), rs::SchemaError);
}

TEST_CASE("a declared other category takes unseen and rare texts", "[encoding]") {
  const rs::Table train({rs::Column::categorical("c", {"a", "a", "a", "b", "b", "c"})});
  const auto encoder =
      rs::TableEncoder::fit(train, {.unseen = rs::UnseenCategory::other, .min_category_rows = 2});
  CHECK(encoder.codecs()[0].categories == std::vector<std::string>{"a", "b"});
  const rs::Table fresh({rs::Column::categorical("c", {"z", "b", "c"})});
  const auto decoded = round_trip(encoder, fresh);
  CHECK(decoded[0].dictionary.text(decoded[0].codes[0]) == "(other)");
  CHECK(decoded[0].dictionary.text(decoded[0].codes[1]) == "b");
  CHECK(decoded[0].dictionary.text(decoded[0].codes[2]) == "(other)");
  CHECK_THROWS_AS(rs::TableEncoder::fit(train, {.min_category_rows = 2}), rs::OptionError);
  CHECK_THROWS_AS(rs::TableEncoder::fit(train, {.unseen = rs::UnseenCategory::other, .other_text = "a"}),
                  rs::OptionError);
}

TEST_CASE("the encoding does not depend on the order of the rows", "[encoding]") {
  const auto table = small();
  const std::vector<std::size_t> reversed{3, 2, 1, 0};
  const auto a = rs::TableEncoder::fit(table);
  const auto b = rs::TableEncoder::fit(table.select(reversed));
  for (std::size_t c = 0; c < table.size(); ++c) {
    CHECK(a.codecs()[c].categories == b.codecs()[c].categories);
    CHECK(a.codecs()[c].points == b.codecs()[c].points);
  }
}

TEST_CASE("codes take one, two or four bytes and come back the same", "[encoding]") {
  for (const std::int32_t largest : {200, 60'000, 100'000}) {
    rs::EncodedTable encoded(3, 2, 1, largest);
    encoded.set_code(1, 0, largest);
    encoded.set_code(2, 1, largest / 2);
    encoded.set_number(2, 0, 2.5F);
    CHECK(encoded.code(1, 0) == largest);
    CHECK(encoded.code(0, 0) == 0);
    const std::vector<std::uint32_t> rows{2, 1};
    const std::vector<std::int32_t> offsets{10, 20};
    std::vector<std::int32_t> codes(4);
    std::vector<float> numbers(2);
    encoded.gather(rows, offsets.data(), codes.data(), numbers.data());
    CHECK(codes == std::vector<std::int32_t>{10, 20 + largest / 2, 10 + largest, 20});
    CHECK(numbers == std::vector<float>{2.5F, 0});
    CHECK(encoded.bytes() <= 6 * (largest < 256 ? 1U : (largest < 65536 ? 2U : 4U)) + 12);
  }
}

TEST_CASE("a fine code keeps the part of a bin, and decoded values stay in it", "[encoding]") {
  auto x = rs::Column::numerical("x", {}, 3);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 8000; ++i)
    x.values.push_back(std::round(1000 * std::exp(2 * random.normal())) / 1000); // a heavy tail
  x.values[7] = missing;
  const rs::Table table({x});
  const auto encoder = rs::TableEncoder::fit(table);
  REQUIRE(encoder.layout().size() == 2);
  CHECK(encoder.layout()[1].fine);
  CHECK(encoder.layout()[1].width == 32);
  const auto& codec = encoder.codecs()[0];
  const auto encoded = encoder.encode(table);
  const auto made = round_trip(encoder, table, 0.5);
  std::set<std::int32_t> parts;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    if (r == 7) {
      CHECK(made[0].is_missing(r));
      CHECK(encoded.code(r, 1) == 0);
      continue;
    }
    const auto bin = static_cast<std::size_t>(encoded.code(r, 0)) - codec.points.size();
    if (static_cast<std::size_t>(encoded.code(r, 0)) < codec.points.size())
      continue;
    parts.insert(encoded.code(r, 1));
    const double width = (codec.knots[bin + 1] - codec.knots[bin]) / 32;
    // Half a part away at most, and half a last digit for the rounding.
    REQUIRE(std::abs(made[0].values[r] - x.values[r]) <= width / 2 + 0.0005 + 1e-9);
  }
  CHECK(parts.size() == 32);
  // Too few rows for that: no fine code, fewer bins.
  x.values.resize(500);
  const auto small = rs::TableEncoder::fit(rs::Table({x}));
  CHECK(small.layout().size() == 1);
  CHECK(small.codecs()[0].bins() <= 500 / 32);
  CHECK(rs::TableEncoder::fit(table, {.fine = 0}).layout().size() == 1);
}

TEST_CASE("many distinct values of a small table are binned, few are exact", "[encoding]") {
  auto age = rs::Column::numerical("age", {}, 0);
  auto rooms = rs::Column::numerical("rooms", {}, 0);
  for (int i = 0; i < 300; ++i) {
    age.values.push_back(20 + i % 60);
    rooms.values.push_back(i % 7);
  }
  const auto encoder = rs::TableEncoder::fit(rs::Table({age, rooms}));
  CHECK(encoder.codecs()[0].kind == rs::ColumnCodec::Kind::binned);
  CHECK(encoder.codecs()[1].kind == rs::ColumnCodec::Kind::exact);
}

TEST_CASE("a number whose values are all frequent has nothing to put into bins", "[encoding]") {
  auto month = rs::Column::numerical("month", {}, 0);
  for (int i = 0; i < 12'000; ++i)
    month.values.push_back(1 + i % 12);
  const auto all = rs::TableEncoder::fit(rs::Table({month}), {.max_exact_values = 8});
  CHECK(all.codecs()[0].kind == rs::ColumnCodec::Kind::exact);
  CHECK(all.codecs()[0].points.size() == 12);
  month.values[0] = 13; // one value is left: still nothing to part
  const auto rest = rs::TableEncoder::fit(rs::Table({month}), {.max_exact_values = 8});
  CHECK(rest.codecs()[0].kind == rs::ColumnCodec::Kind::exact);
  CHECK(rest.codecs()[0].points.size() == 13);
  CHECK(rest.layout().size() == 1);
}

TEST_CASE("a table of many columns is encoded more coarsely", "[encoding]") {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  std::vector<rs::Column> columns;
  for (int c = 0; c < 120; ++c) {
    columns.push_back(rs::Column::numerical(std::to_string(c), {}, 4));
    for (int r = 0; r < 5000; ++r)
      columns.back().values.push_back(std::round(1e4 * random.normal()) / 1e4);
  }
  const rs::Table table(columns);
  const auto pairs = [](const rs::TableEncoder& encoder) {
    return encoder.layout().size() * static_cast<std::size_t>(encoder.width());
  };
  const auto whole = rs::TableEncoder::fit(table, {.most_pairs = 1'000'000'000});
  const auto coarse = rs::TableEncoder::fit(table);
  CHECK(pairs(whole) > 600'000);
  CHECK(pairs(coarse) <= 600'000);
  CHECK(coarse.layout().size() == 120); // fine codes go first
  CHECK(rs::TableEncoder::fit(table, {.most_pairs = 1000}).codecs()[0].bins() == 8);
}
