// SPDX-License-Identifier: MIT
/// \file
/// What a column of a file means, and how its cells are written.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/table/date_text.hpp>

ROWSMITH_BEGIN

/// What a column is for a model.
enum class ColumnRole {
  integer,    ///< whole numbers
  real,       ///< numbers
  category,   ///< texts of a finite set, which generated rows repeat
  date,       ///< dates and times, learnt as numbers
  identifier, ///< keys: made anew for generated rows, never learnt
  text,       ///< free texts: a placeholder stands for them in generated rows
  dropped     ///< not read
};
inline constexpr std::array<std::string_view, 7> column_role_names{"integer",    "real", "category", "date",
                                                                   "identifier", "text", "dropped"};
inline std::string_view to_string(ColumnRole role) {
  return column_role_names[static_cast<std::size_t>(role)];
}

/// How a number is written beside its digits, such as `$1,234.50` or `(3,5 %)`.
struct NumberMarks {
  std::string prefix{};
  std::string suffix{};
  char decimal = '.';
  char thousands = 0;      ///< between groups of three digits; 0: none
  bool brackets = false;   ///< around negative numbers, in place of a sign
  bool scientific = false; ///< with an exponent
  int digits = 0;          ///< of scientific ones: behind the point
  bool operator==(const NumberMarks&) const = default;
};

/// A column of a file: what it means and how it is written.
struct ColumnFormat {
  std::string name{};
  ColumnRole role = ColumnRole::category;
  NumberMarks marks{};    ///< of integer and real
  DatePattern pattern{};  ///< of date: see `DatePattern`; of identifier: see `append_identifier`
  std::int64_t first = 0; ///< of an identifier that counts: where rows begin
  /// Of whole numbers with more digits than a double holds: cells of a table are their distances from it. 0:
  /// cells are the numbers themselves.
  WholeNumber origin{};
  bool quoted = false;   ///< every cell stands in quotes
  std::string missing{}; ///< what is written for a missing cell
  bool missing_quoted = false;
  std::vector<std::string> missing_words{}; ///< other texts that are missing values in this column
  bool operator==(const ColumnFormat&) const = default;
};

namespace detail {

/// The digits of a text without its marks, in `text` or in `scratch`: with a point, and without a sign.
struct UnmarkedDigits {
  std::string_view digits{};
  bool negative = false;
};
/// Nothing for a text with other marks; what are no digits may be left.
inline std::optional<UnmarkedDigits> without_marks(std::string_view text, const NumberMarks& marks,
                                                   std::string& scratch) {
  bool negative = false;
  if (marks.brackets && text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = text.substr(1, text.size() - 2);
  }
  const auto sign = [&] {
    if (!text.empty() && (text.front() == '-' || text.front() == '+') && !negative) {
      negative = text.front() == '-';
      text.remove_prefix(1);
      return true;
    }
    return false;
  };
  const bool signed_before = sign();
  if (!marks.prefix.empty()) {
    if (!text.starts_with(marks.prefix))
      return std::nullopt;
    text.remove_prefix(marks.prefix.size());
    if (!signed_before)
      sign();
  }
  if (!marks.suffix.empty()) {
    if (!text.ends_with(marks.suffix))
      return std::nullopt;
    text.remove_suffix(marks.suffix.size());
  }
  if (text.empty() || text.front() == '-' || text.front() == '+')
    return std::nullopt;
  if (marks.decimal == '.' && marks.thousands == 0 && text.find(',') == std::string_view::npos)
    return UnmarkedDigits{text, negative};
  // A column whose numbers were small so far may have marks of thousands in another file.
  const char thousands = marks.thousands != 0 ? marks.thousands : marks.decimal == ',' ? '.' : ',';
  scratch.clear();
  std::size_t group = 0; // digits since the last mark of thousands
  bool grouped = false;
  bool whole = true;
  for (const char c : text) {
    if (whole && c == thousands) {
      if (grouped ? group != 3 : group == 0 || group > 3)
        return std::nullopt;
      grouped = true;
      group = 0;
    } else if (whole && c == marks.decimal) {
      whole = false;
      if (grouped && group != 3)
        return std::nullopt;
      scratch += '.';
    } else if (c == '.' || c == ',') {
      return std::nullopt;
    } else {
      group += whole ? 1U : 0U;
      scratch += c;
    }
  }
  if (whole && grouped && group != 3)
    return std::nullopt;
  return UnmarkedDigits{scratch, negative};
}

/// \param digits  of the magnitude, with a point
inline void append_with_marks(std::string& to, std::string digits, bool negative, const NumberMarks& marks) {
  const std::size_t point = std::min(digits.find_first_of(".e"), digits.size()); // before there are thousands
  if (marks.thousands != 0)
    for (std::size_t at = point; at > 3; at -= 3)
      digits.insert(at - 3, 1, marks.thousands);
  if (marks.decimal != '.' && point < digits.size())
    if (const auto at = digits.rfind('.'); at != std::string::npos) // the last: points may part thousands
      digits[at] = marks.decimal;
  if (negative)
    to += marks.brackets ? '(' : '-';
  to.append(marks.prefix).append(digits).append(marks.suffix);
  if (negative && marks.brackets)
    to += ')';
}

} // namespace detail

