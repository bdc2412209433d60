// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstdint>
#include <limits>
#include <string>

#include <rowsmith/csv/whole_number.hpp>

namespace rs = rowsmith;

TEST_CASE("whole numbers are texts of digits within 64 bits, and no others", "[csv]") {
  for (const char* text : {"0", "7", "-7", "9007199254740993", "18446744073709551615", "-9223372036854775808",
                           "-18446744073709551615"}) {
    CAPTURE(text);
    const auto number = rs::parse_whole(text);
    REQUIRE(number);
    CHECK(to_string(*number) == text);
  }
  CHECK(rs::parse_whole("+12") == rs::WholeNumber{12, false});
  CHECK(rs::parse_whole("-0") == rs::WholeNumber{});
  for (const char* text : {"", "-", "+", "--1", "+-1", "1.0", "1e3", " 1", "1 ", "18446744073709551616",
                           "123456789012345678901"})
    CHECK_FALSE(rs::parse_whole(text));
}

TEST_CASE("whole numbers are ordered, also across zero", "[csv]") {
  const char* texts[] = {"-18446744073709551615", "-5", "-4", "0", "4", "5", "18446744073709551615"};
  for (std::size_t i = 0; i < std::size(texts); ++i)
    for (std::size_t j = 0; j < std::size(texts); ++j)
      CHECK((*rs::parse_whole(texts[i]) < *rs::parse_whole(texts[j])) == (i < j));
}

TEST_CASE("a distance is exact or none, and leads back", "[csv]") {
  struct {
    const char* number;
    const char* origin;
    double distance;
  } const known[] = {
      {"18446744073709551615", "18446744073709551600", 15},
      {"1700000000000000001", "1700000000000000000", 1},
      {"1700000000000000000", "1700000000000000001", -1},
      {"-9223372036854775808", "-9223372036854775000", -808},
      {"-3", "4", -7},
      {"4", "-3", 7},
      {"0", "0", 0},
      {"-5", "0", -5},
      {"0", "-9007199254740991", 9007199254740991},
      {"9007199254740991", "0", 9007199254740991},
  };
  for (const auto& one : known) {
    CAPTURE(one.number, one.origin);
    const auto number = *rs::parse_whole(one.number);
    const auto origin = *rs::parse_whole(one.origin);
    CHECK(distance(number, origin) == one.distance);
    CHECK(at_distance(origin, one.distance) == number);
  }
  const auto apart = [](const char* a, const char* b) {
    return distance(*rs::parse_whole(a), *rs::parse_whole(b));
  };
  CHECK_FALSE(apart("9007199254740992", "0"));
  CHECK_FALSE(apart("0", "9007199254740992"));
  CHECK_FALSE(apart("18446744073709551615", "-18446744073709551615"));
  CHECK_FALSE(apart("-4503599627370496", "4503599627370496"));
  // Beyond 64 bits there is nothing: the last that there is.
  CHECK(to_string(at_distance(*rs::parse_whole("18446744073709551610"), 100)) == "18446744073709551615");
  CHECK(to_string(at_distance(*rs::parse_whole("-18446744073709551610"), -100)) == "-18446744073709551615");
}

TEST_CASE("numbers with a sign of 64 bits are whole numbers and back", "[csv]") {
  for (const auto number : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1}, std::int64_t{0},
                            std::numeric_limits<std::int64_t>::max()}) {
    CHECK(to_string(rs::whole_number(number)) == std::to_string(number));
    CHECK(rs::signed_number(rs::whole_number(number)) == number);
  }
  CHECK_FALSE(rs::signed_number({std::uint64_t{1} << 63U, false}));
  CHECK_FALSE(rs::signed_number({(std::uint64_t{1} << 63U) + 1, true}));
}
