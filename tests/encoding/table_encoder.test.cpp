// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/encoding/encoded_table.hpp>
#include <rowsmith/encoding/fit_codec.hpp>
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
  CHECK(decimals({0.1 + 0.2, 2}) == 1); // a rounding away from 0.3
  CHECK(decimals({0, 3e-13, 3e-10}) == -1);
  CHECK(decimals({1, 2, 1e300}) == 0);
  CHECK(decimals({1e20, 3e21}) == -1); // whole for want of digits
  CHECK(decimals({1e9 + 1.0 / 3, 2e9 + 1.0 / 7}) == -1);
  CHECK(decimals({-1.7e308, 0.5}) == 1);

  SECTION("digits of a text are found exactly") {
    rs::RandomSequence random(rs::RandomStream(5, rs::Purpose::user));
    for (int round = 0; round < 500; ++round) {
      const int digits = static_cast<int>(random.below(7));
      // A last digit other than 0, and up to 15 digits in all.
      const auto whole = random.below(static_cast<std::uint32_t>(std::pow(10.0, random.below(10))) + 1);
      std::string text = std::to_string(whole);
      if (digits > 0) {
        text += '.';
        for (int k = 1; k < digits; ++k)
          text += static_cast<char>('0' + random.below(10));
        text += static_cast<char>('1' + random.below(9));
      }
      INFO(text);
      CHECK(decimals({rs::parse_number(text).value(), 0}) == (whole == 0 && digits == 0 ? -1 : digits));
    }
  }
}

namespace {
// Values over three powers of ten, both signs, whose magnitude is about `magnitude`.
std::vector<double> spread(double magnitude, std::size_t rows) {
  std::vector<double> values;
  rs::RandomSequence random(rs::RandomStream(11, rs::Purpose::user));
  while (values.size() < rows)
    values.push_back(magnitude * std::pow(10.0, 3 * random.uniform()) * (random.below(2) == 0 ? 1 : -1));
  return values;
}
} // namespace

TEST_CASE("columns of any magnitude keep their range and spread", "[encoding]") {
  for (int exponent = -300; exponent <= 300; exponent += 20) {
    const double magnitude = std::pow(10.0, exponent);
    const auto values = spread(magnitude, 6000);
    const rs::Table table({rs::Column::numerical("x", values)});
    INFO("1e" << exponent);

    const auto binned = rs::TableEncoder::fit(table);
    const auto& codec = binned.codecs()[0];
    REQUIRE(codec.kind == rs::ColumnCodec::Kind::binned);
    const auto made = round_trip(binned, table);
    std::set<double> distinct;
    for (std::size_t r = 0; r < values.size(); ++r) {
      const auto bin = static_cast<std::size_t>(codec.view().code_of(values[r]));
      const double part = (codec.knots[bin + 1] - codec.knots[bin]) / static_cast<double>(codec.fine);
      REQUIRE(std::abs(made[0].values[r] - values[r]) <= 0.51 * part);
      distinct.insert(made[0].values[r]);
    }
    CHECK(distinct.size() > 1000);
    // The ends are no training values, and near them.
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK(codec.minimum < *low);
    CHECK(codec.maximum > *high);
    CHECK(codec.minimum > *low * 1.1);
    CHECK(codec.maximum < *high * 1.1);

    const auto standard = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
    CHECK(standard.codecs()[0].sd > 100 * magnitude);
    CHECK(standard.codecs()[0].sd < 1000 * magnitude);
    const auto back = round_trip(standard, table);
    for (std::size_t r = 0; r < values.size(); ++r)
      REQUIRE(std::abs(back[0].values[r] - values[r]) <= 1e-6 * standard.codecs()[0].sd);
  }
}

