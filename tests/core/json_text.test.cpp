// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/core/option_range.hpp>

namespace rs = rowsmith;

TEST_CASE("texts are escaped as JSON wants them", "[core]") {
  CHECK(rs::json_escape("plain") == "\"plain\"");
  CHECK(rs::json_escape("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(rs::json_escape("line\nend\t") == "\"line\\u000aend\\u0009\"");
  CHECK(rs::json_escape(std::string("\0", 1)) == "\"\\u0000\"");
  CHECK(rs::json_escape("Köln") == "\"Köln\"");
}

TEST_CASE("bytes that are not UTF-8 are written as Latin-1, so that JSON is always valid", "[core]") {
  CHECK(rs::json_escape("K\xF6ln") == "\"K\\u00f6ln\"");
  CHECK(rs::json_escape("\xE2\x82\xAC") == "\"\xE2\x82\xAC\"");                 // a euro sign
  CHECK(rs::json_escape("\xE2\x82") == "\"\\u00e2\\u0082\"");                   // cut off
  CHECK(rs::json_escape("\xC0\xAF") == "\"\\u00c0\\u00af\"");                   // overlong
  CHECK(rs::json_escape("\xE0\x9F\xBF") == "\"\\u00e0\\u009f\\u00bf\"");        // overlong
  CHECK(rs::json_escape("\xED\xA0\x80") == "\"\\u00ed\\u00a0\\u0080\"");        // half of a surrogate pair
  CHECK(rs::json_escape("\xF4\x90\x80\x80").find('\xF4') == std::string::npos); // beyond U+10FFFF
  CHECK(rs::json_escape("\xF0\x9F\x98\x80") == "\"\xF0\x9F\x98\x80\"");
  CHECK(rs::json_escape("\xFF\"") == "\"\\u00ff\\\"\"");
  std::string begun = "[";
  rs::append_json_text(begun, "a");
  CHECK(begun == "[\"a\"");
}

TEST_CASE("an option out of its range is named with its value, however small", "[core]") {
  const rs::OptionRange range{1, 2};
  CHECK_THROWS_WITH(rs::check_option("rate", 1e-9, range), "rate = 1e-09: expected 1 to 2");
  CHECK_THROWS_WITH(rs::check_option("rate", std::nan(""), range), Catch::Contains("nan"));
}

TEST_CASE("numbers are written short and read back the same", "[core]") {
  CHECK(rs::json_number(0.1) == "0.1");
  CHECK(rs::json_number(-3) == "-3");
  for (const double value : {1.0 / 3, 1e300, -0.0, 123456789.123456789})
    CHECK(std::stod(rs::json_number(value)) == value);
  CHECK(rs::json_number(std::nan("")) == "null");
  CHECK(rs::json_number(std::numeric_limits<double>::infinity()) == "null");
}
