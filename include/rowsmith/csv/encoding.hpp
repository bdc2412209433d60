// SPDX-License-Identifier: MIT
/// \file
/// Texts in other encodings than UTF-8, and lines that end in a carriage return alone; from files and to
/// them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/utf8.hpp>

ROWSMITH_BEGIN

/// How the characters of a file are written down.
enum class TextEncoding { utf8, utf16_le, utf16_be, latin1 };

inline constexpr std::array<std::string_view, 4> text_encoding_names{"utf-8", "utf-16le", "utf-16be",
                                                                     "latin-1"};
inline std::string_view to_string(TextEncoding encoding) {
  return text_encoding_names[static_cast<std::size_t>(encoding)];
}
/// \throws OptionError naming those that there are
inline TextEncoding text_encoding_from(std::string_view name) {
  for (std::size_t k = 0; k < text_encoding_names.size(); ++k)
    if (text_encoding_names[k] == name)
      return static_cast<TextEncoding>(k);
  throw OptionError("csv.encoding = " + detail::in_quotes(name) +
                    ": expected utf-8, utf-16le, utf-16be or latin-1");
}

namespace detail {

inline void append_utf8(std::string& to, std::uint32_t point) {
  const auto put = [&to](std::uint32_t byte) { to += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0U | (point >> 6U));
    put(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    put(0xE0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  } else {
    put(0xF0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3FU));
    put(0x80U | ((point >> 6U) & 0x3FU));
    put(0x80U | (point & 0x3FU));
  }
}

/// Turns the bytes of a file, piece by piece, into UTF-8 with line feeds. What is no text of the encoding is
/// told by the number of its byte.
class TextDecoder {
public:
  TextDecoder(TextEncoding encoding, bool carriage_returns)
      : encoding_(encoding), carriage_returns_(carriage_returns) {}

  /// Does it change anything? Otherwise bytes can be taken as they are.
  bool changes() const noexcept { return encoding_ != TextEncoding::utf8 || carriage_returns_; }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  /// Appends what `bytes` say. \returns the place in the file, from 0, of a byte that is no part of a text;
  /// `none` if all are
  std::size_t decode(std::string_view bytes, std::string& to) {
    std::size_t wrong = none;
    const auto put = [&](std::uint32_t point) {
      append_utf8(to, carriage_returns_ && point == '\r' ? '\n' : point);
    };
    for (const char c : bytes) {
      const auto byte = static_cast<unsigned char>(c);
      ++at_;
      switch (encoding_) {
      case TextEncoding::utf8:
        to += carriage_returns_ && c == '\r' ? '\n' : c;
        continue;
      case TextEncoding::latin1:
        put(byte);
        continue;
      case TextEncoding::utf16_le:
      case TextEncoding::utf16_be:
        break;
      }
      if (!half_) {
        half_ = true;
        first_ = byte;
        continue;
      }
      half_ = false;
      const std::uint32_t unit = encoding_ == TextEncoding::utf16_le ? first_ | (std::uint32_t{byte} << 8U)
                                                                     : (std::uint32_t{first_} << 8U) | byte;
      const bool high = unit >= 0xD800 && unit < 0xDC00;
      const bool low = unit >= 0xDC00 && unit < 0xE000;
      if (low != (surrogate_ != 0) && wrong == none)
        wrong = at_ - 2;
      if (low && surrogate_ != 0)
        put(0x10000 + ((surrogate_ - 0xD800) << 10U) + (unit - 0xDC00));
      else if (!high && !low)
        put(unit);
      surrogate_ = high ? unit : 0;
    }
    return wrong;
  }
  /// Is a character begun that the file does not end?
  bool incomplete() const noexcept { return half_ || surrogate_ != 0; }

private:
  TextEncoding encoding_;
  bool carriage_returns_;
  std::size_t at_ = 0;
  bool half_ = false;
  unsigned char first_ = 0;
  std::uint32_t surrogate_ = 0;
};

/// Turns UTF-8 with line feeds into the bytes of a file: what `TextDecoder` turns back.
class TextEncoder {
public:
  TextEncoder() = default;
  TextEncoder(TextEncoding encoding, bool carriage_returns)
      : encoding_(encoding), carriage_returns_(carriage_returns) {}

  /// Does it change anything? Otherwise texts can be taken as they are.
  bool changes() const noexcept { return encoding_ != TextEncoding::utf8 || carriage_returns_; }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  /// Appends a text. \returns the place in it of the first character that the encoding does not have, or of a
  /// byte that is no UTF-8, where it stops; `none` if there is no such
  std::size_t encode(std::string_view text, std::string& to) const {
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = encoding_ == TextEncoding::utf8 ? 1 : utf8_length(text.substr(i));
      const std::uint32_t point = length == 0 ? none_such : code_point(text.substr(i, length));
      if (point > (encoding_ == TextEncoding::latin1 ? 0xFFU : 0x10FFFFU))
        return i;
      put(carriage_returns_ && point == '\n' ? '\r' : point, to);
      i += length;
    }
    return none;
  }
  /// What a file begins with that says so; nothing for an encoding without a mark.
  std::string byte_order_mark() const {
    std::string mark;
    if (encoding_ == TextEncoding::utf8)
      append_utf8(mark, 0xFEFF);
    else if (encoding_ != TextEncoding::latin1)
      put(0xFEFF, mark);
    return mark;
  }

private:
  static constexpr std::uint32_t none_such = 0xFFFFFFFFU;

  /// \param character  well-formed, or a byte
  static std::uint32_t code_point(std::string_view character) noexcept {
    const auto lead = static_cast<unsigned char>(character[0]);
    if (character.size() == 1)
      return lead;
    std::uint32_t point = lead & (0x7FU >> character.size());
    for (const char c : character.substr(1))
      point = point << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    return point;
  }
  void put(std::uint32_t point, std::string& to) const {
    if (encoding_ == TextEncoding::utf8 || encoding_ == TextEncoding::latin1)
      to += static_cast<char>(point);
    else if (point < 0x10000)
      put_unit(point, to);
    else {
      put_unit(0xD800 + ((point - 0x10000) >> 10U), to);
      put_unit(0xDC00 + ((point - 0x10000) & 0x3FFU), to);
    }
  }
  void put_unit(std::uint32_t unit, std::string& to) const {
    const bool low_first = encoding_ == TextEncoding::utf16_le;
    to += static_cast<char>(low_first ? unit & 0xFFU : unit >> 8U);
    to += static_cast<char>(low_first ? unit >> 8U : unit & 0xFFU);
  }

  TextEncoding encoding_ = TextEncoding::utf8;
  bool carriage_returns_ = false;
};

/// Is a text, which has a byte at least, the beginning of a character whose end is cut off?
inline bool is_cut_utf8(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (text.size() >= length)
    return false;
  for (std::size_t i = 1; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U)
      return false;
  return true;
}

/// The place of the first byte that is no UTF-8; npos if all is. A character that the end cuts off is fine.
inline std::size_t first_not_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0)
      return is_cut_utf8(text.substr(i)) ? std::string_view::npos : i;
    i += length;
  }
  return std::string_view::npos;
}

} // namespace detail
ROWSMITH_END
