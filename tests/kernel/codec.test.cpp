// SPDX-License-Identifier: MIT
#include <rowsmith/kernel/codec.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

namespace k = rowsmith::kernel;

namespace {
const std::vector<double> points{-1, 0};
const std::vector<double> knots{1, 2, 4, 8};
// Two point masses, three bins of four parts each; rounded to tenths; missing values.
const k::Codec binned{.kind = k::CodecKind::binned,
                      .has_missing = true,
                      .points = points.data(),
                      .point_count = 2,
                      .knots = knots.data(),
                      .bins = 3,
                      .fine = 4,
                      .minimum = -1,
                      .maximum = 8,
                      .rounding = 10};
} // namespace

TEST_CASE("a binned column's codes: points, bins, missing; values outside go to the nearest", "[kernel]") {
  CHECK(binned.codes() == 6);
  CHECK(binned.missing() == 5);
  CHECK(binned.code_of(0) == 1);
  CHECK(binned.code_of(1.5) == 2);
  CHECK(binned.code_of(2) == 3);
  CHECK(binned.code_of(100) == 4);
  CHECK(binned.code_of(-100) == 2);
  CHECK(binned.fine_of(3.2, 3) == 2);
  CHECK(binned.fine_of(100, 4) == 3);
  CHECK(binned.fine_of(0, 1) == 0);
  CHECK(binned.value_of(0, 0.5) == -1);
  CHECK(binned.value_of(3, 0.26) == 2.5);
}

TEST_CASE("a bin wider than the largest double has parts and values inside it", "[kernel]") {
  const std::vector<double> wide{-1.7e308, 1.7e308};
  const k::Codec codec{.kind = k::CodecKind::binned,
                       .knots = wide.data(),
                       .bins = 1,
                       .fine = 4,
                       .minimum = -1.7e308,
                       .maximum = 1.7e308};
  CHECK(codec.fine_of(-1.7e308, 0) == 0);
  CHECK(codec.fine_of(-1e307, 0) == 1);
  CHECK(codec.fine_of(1e308, 0) == 3);
  CHECK(codec.value_of(0, 0.5) == Approx(0).margin(1e293));
  CHECK(codec.value_of(0, 0.75) == Approx(0.85e308));
}

TEST_CASE("a fine code names a part of its bin or one of its atoms", "[kernel]") {
  // On the lower edge of the first bin; on the edge between two and inside; on the upper edge of the last.
  const std::vector<double> atoms{1, 2, 3.14, 8};
  const std::vector<std::uint32_t> first{0, 1, 3, 4};
  auto codec = binned;
  codec.atoms = atoms.data();
  codec.atom_first = first.data();
  codec.most_atoms = 2;
  CHECK(codec.fine_codes() == 6);
  for (const auto& [value, code, fine, place] :
       {std::tuple(1.0, 2, 4, 0.0F), {2.0, 3, 4, 0.0F}, {3.14, 3, 5, 0.57F}, {8.0, 4, 4, 1.0F}}) {
    CAPTURE(value);
    CHECK(codec.code_of(value) == code);
    CHECK(codec.fine_of(value, code) == fine);
    REQUIRE(codec.atom_of(code, fine) != nullptr);
    CHECK(*codec.atom_of(code, fine) == value);
    for (const double position : {0.001, 0.999}) // not rounded to tenths, either
      CHECK(codec.value_of(code, fine, position) == value);
    CHECK(codec.place_of(code, fine) == Approx(place));
  }
  // Beside an atom: its part, as without atoms.
  CHECK(codec.fine_of(3.1, 3) == 2);
  CHECK(codec.atom_of(3, 2) == nullptr);
  CHECK(codec.value_of(3, 2, 0.5) == 3.3);
  CHECK(codec.place_of(3, 2) == 0.625F);
  // The first bin has one atom, the widest two: the second one's code stands for the whole bin.
  CHECK(codec.atom_of(2, 5) == nullptr);
  CHECK(codec.value_of(2, 5, 0.1) == 1.1);
  CHECK(codec.value_of(2, 5, 0.9) == 1.9);
  CHECK(codec.place_of(2, 5) == 0.5F);
  // A point mass is that, whatever the fine code.
  CHECK(codec.value_of(1, 5, 0.5) == 0);
}

