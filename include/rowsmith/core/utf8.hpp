// SPDX-License-Identifier: MIT
/// \file
/// Texts of unknown encoding where UTF-8 is expected.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// How many bytes the character at the beginning of a text takes; 0 if they are not well-formed UTF-8
/// (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF) or the text is empty.
inline std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty())
    return 0;
  const unsigned first = byte(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || length > text.size())
    return 0;
  // The second byte of these has a narrower range than 80 to BF.
  const unsigned least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < least || byte(1) > most)
    return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF)
      return 0;
  return length;
}

/// The text with each byte that is no part of well-formed UTF-8 written as `\xE9`: readable, and different
/// texts stay different to the eye. Well-formed text is returned as it is.
inline std::string readable_utf8(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length > 0) {
      result.append(text.substr(i, length));
    } else {
      const auto byte = static_cast<unsigned char>(text[i]);
      result.append("\\x") += digits[byte >> 4U];
      result += digits[byte & 15U];
    }
    i += length > 0 ? length : 1;
  }
  return result;
}

ROWSMITH_END