TEST_CASE("the ends of a range move outwards to two digits, as a text of them reads", "[encoding]") {
  const auto ends = [](double magnitude) {
    std::vector<double> values;
    for (int i = 0; i < 1000; ++i)
      values.push_back((1.2345 + i / 1000.0) * magnitude);
    const rs::Table table({rs::Column::numerical("x", std::move(values))});
    const auto codec = rs::TableEncoder::fit(table, {.bins = 2, .fine = 0}).codecs()[0];
    return std::pair(codec.minimum, codec.maximum);
  };
  CHECK(ends(1) == std::pair(1.23, 2.24));
  CHECK(ends(1e-200) == std::pair(1.23e-200, 2.24e-200));
  CHECK(ends(1e200) == std::pair(1.23e200, 2.24e200));
}

TEST_CASE("a column from one end of a double to the other is encoded and decoded", "[encoding]") {
  auto wide = rs::Column::numerical("wide");
  for (int i = 0; i < 3000; ++i)
    wide.values.push_back((i % 2 == 0 ? 1.7e308 : -1.7e308) + (i / 2) * (i % 2 == 0 ? -1e303 : 1e303));
  wide.values.push_back(0.1);
  const rs::Table table({wide});
  // The middle bin of three spans the gap between the two halves: wider than a double can say.
  const auto encoder = rs::TableEncoder::fit(table, {.bins = 3, .fine = 32});
  const auto& codec = encoder.codecs()[0];
  REQUIRE(codec.kind == rs::ColumnCodec::Kind::binned);
  REQUIRE(codec.bins() == 3);
  REQUIRE(std::isinf(codec.knots[2] - codec.knots[1]));
  CHECK(codec.view().fine_of(codec.knots[1], 1) == 0);
  CHECK(codec.view().fine_of(0.1, 1) == 16);
  CHECK(codec.view().fine_of(1.79e308, 1) == 31);
  CHECK(codec.view().value_of(1, 0.5) == Approx(0).margin(1e303));
  CHECK(codec.view().value_of(1, 0.75) == Approx(codec.knots[2] / 2).epsilon(0.01));
  const auto made = round_trip(encoder, table);
  for (const double value : made[0].values)
    CHECK(std::isfinite(value));

  const auto standard = rs::TableEncoder::fit(table, {.numerical = rs::NumericalEncoding::standardised});
  CHECK(standard.codecs()[0].sd == Approx(1.7e308).epsilon(0.01));
  const auto back = round_trip(standard, table);
  for (std::size_t r = 0; r < table.rows(); ++r)
    REQUIRE(std::abs(back[0].values[r] / 1e308 - wide.values[r] / 1e308) <= 1e-5);
  rs::ColumnCodec low;
  low.kind = rs::ColumnCodec::Kind::standardised;
  low.mean = -1.7e308;
  low.sd = 1e308;
  low.minimum = -1.7e308;
  low.maximum = 1.7e308;
  CHECK(low.view().standardise(1.7e308) == Approx(3.4));
  // A number outside the range counts as its end, and as the odder the farther it is outside.
  low.maximum = 1e308;
  CHECK(low.view().standardise(1.7e308) == Approx(2.7));
  CHECK(low.view().excess(1.5e308) == Approx(0.25)); // of standard deviations, squared
  CHECK(low.view().excess(1e308) == 0);
  CHECK(std::isnan(low.view().standardise(std::nan(""))));
}