TEST_CASE("the place of an atom is found in the widest and in the narrowest bin", "[kernel]") {
  constexpr double least = std::numeric_limits<double>::denorm_min();
  const std::vector<double> edges{-1.7e308, 0, least, 1.7e308};
  const std::vector<double> atoms{-0.85e308, 0, least};
  const std::vector<std::uint32_t> first{0, 1, 2, 3};
  k::Codec codec{.kind = k::CodecKind::binned,
                 .knots = edges.data(),
                 .bins = 3,
                 .fine = 1,
                 .atoms = atoms.data(),
                 .atom_first = first.data(),
                 .most_atoms = 1,
                 .minimum = -1.7e308,
                 .maximum = 1.7e308};
  CHECK(codec.place_of(0, 1) == 0.5F);
  CHECK(codec.place_of(1, 1) == 0);
  CHECK(codec.place_of(2, 1) == 0);
  const std::vector<double> whole{-1.7e308, 1.7e308};
  const std::vector<double> inside{0.85e308};
  codec.knots = whole.data();
  codec.bins = 1;
  codec.atoms = inside.data();
  CHECK(codec.place_of(0, 1) == 0.75F);
}

TEST_CASE("rows come back from their codes, and cells without a code are refused", "[kernel]") {
  const k::Codec codecs[] = {binned, {.kind = k::CodecKind::categorical, .has_other = true, .categories = 2}};
  const k::Stretch layout[] = {{true, 0, 0, 6}, {true, 0, 6, 4, true}, {true, 1, 10, 3}};
  const k::Columns columns{codecs, 2, layout, 3};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::int32_t codes[3];
  float numbers[3];
  const auto encode = [&](double number, std::int32_t category) {
    return k::encode_row(
        columns, [=](std::size_t) { return number; }, [=](std::size_t) { return category; }, codes, numbers);
  };
  for (const double number : {0.0, 1.3, 3.1, 7.9, nan})
    for (const std::int32_t category : {0, 2}) {
      REQUIRE(encode(number, category));
      k::Cell cells[2];
      // In the middle of its part.
      k::each_cell(
          columns, codes, [](std::size_t) { return 0.0F; }, [](std::size_t) { return 0.5; },
          [&](std::size_t column, const k::Cell& cell) { cells[column] = cell; });
      CHECK(cells[1].code == category);
      CHECK(std::isnan(cells[1].number));
      CHECK(cells[0].code == -1);
      if (std::isnan(number))
        CHECK(std::isnan(cells[0].number));
      else
        CHECK(std::abs(cells[0].number - number) <= 0.55);
    }
  CHECK_FALSE(encode(std::numeric_limits<double>::infinity(), 0));
  CHECK_FALSE(encode(1, 3));
  CHECK_FALSE(encode(1, -1)); // missing where no training row was
  CHECK_FALSE(encode(1, -2));
}

TEST_CASE("searches without branches find what the standard library's do", "[kernel]") {
  std::vector<double> numbers;
  for (int size = 0; size < 40; ++size) {
    bool fine = true;
    for (double value = -2; value <= 2 * size + 1; value += 0.5) {
      const double* first = numbers.data();
      const double* last = first + numbers.size();
      fine = fine && k::first_not_below(first, last, value) == std::lower_bound(first, last, value) &&
             k::first_above(first, last, value) == std::upper_bound(first, last, value);
    }
    CHECK(fine);
    numbers.push_back(2 * size - (size % 5 == 0 ? 1 : 0));
  }
}
