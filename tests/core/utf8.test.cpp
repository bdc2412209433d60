// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <string>

#include <rowsmith/core/utf8.hpp>

namespace rs = rowsmith;

TEST_CASE("well-formed UTF-8 is told from all else", "[core]") {
  for (const char* text : {"a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CAPTURE(text);
    CHECK(rs::utf8_length(text) == std::string(text).size());
    CHECK(rs::readable_utf8(text) == text);
  }
  // Cut short, overlong, surrogates, above U+10FFFF, a continuation alone.
  for (const char* text : {"", "\x80", "\xbf", "\xc2", "\xc0\x80", "\xc1\xbf", "\xc2\x7f", "\xe0\x9f\xbf",
                           "\xe1\x80", "\xe1\x80\x7f", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    CAPTURE(text);
    CHECK(rs::utf8_length(text) == 0);
  }
  CHECK(rs::readable_utf8("caf\xe9 \xe2\x82\xac \xe2\x82") == "caf\\xE9 \xe2\x82\xac \\xE2\\x82");
}
