// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <string>

#include <rowsmith/core/json_text.hpp>

namespace rs = rowsmith;

TEST_CASE("texts are escaped as JSON wants them", "[core]") {
  CHECK(rs::json_escape("plain") == "\"plain\"");
  CHECK(rs::json_escape("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(rs::json_escape("line\nend\t") == "\"line\\u000aend\\u0009\"");
  CHECK(rs::json_escape(std::string("\0", 1)) == "\"\\u0000\"");
  CHECK(rs::json_escape("Köln") == "\"Köln\"");
}

TEST_CASE("numbers are written short and read back the same", "[core]") {
  CHECK(rs::json_number(0.1) == "0.1");
  CHECK(rs::json_number(-3) == "-3");
  for (const double value : {1.0 / 3, 1e300, -0.0, 123456789.123456789})
    CHECK(std::stod(rs::json_number(value)) == value);
  CHECK(rs::json_number(std::nan("")) == "null");
  CHECK(rs::json_number(std::numeric_limits<double>::infinity()) == "null");
}
