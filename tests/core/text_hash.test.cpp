// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <rowsmith/core/text_hash.hpp>

namespace detail = rowsmith::detail;

TEST_CASE("hashes tell texts apart, and low bits do so, too", "[core]") {
  std::set<std::uint32_t> hashes;
  std::set<std::uint32_t> low;
  for (int i = 0; i < 4096; ++i) {
    const auto text = "row " + std::to_string(i);
    hashes.insert(detail::text_hash(text));
    low.insert(detail::text_hash(text) & 4095U);
  }
  CHECK(hashes.size() > 4090);
  CHECK(low.size() > 2400); // of evenly drawn ones 4096 · (1 − 1/e) are different
  CHECK(detail::text_hash("a") != detail::text_hash("a", 1));
  CHECK(detail::text_hash(std::string("\0", 1)) != detail::text_hash(""));
  CHECK(detail::text_hash("12345678") != detail::text_hash(std::string("12345678\0", 9)));
}

TEST_CASE("a hash is of the text's own bytes, whatever stands behind it", "[core]") {
  const std::string text = "0123456789abcdefghij";
  std::set<std::uint32_t> hashes;
  for (std::size_t size = 0; size <= 16; ++size) {
    const std::string_view part(text.data(), size);
    CHECK(detail::text_hash(part) == detail::text_hash(std::string(part)));
    hashes.insert(detail::text_hash(part));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other(part);
      other[at] = 'x';
      hashes.insert(detail::text_hash(other));
    }
  }
  CHECK(hashes.size() == 17 + 16 * 17 / 2);
}

TEST_CASE("an index finds what was put into it, whatever the hashes", "[core]") {
  for (const std::uint32_t kinds : {1U, 3U, 0xFFFFFFFFU}) { // of hashes
    detail::HashIndex index;
    std::vector<std::uint32_t> keys;
    const auto find = [&](std::uint32_t key) {
      return index.find(key % kinds, [&](std::uint32_t entry) { return keys[entry] == key; });
    };
    CHECK(find(0) == detail::HashIndex::none);
    for (std::uint32_t key = 0; key < 300; ++key) {
      CHECK(find(key * 7) == detail::HashIndex::none);
      keys.push_back(key * 7);
      index.insert(key * 7 % kinds, key);
      CHECK(find(key * 7) == key);
    }
    for (std::uint32_t key = 0; key < 300; ++key)
      CHECK(find(key * 7) == key);

    index.clear();
    CHECK(find(7) == detail::HashIndex::none);
    keys.clear();
    std::uint32_t made = 0;
    for (std::uint32_t i = 0; i < 900; ++i) {
      const std::uint32_t key = i * 5 % 300;
      const auto entry = index.find_or_add(
          key % kinds, [&](std::uint32_t known) { return keys[known] == key; },
          [&] {
            keys.push_back(key);
            return made++;
          });
      CHECK(keys[entry] == key);
    }
    CHECK(made == 60); // multiples of 5 below 300
  }
}