/// The number that a text with marks denotes; nothing for any other.
inline std::optional<double> parse_marked(std::string_view text, const NumberMarks& marks,
                                          std::string& scratch) {
  const auto unmarked = detail::without_marks(text, marks, scratch);
  const auto number = unmarked ? parse_number(unmarked->digits) : std::nullopt;
  return number ? std::optional(unmarked->negative ? -*number : *number) : std::nullopt;
}

/// The whole number that a text with marks denotes, to the last digit; nothing for any other.
inline std::optional<WholeNumber> parse_marked_whole(std::string_view text, const NumberMarks& marks,
                                                     std::string& scratch) {
  const auto unmarked = detail::without_marks(text, marks, scratch);
  auto number = unmarked ? parse_whole(unmarked->digits) : std::nullopt;
  if (number)
    number->negative = unmarked->negative && number->magnitude != 0;
  return number;
}

/// Appends a number with its marks. \param decimals  as `Column::decimals`
inline void append_marked(std::string& to, double number, int decimals, const NumberMarks& marks) {
  std::string digits;
  if (marks.scientific) {
    std::array<char, 512> text; // NOLINT: filled by to_chars
    const auto result = std::to_chars(text.data(), text.data() + text.size(), std::abs(number),
                                      std::chars_format::scientific, marks.digits);
    digits.assign(text.data(), result.ptr);
  } else {
    // Far beyond 2^53 there are no decimals, and hundreds of digits would say nothing.
    append_number(digits, std::abs(number),
                  std::abs(number) < 0x1p60 || marks.thousands != 0 ? decimals : -1);
  }
  const bool zero = digits.find_first_of("123456789") == std::string::npos; // it has no sign
  detail::append_with_marks(to, std::move(digits), std::signbit(number) && !zero, marks);
}

/// What a text of a column denotes as a number of a table; nothing for a text that the format has no place
/// for.
inline std::optional<double> parse_formatted(std::string_view text, const ColumnFormat& format,
                                             std::string& scratch) {
  if (format.role == ColumnRole::date)
    return parse_date(text, format.pattern);
  if (format.origin == WholeNumber{})
    return parse_marked(text, format.marks, scratch);
  const auto whole = parse_marked_whole(text, format.marks, scratch);
  return whole ? distance(*whole, format.origin) : std::nullopt;
}

/// The same for what a person types: as the file has it, or a plain number or an ISO date; a date alone is
/// the midnight that it begins with.
inline std::optional<double> parse_typed(std::string_view text, const ColumnFormat& format) {
  std::string scratch;
  if (const auto number = parse_formatted(text, format, scratch))
    return number;
  if (format.role != ColumnRole::date) {
    auto plain = format;
    plain.marks = {};
    return parse_formatted(text, plain, scratch);
  }
  const auto day = parse_date(text, "YYYY-MM-DD");
  if (counts_days(format.pattern))
    return day;
  if (day && detail::has(format.pattern, 'Y'))
    return 86'400 * *day;
  for (const char* pattern : {"YYYY-MM-DDThh:mm:ss", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DDThh:mm",
                              "YYYY-MM-DD hh:mm", "hh:mm:ss", "hh:mm"})
    if (detail::has(pattern, 'Y') == detail::has(format.pattern, 'Y'))
      if (const auto time = parse_date(text, pattern))
        return time;
  return std::nullopt;
}

