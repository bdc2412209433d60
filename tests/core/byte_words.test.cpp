// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/byte_words.hpp>

namespace detail = rowsmith::detail;

namespace {
// Bytes that differ from a sought one in one bit, and those at the ends.
const std::string neighbours = std::string("\0\x01\x7F\x80\xFF", 5) + "\",-.\xA2\xAC \x0A\x8A\x0B";

std::string without(std::string text, char c) {
  text.erase(std::remove(text.begin(), text.end(), c), text.end());
  return text;
}
} // namespace

TEST_CASE("words have the bytes of a text, and no others", "[core]") {
  const std::string text = "\x80qwertz\xFFuiop";
  for (std::size_t size = 0; size <= 8; ++size) {
    const std::vector<char> alone(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size));
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < size; ++i)
      expected += std::uint64_t{static_cast<unsigned char>(text[i])} << 8 * i;
    CHECK(detail::byte_word(alone.data(), size) == expected);
    CHECK(detail::byte_word(text.data(), size) == expected);
  }
}

TEST_CASE("a byte is found at each place of texts of any length, whatever is around it", "[core]") {
  for (const char sought : {',', '"', '\0', '\x80'}) {
    const auto others = without(neighbours, sought);
    bool fine = true;
    for (std::size_t size = 0; size <= 64; ++size) {
      std::vector<char> text(size); // a reader beyond its end is seen by a sanitizer
      for (std::size_t i = 0; i < size; ++i)
        text[i] = others[(i * 5 + size) % others.size()];
      fine = fine && detail::places_of(sought, text.data(), size) == 0;
      for (std::size_t at = 0; at < size; ++at) {
        const char before = text[at];
        text[at] = sought;
        fine = fine && detail::places_of(sought, text.data(), size) == std::uint64_t{1} << at;
        text[at] = before;
      }
      std::fill(text.begin(), text.end(), sought);
      const auto all = size == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << size) - 1;
      fine = fine && detail::places_of(sought, text.data(), size) == all;
    }
    CHECK(fine);
  }
}

TEST_CASE("what a text is made of is the same in any pieces", "[core]") {
  for (const std::size_t size : {0U, 1U, 191U, 192U, 193U, 500U}) {
    for (std::size_t at = 0; at < size; at += 7) {
      for (const char c : {'\0', '\n', '\x80', 'x'}) {
        std::string text(size, 'a');
        text[at] = c;
        detail::TextBytes whole;
        whole.add(text);
        detail::TextBytes pieces;
        pieces.add(std::string_view(text).substr(0, size / 3));
        pieces.add(std::string_view(text).substr(size / 3));
        for (const auto& seen : {whole, pieces}) {
          CHECK(seen.zeros == (c == 0));
          CHECK(seen.ascii == (c != '\x80'));
          CHECK(seen.lines == (c == '\n' ? 1 : 0));
        }
      }
    }
    detail::TextBytes seen;
    seen.add(std::string(size, '\n'));
    CHECK(seen.lines == size);
  }
}