TEST_CASE("rounding to decimals leaves numbers beyond them alone", "[encoding]") {
  rs::ColumnCodec codec;
  codec.mean = 1.5e308;
  codec.minimum = 0;
  codec.maximum = 1.7e308;
  codec.decimals = 2;
  CHECK(codec.view().unstandardise(0) == 1.5e308);
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

namespace {
/// Of amounts up to 1,000, two in five are multiples of `step`: values too rare to be codes of their own.
rs::Column heaped(std::size_t rows, std::uint32_t step = 5) {
  auto x = rs::Column::numerical("x", {}, 2);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (std::size_t i = 0; i < rows; ++i)
    x.values.push_back(random.below(5) < 2 ? static_cast<double>(step * random.below(1000 / step))
                                           : std::floor(1e5 * random.uniform()) / 100);
  return x;
}
std::map<double, std::size_t> counts_of(const rs::Column& column) {
  std::map<double, std::size_t> counts;
  for (const double value : column.values)
    ++counts[value];
  return counts;
}
} // namespace

TEST_CASE("values that enough rows have are atoms in a heaped column, and come back exactly", "[encoding]") {
  const std::size_t rows = GENERATE(std::size_t{500}, std::size_t{8000});
  const auto x = heaped(rows, rows == 500 ? 50 : 5);
  const rs::Table table({x});
  const auto encoder = rs::TableEncoder::fit(table);
  const auto& codec = encoder.codecs()[0];
  REQUIRE(codec.kind == rs::ColumnCodec::Kind::binned);
  // In a small table parts of bins are few, but atoms are named.
  CHECK(codec.fine == (rows == 500 ? 8 : 32));
  std::vector<double> expected;
  for (const auto& [value, count] : counts_of(x))
    if (count >= 4 && !std::binary_search(codec.points.begin(), codec.points.end(), value))
      expected.push_back(value);
  CHECK(expected.size() > (rows == 500 ? 10 : 150));
  CHECK(codec.atoms == expected);
  REQUIRE(encoder.layout().size() == 2);
  CHECK(encoder.layout()[1].width == static_cast<std::int32_t>(codec.fine + codec.most_atoms()));
  const auto encoded = encoder.encode(table);
  const auto low = round_trip(encoder, table, 1e-9);
  const auto high = round_trip(encoder, table, 1 - 1e-9);
  for (std::size_t r = 0; r < rows; ++r) {
    const bool atom = std::binary_search(expected.begin(), expected.end(), x.values[r]);
    CHECK((encoded.code(r, 1) >= static_cast<std::int32_t>(codec.fine)) == atom);
    if (atom) {
      CHECK(low[0].values[r] == x.values[r]);
      CHECK(high[0].values[r] == x.values[r]);
    } else {
      // Rounded to hundredths.
      CHECK(low[0].values[r] < x.values[r] + 0.01);
      CHECK(high[0].values[r] > x.values[r] - 0.01);
    }
  }
}

TEST_CASE("inner edges of bins are no values that a few rows share", "[encoding]") {
  auto x = rs::Column::numerical("x", {}, 3);
  rs::RandomSequence random(rs::RandomStream(3, rs::Purpose::user));
  for (int i = 0; i < 1000; ++i) // three rows of each value
    x.values.insert(x.values.end(), 3, std::round(1e6 * random.uniform()) / 1e3);
  const auto encoder = rs::TableEncoder::fit(rs::Table({x}), {.min_atom_rows = 0});
  const auto& codec = encoder.codecs()[0];
  REQUIRE(codec.bins() > 50);
  for (std::size_t k = 1; k < codec.bins(); ++k)
    CHECK(std::find(x.values.begin(), x.values.end(), codec.knots[k]) == x.values.end());
}

TEST_CASE("one part of a bin is no second code", "[encoding]") {
  auto x = rs::Column::numerical("x", {}, 3);
  rs::RandomSequence random(rs::RandomStream(4, rs::Purpose::user));
  for (int i = 0; i < 5000; ++i)
    x.values.push_back(std::round(1e6 * random.uniform()) / 1e3);
  CHECK(rs::TableEncoder::fit(rs::Table({x}), {.fine = 1}).codecs()[0].fine_codes() == 0);
}

TEST_CASE("very many categories share codes, but for frequent ones and the label", "[encoding]") {
  // 1,200 towns of two rows each and ten of a hundred.
  std::vector<std::string> texts;
  for (int i = 0; i < 1200; ++i)
    texts.insert(texts.end(), 2, "rare " + std::to_string(i));
  for (int i = 0; i < 10; ++i)
    texts.insert(texts.end(), 100, "often " + std::to_string(i));
  texts.insert(texts.end(), 3, "thrice");
  const auto column = rs::Column::categorical("town", texts);
  auto label = column;
  label.name = "label";
  const rs::Table table({column, label}, "label");
  const auto encoder = rs::TableEncoder::fit(table, {.max_categories = 400});
  const auto& codec = encoder.codecs()[0];
  CHECK(codec.codes() <= 10 + 65);
  CHECK(codec.codes() >= 10 + 60);
  CHECK(encoder.codecs()[1].codes() == 1211);
  const auto rows = encoder.encode(table);
  const auto view = codec.view();
  std::vector<double> rows_of(codec.codes());
  for (std::size_t r = 0; r < table.rows(); ++r)
    ++rows_of[static_cast<std::size_t>(rows.code(r, 0))];
  const auto rarity = encoder.rarity(table, 0);
  double worst = 0;
  for (std::size_t r = 0; r < table.rows(); ++r) {
    const auto code = rows.code(r, 0);
    const std::string_view text = texts[r];
    const double share = (text == "thrice" ? 3
                          : text[0] == 'r' ? 2
                                           : 100) /
                         rows_of[static_cast<std::size_t>(code)];
    worst = std::max(worst, std::abs(std::exp(-rarity[r]) - share));
  }
  CHECK(worst < 1e-12);
  CHECK(encoder.rarity(table, 1).empty());
  // A code gives its categories by their share, the first ones at small positions.
  const auto category = [&](std::size_t row, double position) {
    return codec.categories[static_cast<std::size_t>(view.category_of(rows.code(row, 0), position))];
  };
  CHECK(category(2400, 0.01) == texts[2400]); // its own code
  CHECK(category(2400, 0.99) == texts[2400]);
  std::map<std::string, int> drawn;
  for (int i = 0; i < 1000; ++i)
    ++drawn[category(0, (i + 0.5) / 1000)];
  const double members = rows_of[static_cast<std::size_t>(rows.code(0, 0))] / 2;
  CHECK(static_cast<double>(drawn.size()) >= members - 1);
  for (const auto& [text, count] : drawn)
    CHECK(count == Approx(1000 / members).margin(1.5 + (text == "thrice" ? 1000 / members : 0)));
  // Every category comes back from some position, and nothing but categories.
  std::set<std::int32_t> seen;
  for (std::int32_t code = 0; code < static_cast<std::int32_t>(codec.groups()); ++code)
    for (int i = 0; i < 2000; ++i)
      seen.insert(view.category_of(code, (i + 0.5) / 2000));
  CHECK(seen.size() == 1211);
}

TEST_CASE("errors count the rows of the user's table", "[encoding]") {
  const rs::Table train({rs::Column::categorical("x", {"a", "b", "a", "b"})});
  const rs::Table asked({rs::Column::categorical("x", {"a", "c"})});
  const auto encoder = rs::TableEncoder::fit(train);
  const std::vector<std::size_t> left_out{0, 1, 3};
  CHECK_THROWS_WITH(encoder.encode(asked), Catch::Contains("row 2"));
  CHECK_THROWS_WITH(encoder.encode(asked, left_out), Catch::Contains("row 5"));
}

TEST_CASE("atoms that are edges of bins come back exactly", "[encoding]") {
  // Outer edges are rounded outwards, which leaves such values where they are.
  auto x = rs::Column::numerical("x", {}, 0);
  rs::RandomSequence random(rs::RandomStream(2, rs::Purpose::user));
  for (int i = 0; i < 20'000; ++i)
    x.values.push_back(5.0 * random.below(400));
  const rs::Table table({x});
  const auto encoder = rs::TableEncoder::fit(table);
  const auto& codec = encoder.codecs()[0];
  REQUIRE(codec.kind == rs::ColumnCodec::Kind::binned);
  CHECK(codec.atoms.size() == 400);
  std::size_t edges = 0;
  for (const double knot : codec.knots)
    edges += std::binary_search(codec.atoms.begin(), codec.atoms.end(), knot) ? 1 : 0;
  CHECK(edges > 0);
  check_equal(round_trip(encoder, table, 0.3), table);
}

TEST_CASE("a value of too few rows is decoded no more often than its neighbours", "[encoding]") {
  const auto x = heaped(8000);
  for (const std::size_t least : {4U, 12U}) {
    const auto encoder = rs::TableEncoder::fit(rs::Table({x}), {.min_atom_rows = least});
    const auto& codec = encoder.codecs()[0];
    REQUIRE_FALSE(codec.atoms.empty());
    const auto view = codec.view();
    double hits = 0;
    double by_chance = 0;
    for (const auto& [value, count] : counts_of(x)) {
      if (count >= least)
        continue;
      const auto code = view.code_of(value);
      const auto fine = view.fine_of(value, code);
      const auto bin = static_cast<std::size_t>(code) - codec.points.size();
      constexpr int draws = 200;
      for (int k = 0; k < draws; ++k)
        hits += view.value_of(code, fine, (k + 0.5) / draws) == value ? 1 : 0;
      // The hundredths that a part holds.
      by_chance +=
          draws / (100 * (codec.knots[bin + 1] - codec.knots[bin]) / static_cast<double>(codec.fine));
    }
    CHECK(hits < 1.05 * by_chance);
  }
}

TEST_CASE("a smooth column has no atoms, also where values repeat by chance", "[encoding]") {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user));
    auto even = rs::Column::numerical("even", {}, 0);
    auto tail = rs::Column::numerical("tail", {}, 0);
    auto free = rs::Column::numerical("free");
    for (int i = 0; i < 8000; ++i) {
      even.values.push_back(std::floor(10'000 * random.uniform()));
      tail.values.push_back(std::floor(4000 * std::exp(random.normal())));
      free.values.push_back(random.normal());
    }
    for (const auto& column : {even, tail}) {
      std::size_t frequent = 0;
      for (const auto& [value, count] : counts_of(column))
        frequent += count >= 4 ? 1 : 0;
      CHECK(frequent > 50);
    }
    const auto encoder = rs::TableEncoder::fit(rs::Table({even, tail, free}));
    for (const auto& codec : encoder.codecs()) {
      CHECK(codec.fine == 32);
      CHECK(codec.atoms.empty());
    }
  }
}

TEST_CASE("atoms are a choice", "[encoding]") {
  const rs::Table table({heaped(8000)});
  REQUIRE_FALSE(rs::TableEncoder::fit(table).codecs()[0].atoms.empty());
  const auto none = rs::TableEncoder::fit(table, {.min_atom_rows = 0});
  CHECK(none.codecs()[0].atoms.empty());
  CHECK(none.layout()[1].width == 32);
  CHECK(rs::TableEncoder::fit(table, {.min_atom_rows = 1000}).codecs()[0].atoms.empty());
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
  const auto whole = rs::TableEncoder::fit(table);
  const auto coarse = rs::TableEncoder::fit(table, {.most_codes = 10'000});
  CHECK(whole.width() > 10'000);
  CHECK(whole.layout().size() == 240);
  CHECK(coarse.width() <= 10'000);
  CHECK(coarse.layout().size() == 120); // fine codes go first
  CHECK(coarse.codecs()[0].bins() == 64);
  CHECK(rs::TableEncoder::fit(table, {.most_codes = 100}).codecs()[0].bins() == 8);
}

TEST_CASE("an encoder takes no codecs that do not fit each other or the schema", "[encoding]") {
  const auto fitted = rs::TableEncoder::fit(small());
  const auto& schema = fitted.schema();
  CHECK_NOTHROW(rs::TableEncoder(fitted.codecs(), schema));
  auto codecs = fitted.codecs();
  codecs.pop_back();
  CHECK_THROWS_AS(rs::TableEncoder(codecs, schema), rs::SchemaError);
  codecs = fitted.codecs();
  std::swap(codecs[0], codecs[2]);
  CHECK_THROWS_AS(rs::TableEncoder(codecs, schema), rs::SchemaError);
  const auto refused = [&](std::size_t column, auto&& change) {
    auto changed = fitted.codecs();
    change(changed[column]);
    CHECK_THROWS_WITH(rs::TableEncoder(changed, schema), Catch::Contains("'" + changed[column].name + "'"));
  };
  refused(0, [](rs::ColumnCodec& codec) { codec.points = {2, 1}; });
  refused(0, [](rs::ColumnCodec& codec) { codec.points.back() = std::numeric_limits<double>::infinity(); });
  refused(0, [](rs::ColumnCodec& codec) { codec.fine = 4; });
  refused(0, [](rs::ColumnCodec& codec) { codec.minimum = 5; });
  refused(0, [](rs::ColumnCodec& codec) { codec.kind = rs::ColumnCodec::Kind::binned; });
  refused(0, [](rs::ColumnCodec& codec) { codec.kind = static_cast<rs::ColumnCodec::Kind>(9); });
  refused(1, [](rs::ColumnCodec& codec) { codec.categories = {"b", "a"}; });
  refused(1, [](rs::ColumnCodec& codec) { codec.atoms = {1}; });
  refused(1, [](rs::ColumnCodec& codec) { codec.points = {1}; });
  CHECK_THROWS_AS(fitted.empty_columns(std::numeric_limits<std::size_t>::max()), rs::ShapeError);

  const auto with_atoms = rs::TableEncoder::fit(rs::Table({heaped(8000)}));
  const auto atoms_refused = [&](const char* why, auto&& change) {
    auto changed = with_atoms.codecs();
    change(changed[0]);
    CHECK_THROWS_WITH(rs::TableEncoder(changed, with_atoms.schema()), Catch::Contains(why));
  };
  CHECK_NOTHROW(rs::TableEncoder(with_atoms.codecs(), with_atoms.schema()));
  atoms_refused("do not rise", [](rs::ColumnCodec& codec) { std::swap(codec.atoms[3], codec.atoms[4]); });
  atoms_refused("do not rise", [](rs::ColumnCodec& codec) { codec.atoms[4] = codec.atoms[3]; });
  atoms_refused("in no bin", [](rs::ColumnCodec& codec) { codec.atoms.front() = codec.knots.front() - 1; });
  atoms_refused("in no bin", [](rs::ColumnCodec& codec) { codec.atoms.back() = codec.knots.back() + 1; });
  atoms_refused("without a fine code", [](rs::ColumnCodec& codec) { codec.fine = 0; });
  atoms_refused("not indexed", [](rs::ColumnCodec& codec) { codec.atoms.pop_back(); });
  atoms_refused("not indexed", [](rs::ColumnCodec& codec) { codec.atom_first[1] += 1; });
}

TEST_CASE("encoded tables refuse places and codes that they do not have", "[encoding]") {
  rs::EncodedTable encoded(3, 2, 1, 200);
  CHECK_THROWS_AS(encoded.set_code(3, 0, 1), rs::ShapeError);
  CHECK_THROWS_AS(encoded.set_code(0, 2, 1), rs::ShapeError);
  std::vector<std::int32_t> column(encoded.rows());
  CHECK_THROWS_AS(encoded.set_codes(2, column), rs::ShapeError);
  column.back() = encoded.max_code() + 1;
  CHECK_THROWS_AS(encoded.set_codes(0, column), rs::ShapeError);
  column.back() = -1;
  CHECK_THROWS_AS(encoded.set_codes(0, column), rs::ShapeError);
  column.back() = encoded.max_code();
  encoded.set_codes(1, column);
  CHECK(encoded.code(encoded.rows() - 1, 1) == encoded.max_code());
  CHECK(encoded.code(0, 1) == 0);
  column.pop_back();
  CHECK_THROWS_AS(encoded.set_codes(1, column), rs::ShapeError);
  CHECK_THROWS_AS(encoded.set_code(0, 0, 201), rs::ShapeError);
  CHECK_THROWS_AS(encoded.set_code(0, 0, -1), rs::ShapeError);
  CHECK_THROWS_AS(encoded.set_number(0, 1, 1), rs::ShapeError);
  CHECK_THROWS_AS(rs::EncodedTable(std::numeric_limits<std::size_t>::max() / 2, 4, 0, 1), rs::ShapeError);
  CHECK_THROWS_AS(rs::EncodedTable(1, 1, 1, -1), rs::ShapeError);
}