/// Appends a number of a table as the column of a file has it: a date, or a number with its marks.
/// \param decimals  as `Column::decimals`
inline void append_formatted(std::string& to, double number, int decimals, const ColumnFormat& format) {
  if (format.role == ColumnRole::date)
    return append_date(to, number, format.pattern);
  if (format.origin == WholeNumber{})
    return append_marked(to, number, decimals, format.marks);
  const auto whole = at_distance(format.origin, std::clamp(std::round(number), -0x1p53, 0x1p53));
  detail::append_with_marks(to, std::to_string(whole.magnitude), whole.negative, format.marks);
}

namespace detail {
/// How many different characters a place of a pattern can take; 1 for a fixed one.
constexpr std::string_view key_characters(char place) noexcept {
  switch (place) {
  case '9':
    return "0123456789";
  case 'A':
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  case 'a':
    return "abcdefghijklmnopqrstuvwxyz";
  case 'h':
    return "0123456789abcdef";
  default:
    return {};
  }
}
inline constexpr std::string_view uuid_pattern = "hhhhhhhh-hhhh-\\4hhh-\\8hhh-hhhhhhhhhhhh"; // of version 4
} // namespace detail

/// How many different keys the first places of a pattern make, as many of them as keep it at most `most`.
inline std::uint64_t identifier_room(std::string_view pattern,
                                     std::uint64_t most = std::uint64_t{1} << 62U) noexcept {
  std::uint64_t room = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
      continue;
    }
    const auto size = std::max<std::uint64_t>(detail::key_characters(pattern[i]).size(), 1);
    if (room > most / size)
      break;
    room *= size;
  }
  return room;
}

/// Appends the key of row `row`: different for different rows, as long as the pattern has room. Of the
/// pattern `#`: `first` + row. Of `uuid`: one of version 4. Otherwise `9` stands for a digit, `A` and `a` for
/// a capital and a small letter, `h` for a hexadecimal digit, a backslash for the character behind it, and
/// all else for itself.
inline void append_identifier(std::string& to, const ColumnFormat& format, std::uint64_t row,
                              std::uint64_t seed) {
  if (format.pattern == "#") {
    to += std::to_string(static_cast<std::int64_t>(static_cast<std::uint64_t>(format.first) + row));
    return;
  }
  const std::string_view pattern =
      format.pattern == "uuid" ? detail::uuid_pattern : std::string_view(format.pattern);
  // Rows are spread over the keys of the first places by x -> factor · x + offset, which takes each once, as
  // the factor shares no divisor with 10, 16 and 26; places beyond 2^32 keys are filled by chance.
  std::uint64_t room = identifier_room(pattern, std::uint64_t{1} << 32U);
  RandomSequence random(RandomStream(seed, Purpose::identifier));
  std::uint64_t factor = room == 1 ? 1 : random.bits() % room;
  while (factor % 2 == 0 || factor % 5 == 0 || factor % 13 == 0)
    ++factor;
  std::uint64_t key = (factor * (row % room) + random.bits()) % room;
  RandomSequence rest(RandomStream(seed, Purpose::identifier_rest), row * 64);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      to += i + 1 < pattern.size() ? pattern[++i] : '\\';
      continue;
    }
    const auto characters = detail::key_characters(pattern[i]);
    if (characters.empty()) {
      to += pattern[i];
      continue;
    }
    const std::uint64_t size = characters.size();
    if (room >= size) {
      to += characters[static_cast<std::size_t>(key % size)];
      key /= size;
      room /= size;
    } else {
      room = 1;
      to += characters[rest.below(static_cast<std::uint32_t>(size))];
    }
  }
}

ROWSMITH_END
