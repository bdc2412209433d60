// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/encoding.hpp>

namespace rs = rowsmith;
using namespace std::string_literals;

namespace {
// A text of characters up to a code point, line feeds among them and no carriage returns.
std::string some_text(rs::RandomSequence& random, std::uint32_t most) {
  std::string text;
  for (int i = 0; i < 50; ++i) {
    std::uint32_t point = random.below(most) + 1;
    if (point == '\r' || (point >= 0xD800 && point < 0xE000))
      point = '\n';
    rs::detail::append_utf8(text, point);
  }
  return text;
}
} // namespace

TEST_CASE("what is encoded is decoded to the same, in any pieces", "[csv]") {
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (const auto encoding : {rs::TextEncoding::utf8, rs::TextEncoding::utf16_le, rs::TextEncoding::utf16_be,
                              rs::TextEncoding::latin1})
    for (const bool carriage_returns : {false, true})
      for (const std::uint32_t most : {0x7FU, 0xFFU, 0xFFFFU, 0x10FFFFU}) {
        if (encoding == rs::TextEncoding::latin1 && most > 0xFF)
          continue;
        CAPTURE(to_string(encoding), carriage_returns, most);
        const auto text = some_text(random, most);
        const rs::detail::TextEncoder encoder(encoding, carriage_returns);
        std::string bytes;
        CHECK(encoder.encode(text, bytes) == rs::detail::TextEncoder::none);
        CHECK(encoder.changes() == (carriage_returns || encoding != rs::TextEncoding::utf8));
        CHECK((!carriage_returns || text.find('\n') == std::string::npos || bytes != text));
        rs::detail::TextDecoder decoder(encoding, carriage_returns);
        std::string back;
        for (std::size_t i = 0; i < bytes.size(); i += 3)
          CHECK(decoder.decode(std::string_view(bytes).substr(i, 3), back) == rs::detail::TextDecoder::none);
        CHECK(back == text);
        CHECK_FALSE(decoder.incomplete());
      }
}

TEST_CASE("texts have the bytes that the encodings say", "[csv]") {
  const auto bytes = [](rs::TextEncoding encoding, std::string_view text, bool carriage_returns = false) {
    std::string result;
    rs::detail::TextEncoder(encoding, carriage_returns).encode(text, result);
    return result;
  };
  // U+00FC, U+20AC, U+1F600
  CHECK(bytes(rs::TextEncoding::latin1, "M\xC3\xBC\n") == "M\xFC\n");
  CHECK(bytes(rs::TextEncoding::latin1, "a\nb", true) == "a\rb");
  CHECK(bytes(rs::TextEncoding::utf8, "a\n\xC3\xBC", true) == "a\r\xC3\xBC");
  CHECK(bytes(rs::TextEncoding::utf16_le, "a\xE2\x82\xAC\xF0\x9F\x98\x80") == "a\0\xAC\x20\x3D\xD8\x00\xDE"s);
  CHECK(bytes(rs::TextEncoding::utf16_be, "a\xE2\x82\xAC\xF0\x9F\x98\x80") == "\0a\x20\xAC\xD8\x3D\xDE\x00"s);
  const auto mark = [](rs::TextEncoding encoding) {
    return rs::detail::TextEncoder(encoding, false).byte_order_mark();
  };
  CHECK(mark(rs::TextEncoding::utf8) == "\xEF\xBB\xBF");
  CHECK(mark(rs::TextEncoding::utf16_le) == "\xFF\xFE");
  CHECK(mark(rs::TextEncoding::utf16_be) == "\xFE\xFF");
  CHECK(mark(rs::TextEncoding::latin1).empty());
}

TEST_CASE("the encoder stops at what an encoding does not have", "[csv]") {
  std::string bytes;
  const rs::detail::TextEncoder latin1(rs::TextEncoding::latin1, false);
  CHECK(latin1.encode("ab\xC3\xBF\xE2\x82\xAC", bytes) == 4);
  CHECK(bytes == "ab\xFF");
  CHECK(latin1.encode("a\xFF", bytes) == 1); // no UTF-8
  CHECK(rs::detail::TextEncoder(rs::TextEncoding::utf16_le, false).encode("\xED\xA0\x80", bytes) == 0);
}
