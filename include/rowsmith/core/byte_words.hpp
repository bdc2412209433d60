// SPDX-License-Identifier: MIT
/// \file
/// Eight bytes of a text at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Numbers of 4 and 8 bytes whose lowest byte is the first one, on any machine.
inline std::uint32_t half_word(const char* from) noexcept {
  std::uint32_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return std::endian::native == std::endian::little
             ? word
             : (word >> 24U) | ((word >> 8U) & 0xFF00U) | ((word & 0xFF00U) << 8U) | (word << 24U);
}
inline std::uint64_t byte_word(const char* from) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return word;
  } else {
    return half_word(from) | (std::uint64_t{half_word(from + 4)} << 32U);
  }
}
/// The same of fewer bytes, 8 at most: those that are not there are 0. Reads no other.
inline std::uint64_t byte_word(const char* from, std::size_t size) noexcept {
  if (size == 8)
    return byte_word(from);
  if (size >= 4) // the two halves may overlap, in the same bytes
    return half_word(from) | (std::uint64_t{half_word(from + size - 4)} << (8 * (size - 4)));
  if (size == 0)
    return 0;
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  };
  return byte(0) | byte(size / 2) | byte(size - 1);
}

/// Bit i is set where byte i of the word is `c`.
inline std::uint64_t bytes_that_are(std::uint64_t word, char c) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t low = 0x7F7F7F7F7F7F7F7FU;
  const std::uint64_t other = word ^ (ones * static_cast<unsigned char>(c)); // bytes of 0 are sought
  const std::uint64_t zero = ~(((other & low) + low) | other | low);         // their highest bits
  return ((zero >> 7U) * 0x0102040810204080U) >> 56U; // each bit i · 8 comes to 56 + i, and no two to one
}

/// Bit i is set where byte i of a text of 64 bytes at most is `c`. Reads no byte behind the text.
inline std::uint64_t places_of(char c, const char* text, std::size_t size) noexcept {
  std::uint64_t places = 0;
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8)
    places |= bytes_that_are(byte_word(text + at), c) << at;
  if (at < size) {
    const std::size_t left = size - at;
    places |= (bytes_that_are(byte_word(text + at, left), c) & ((std::uint64_t{1} << left) - 1)) << at;
  }
  return places;
}

/// What a text is made of.
struct TextBytes {
  bool ascii = true; ///< no byte is above 127
  bool zeros = false;
  std::size_t lines = 0; ///< line feeds

  /// Takes more of it.
  void add(std::string_view text) noexcept {
    // As many bytes as counters of a byte can count, in a loop that compilers make vectors of.
    constexpr std::size_t block = 192;
    for (; text.size() >= block; text.remove_prefix(block))
      add_block<block>(text.data(), block);
    add_block<0>(text.data(), text.size());
  }

private:
  /// \param count  `fixed`, unless that is 0; 255 at most
  template <std::size_t fixed>
  void add_block(const char* text, std::size_t count) noexcept {
    unsigned char all = 0;
    unsigned char zero = 0;
    unsigned char feeds = 0;
    for (std::size_t i = 0; i < (fixed > 0 ? fixed : count); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      all = static_cast<unsigned char>(all | byte);
      zero = static_cast<unsigned char>(zero | (byte == 0 ? 1U : 0U));
      feeds = static_cast<unsigned char>(feeds + (byte == '\n' ? 1U : 0U));
    }
    ascii = ascii && all < 0x80;
    zeros = zeros || zero != 0;
    lines += feeds;
  }
};

} // namespace detail
ROWSMITH_END
