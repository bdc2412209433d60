// SPDX-License-Identifier: MIT
/// \file
/// What stands in a column of numbers beside their digits: marks, and words for missing ones.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/text_column.hpp>

ROWSMITH_BEGIN
namespace detail {

/// Words that stand for missing numbers and dates.
inline constexpr std::array<std::string_view, 18> missing_words{
    "NaN", "nan",  "NAN", "null", "NULL", "Null", "None", "none",    "N/A",
    "n/a", "#N/A", "\\N", "-",    "--",   ".",    "inf",  "#DIV/0!", "#VALUE!"};
inline bool is_infinity(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+'))
    text.remove_prefix(1);
  return text == "Infinity" || text == "infinity" || text == "inf" || text == "Inf" || text == "INF" ||
         text == "\xE2\x88\x9E";
}
inline bool is_missing_word(std::string_view text) {
  return is_infinity(text) ||
         std::find(missing_words.begin(), missing_words.end(), text) != missing_words.end();
}
inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Finds out how the numbers of a column are written.
class MarksFinder {
public:
  /// \param texts  must outlive it
  explicit MarksFinder(std::span<const TextColumn::Text> texts) noexcept : texts_(texts) {}

  /// Marks that stand beside the digits of most texts.
  NumberMarks find() const {
    NumberMarks marks;
    std::map<std::pair<std::string, std::string>, std::size_t> ends;
    bool scientific = false;
    std::size_t looked = 0;
    for (const auto& text : texts_) {
      std::string_view body = text.text;
      if (body.empty() || is_missing_word(body) || body.find_first_of("0123456789") == std::string_view::npos)
        continue;
      if (body.size() > 2 && body.front() == '(' && body.back() == ')') {
        marks.brackets = true;
        body = body.substr(1, body.size() - 2);
      }
      std::size_t begin = 0;
      while (begin < body.size() && !is_digit(body[begin]) &&
             !(body[begin] == '.' && begin + 1 < body.size() && is_digit(body[begin + 1])))
        ++begin;
      std::size_t end = body.size();
      while (end > begin && !is_digit(body[end - 1]))
        --end;
      if (end < body.size() && body[end] == '.' && end + 1 == body.size())
        ++end; // "5."
      std::string prefix(body.substr(0, begin));
      std::erase_if(prefix, [](char c) { return c == '-' || c == '+'; });
      ++ends[{prefix, std::string(body.substr(end))}];
      scientific =
          scientific || body.substr(begin, end - begin).find_first_of("eE") != std::string_view::npos;
      if (++looked == 1000)
        break;
    }
    std::size_t most = 0;
    for (const auto& [pair, count] : ends)
      if (count > most) {
        most = count;
        marks.prefix = pair.first;
        marks.suffix = pair.second;
      }
    separators(marks);
    if (scientific)
      exponents(marks);
    return marks;
  }
  /// Is that a mark, such as $ or km? \param before  the digits
  static bool is_mark(std::string_view mark, bool before) {
    while (!mark.empty() && mark.front() == ' ')
      mark.remove_prefix(1);
    while (!mark.empty() && mark.back() == ' ')
      mark.remove_suffix(1);
    const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
    if (std::none_of(mark.begin(), mark.end(), is_letter))
      return mark.size() <= 4 && mark.find_first_of("-_/:") == std::string_view::npos;
    static constexpr std::array<std::string_view, 30> currencies{
        "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "NZD",
        "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "KRW",
        "TRY", "RUB", "Rs",  "Rs.", "kr",  "R$",  "US$", "A$",  "C$",  "zl"};
    if (std::find(currencies.begin(), currencies.end(), mark) != currencies.end())
      return true;
    return !before && mark.size() <= 6;
  }

private:
  /// Which of point and comma is for decimals, and which for thousands.
  void separators(NumberMarks& marks) const {
    std::size_t comma_decimal = 0; // texts that only make sense so
    std::size_t comma_thousands = 0;
    std::size_t point_thousands = 0;
    std::size_t commas = 0;
    std::size_t points = 0;
    for (const auto& text : texts_) {
      const auto comma = text.text.find(',');
      const auto point = text.text.find('.');
      const bool has_comma = comma != std::string_view::npos;
      const bool has_point = point != std::string_view::npos;
      commas += has_comma ? text.rows : 0;
      points += has_point ? text.rows : 0;
      if (has_comma && has_point) {
        (text.text.rfind(',') > text.text.rfind('.') ? comma_decimal : comma_thousands) += text.rows;
        if (text.text.rfind(',') > text.text.rfind('.'))
          point_thousands += text.rows;
        continue;
      }
      if (has_comma) {
        std::size_t digits = 0;
        for (std::size_t i = text.text.rfind(',') + 1; i < text.text.size() && is_digit(text.text[i]); ++i)
          ++digits;
        if (digits != 3)
          comma_decimal += text.rows;
        else if (text.text.find(',', comma + 1) != std::string_view::npos)
          comma_thousands += text.rows;
        std::size_t before = 0;
        for (std::size_t i = comma; i-- > 0 && is_digit(text.text[i]);)
          ++before;
        if (before > 3 || (before == 1 && text.text[comma - 1] == '0'))
          comma_decimal += text.rows;
      } else if (has_point && text.text.find('.', point + 1) != std::string_view::npos) {
        point_thousands += text.rows;
      }
    }
    if (commas > 0 && comma_decimal > 0 && comma_thousands == 0) {
      marks.decimal = ',';
      marks.thousands = point_thousands > 0 ? '.' : static_cast<char>(0);
    } else if (commas > 0) {
      marks.thousands = ',';
    } else if (point_thousands > 0 && points > 0) {
      marks.decimal = ',';
      marks.thousands = '.';
    }
  }
  /// Whether most numbers are written with an exponent, and with how many digits.
  void exponents(NumberMarks& marks) const {
    std::size_t with = 0;
    std::size_t all = 0;
    for (const auto& text : texts_) {
      const auto e = text.text.find_first_of("eE");
      all += text.rows;
      if (e == std::string_view::npos)
        continue;
      with += text.rows;
      const auto point = text.text.find('.');
      if (point < e)
        marks.digits = std::max(marks.digits, static_cast<int>(e - point) - 1);
    }
    marks.scientific = 2 * with > all;
    marks.digits = std::min(marks.digits, 17);
  }

  std::span<const TextColumn::Text> texts_;
};

} // namespace detail
ROWSMITH_END
