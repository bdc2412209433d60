// SPDX-License-Identifier: MIT
/// \file
/// Finds out what a column's texts mean, from all of its rows.
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/whole_number.hpp>
#include <rowsmith/table/column_format.hpp>
#include <rowsmith/table/number_marks.hpp>
#include <rowsmith/table/text_column.hpp>

ROWSMITH_BEGIN

/// How `infer_format` decides.
struct RoleOptions {
  /// Unquoted fields with one of these texts are missing values in any column.
  std::vector<std::string> missing{"?", "", "NA"};
  /// Are 03/04 the third of April? Empty: by the column's other rows, else the fourth of March with slashes
  /// and the third of April with points and hyphens.
  std::optional<bool> day_first{};
  /// A text column of which this share of the rows has a text of its own is a free text or a key, not a
  /// category; (0, 1].
  double unique_share = 0.5;
};

/// What was found out about a column.
struct FoundFormat {
  ColumnFormat format{};
  std::size_t missing_rows = 0;
  std::size_t distinct = 0;            ///< texts that are no missing values
  std::size_t rounded = 0;             ///< numbers with more digits than the column is written with
  std::vector<std::string> notes{};    ///< what a reader should know, one sentence each
  std::vector<std::string> warnings{}; ///< what is likely wrong
  WholeNumber least{};                 ///< of a column with a `ColumnFormat::origin`
  WholeNumber most{};
};

namespace detail {

/// Where cells are counted from that lie between two numbers less than 2^53 apart: below the least, with as
/// many zeros at its end as the distances leave room for, so that it is no cell's number.
inline WholeNumber origin_below(const WholeNumber& least, const WholeNumber& most) {
  const double range = *distance(most, least);
  for (double unit = std::pow(10.0, std::floor(std::log10(std::max(range, 10.0)))); unit > 1; unit /= 10) {
    const auto whole = static_cast<std::uint64_t>(unit);
    const std::uint64_t rest = least.magnitude % whole;
    const std::uint64_t down = least.negative ? whole - rest : rest == 0 ? whole : rest;
    const WholeNumber origin = at_distance(least, -static_cast<double>(down));
    if (origin.magnitude % whole == 0 && distance(most, origin))
      return origin;
  }
  return least;
}

/// Looks at one column.
class RoleFinder {
public:
  RoleFinder(const TextColumn& column, std::string name, const RoleOptions& options, std::size_t all_rows,
             std::size_t all_distinct)
      : options_(options), all_distinct_(all_distinct) {
    found_.format.name = std::move(name);
    std::size_t quoted = 0;
    std::size_t rows = 0;
    // Namibia is no missing value among the codes of other countries.
    std::size_t codes = 0;
    std::size_t others = 0;
    for (std::size_t code = 0; code < column.size(); ++code) {
      const auto text = column[code].text;
      const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
      if (!text.empty() && text != "NA")
        ++(text.size() == 2 && capital(text[0]) && capital(text[1]) ? codes : others);
    }
    const bool countries = codes >= 5 && codes >= 4 * others;
    std::vector<Text> marks;
    texts_.reserve(column.size());
    for (std::size_t code = 0; code < column.size(); ++code) {
      const auto text = column[code];
      rows += text.rows;
      quoted += text.quoted ? text.rows : 0;
      const bool marked =
          !text.quoted && !(countries && text.text == "NA") &&
          std::find(options.missing.begin(), options.missing.end(), text.text) != options.missing.end();
      if (marked) {
        note_missing(text);
        marks.push_back(text);
      } else {
        texts_.push_back(text);
      }
    }
    for (const auto& mark : marks) // but for the one that is written
      if (mark.text != found_.format.missing)
        found_.format.missing_words.emplace_back(mark.text);
    found_.format.quoted = rows > 0 && quoted == rows;
    for (const auto& text : texts_)
      present_ += text.rows;
    left_out_ = all_rows > rows ? all_rows - rows : 0;
    if (rows > 0)
      times_ = static_cast<double>(rows + left_out_) / static_cast<double>(rows);
  }

  /// \param category  it is one, whatever it looks like
  FoundFormat find(bool category) {
    if (category)
      found_.format.role = ColumnRole::category;
    else if (!texts_.empty() && !dates() && !numbers())
      words();
    found_.distinct = distinct();
    if (left_out_ > 0) { // those of all rows, but for words that stand for missing values
      const std::size_t words = found_.format.missing_words.size() + (found_.missing_rows > 0 ? 1U : 0U);
      found_.distinct = std::max(found_.distinct, all_distinct_ - std::min(all_distinct_, words));
    }
    return std::move(found_);
  }

private:
  using Text = TextColumn::Text;

  void note_missing(const Text& text) {
    // The mark that most rows have is written for all.
    if (text.rows > most_missing_) {
      most_missing_ = text.rows;
      found_.format.missing = text.text;
      found_.format.missing_quoted = text.quoted;
    }
    found_.missing_rows += text.rows;
  }
  /// Texts with and without quotes are one.
  std::size_t distinct() const {
    const auto quoted =
        std::count_if(texts_.begin(), texts_.end(), [](const Text& text) { return text.quoted; });
    if (quoted == 0 || static_cast<std::size_t>(quoted) == texts_.size())
      return texts_.size();
    std::set<std::string_view> different;
    for (const auto& text : texts_)
      different.insert(text.text);
    return different.size();
  }
  std::string where(const Text& text) const {
    return in_quotes(std::string(text.text)) + " (line " + std::to_string(text.first_line) + ")";
  }

  /// Parts texts into those that `fits` and words for missing values; too many others: false.
  template <class Fits>
  bool mostly(const Fits& fits, std::vector<Text>& words, std::vector<Text>& others) const {
    words.clear();
    others.clear();
    std::size_t good = 0;
    for (const auto& text : texts_) {
      if (fits(text.text))
        good += text.rows;
      else if (text.text.empty() || is_missing_word(text.text))
        words.push_back(text);
      else
        others.push_back(text);
    }
    return good > 0 && others.empty();
  }
  void take_missing(const std::vector<Text>& words) {
    std::size_t rows = 0;
    for (const auto& text : words) {
      rows += text.rows;
      note_missing(text);
      if (!text.text.empty() || text.quoted)
        found_.format.missing_words.emplace_back(text.text);
    }
    if (words.empty())
      return;
    std::string names;
    for (std::size_t i = 0; i < std::min<std::size_t>(words.size(), 4); ++i)
      names += (i == 0 ? "" : ", ") + where(words[i]);
    found_.notes.push_back(std::to_string(rows) + (rows == 1 ? " cell" : " cells") +
                           " without a number taken as missing: " + names);
    const auto is_word = [&](const Text& text) {
      return std::any_of(words.begin(), words.end(), [&](const Text& word) {
        return word.text.data() == text.text.data() && word.quoted == text.quoted &&
               word.text.size() == text.text.size();
      });
    };
    std::erase_if(texts_, is_word);
    present_ -= rows;
  }

  bool dates() {
    if (!has_date_shape(texts_.front().text) && texts_.size() < 2)
      return false;
    static const std::vector<std::string> days{
        "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "DD.MM.YYYY", "D.M.YYYY", "DD-MM-YYYY", "MM-DD-YYYY",
        "DD/MM/YYYY", "MM/DD/YYYY", "D/M/YYYY",   "M/D/YYYY",   "D.M.YY",   "D/M/YY",     "M/D/YY"};
    static const std::vector<std::string> times{
        "",          " hh:mm",     " hh:mm:ss",   " h:mm",       " h:mm:ss",    "Thh:mm",
        "Thh:mm:ss", "Thh:mm:ssZ", " hh:mm:ss.f", "Thh:mm:ss.f", "Thh:mm:ss.fZ"};
    std::vector<std::string> patterns;
    for (const auto& day : days)
      for (const auto& time : times)
        patterns.push_back(day + time);
    patterns.insert(patterns.end(), {"hh:mm", "hh:mm:ss", "h:mm", "h:mm:ss"});
    // By a few texts first: nearly all patterns are out then.
    std::vector<std::string> fitting;
    for (auto pattern : patterns) {
      if (const auto f = pattern.find('f'); f != std::string::npos) {
        std::size_t digits = 0;
        for (const auto& text : texts_)
          if (const auto point = text.text.rfind('.'); point != std::string_view::npos && digits == 0)
            while (point + 1 + digits < text.text.size() && is_digit(text.text[point + 1 + digits]))
              ++digits;
        if (digits == 0 || digits > 9)
          continue;
        pattern.replace(f, 1, std::string(digits, 'f'));
      }
      std::size_t seen = 0;
      bool fits = true;
      for (const auto& text : texts_) {
        if (text.text.empty() || is_missing_word(text.text))
          continue;
        fits = parse_date(text.text, pattern).has_value();
        if (!fits || ++seen == 20)
          break;
      }
      if (fits && seen > 0)
        fitting.push_back(pattern);
    }
    std::vector<Text> words;
    std::vector<Text> others;
    std::vector<std::string> whole;
    for (const auto& pattern : fitting)
      if (mostly([&](std::string_view text) { return parse_date(text, pattern).has_value(); }, words, others))
        whole.push_back(pattern);
    if (whole.empty())
      return false;
    auto chosen = whole.front();
    const auto day_is_first = [](const std::string& pattern) {
      return pattern.find('D') < pattern.find('M');
    };
    const auto other_order = std::find_if(whole.begin(), whole.end(), [&](const std::string& pattern) {
      return pattern.size() == chosen.size() && day_is_first(pattern) != day_is_first(chosen) &&
             has(pattern, 'D');
    });
    if (other_order != whole.end() && chosen[0] != 'Y') {
      const bool first = options_.day_first.value_or(chosen.find('/') == std::string::npos);
      if (day_is_first(chosen) != first)
        chosen = *other_order;
      found_.warnings.push_back("all dates can be read with the day or the month first; taken as " + chosen +
                                " (--day-first, --month-first)");
    }
    mostly([&](std::string_view text) { return parse_date(text, chosen).has_value(); }, words, others);
    take_missing(words);
    found_.format.role = ColumnRole::date;
    found_.format.pattern = chosen;
    return true;
  }
  static bool has_date_shape(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return c == '-' || c == '/' || c == '.' || c == ':'; });
  }

  bool numbers() {
    auto marks = MarksFinder(texts_).find();
    // Letters before a number are a currency or make it a code, such as t12; behind it they are a unit.
    if (marks.suffix.size() > 8 || !MarksFinder::is_mark(marks.prefix, true) ||
        !MarksFinder::is_mark(marks.suffix, false))
      return false;
    std::vector<Text> words;
    std::vector<Text> others;
    std::string scratch;
    const auto number = [&](std::string_view text) { return parse_marked(text, marks, scratch); };
    const bool all = mostly([&](std::string_view text) { return number(text).has_value(); }, words, others);
    std::size_t other_rows = 0;
    for (const auto& text : others)
      other_rows += text.rows;
    if (!all) {
      // A total below the last row, or a word for nothing that is not known: it would turn numbers into
      // texts.
      if (!others.empty() && others.size() <= 3 && other_rows * 200 <= present_ && present_ >= 20 &&
          !codes(marks)) {
        std::string names;
        for (const auto& text : others)
          names += (names.empty() ? "" : ", ") + where(text);
        throw SchemaError(
            "column '" + found_.format.name + "' holds numbers, but for " + names +
            ": take that out (is it a footer?), say that it is a missing value (--missing), or that the "
            "column is of categories (--categorical)");
      }
      return false;
    }
    if (codes(marks))
      return false;
    take_missing(words);
    auto& format = found_.format;
    format.role = ColumnRole::integer;
    bool large = false; // a double does not hold all digits
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (const auto& text : texts_) {
      const double value = *number(text.text);
      large = large || std::abs(value) >= 0x1p53;
      least = std::min(least, value);
      most = std::max(most, value);
      if (text.text.find(marks.decimal) != std::string_view::npos || value != std::floor(value) ||
          text.text.find_first_of("eE") != std::string_view::npos)
        format.role = ColumnRole::real;
    }
    format.marks = std::move(marks);
    if (format.role == ColumnRole::integer && large) {
      const bool range = whole_range();
      if (key(range ? distance(found_.most, found_.least) : std::nullopt, found_.most, !range))
        return true;
      if (!range || texts_.size() == 1) { // a double would not hold their digits
        format.marks = {};
        format.role = ColumnRole::category;
        return false;
      }
      format.origin = origin_below(found_.least, found_.most);
      return true;
    }
    if (format.role == ColumnRole::integer &&
        key(most - least, whole_number(static_cast<std::int64_t>(most)), false))
      return true;
    if (format.marks.prefix.empty() && format.marks.suffix.empty() && format.role == ColumnRole::integer &&
        texts_.size() > 100 && texts_.size() * 10 > present_ && quoted_only())
      found_.warnings.emplace_back("numbers in quotes are read as numbers; if they are codes: --categorical");
    return true;
  }
  bool quoted_only() const {
    return !found_.format.quoted &&
           std::all_of(texts_.begin(), texts_.end(), [](const Text& text) { return text.quoted; });
  }
  /// Numbers that are codes: with zeros in front, such as 00501, or like 34E2 and 12D4.
  bool codes(const NumberMarks& marks) {
    std::size_t zeros = 0;
    std::size_t exponents = 0;
    std::size_t plain = 0;
    for (const auto& text : texts_) {
      std::string_view digits = text.text;
      if (digits.starts_with(marks.prefix))
        digits.remove_prefix(marks.prefix.size());
      const auto first = digits.find_first_not_of("+-");
      digits = first == std::string_view::npos ? std::string_view() : digits.substr(first);
      if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1]))
        zeros += text.rows;
      const auto e = digits.find_first_of("eE");
      if (e != std::string_view::npos && digits[e] == 'E' && digits.find('.') == std::string_view::npos &&
          e + 1 < digits.size() && is_digit(digits[e + 1]))
        exponents += text.rows;
      else if (e != std::string_view::npos)
        ++plain;
    }
    if (zeros > 0 && found_.notes.empty())
      found_.notes.emplace_back("numbers with zeros in front are taken as codes, not as numbers");
    return zeros > 0 || (exponents > 0 && plain == 0);
  }
  /// Finds the ends of whole numbers. \returns whether they are less than 2^53 apart
  bool whole_range() {
    std::string scratch;
    bool first = true;
    for (const auto& text : texts_) {
      const auto number = parse_marked_whole(text.text, found_.format.marks, scratch);
      if (!number)
        return false;
      if (std::exchange(first, false))
        found_.least = found_.most = *number;
      found_.least = *number < found_.least ? *number : found_.least;
      found_.most = found_.most < *number ? *number : found_.most;
    }
    return distance(found_.most, found_.least).has_value();
  }
  /// A whole-numbered column that is a key: it counts rows, or is called so and never repeats.
  /// \param range  between the least and the most of its numbers; nothing where a double does not hold it
  bool key(const std::optional<double>& range, const WholeNumber& most, bool wide) {
    if (present_ < 20 || texts_.size() != present_ || found_.missing_rows > 0)
      return false;
    if (left_out_ > 0 && all_distinct_ < present_in_all() * 9 / 10) // an estimate
      return false;
    const bool counts = range == static_cast<double>(present_ + left_out_ - 1);
    if (!counts && !wide && !named_like_a_key())
      return false;
    auto& format = found_.format;
    format.role = ColumnRole::identifier;
    const auto next = signed_number(at_distance(most, 1));
    if (!wide && next) {
      format.pattern = "#"; // goes on where the table ends: no key is one of its rows'
      format.first = *next;
      return true;
    }
    format.pattern = shape();
    if (format.pattern.empty()) { // of different lengths: new ones are longer than all
      std::size_t longest = 0;
      for (const auto& text : texts_)
        longest = std::max(longest, text.text.size());
      format.pattern = "1" + std::string(longest, '9');
    }
    return true;
  }
  bool named_like_a_key() const {
    std::string name;
    for (const char c : found_.format.name)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (const std::string_view word :
         {"id", "key", "uuid", "guid", "index", "idx", "nr", "number", "code"}) {
      if (name == word)
        return true;
      if (name.size() > word.size() + 1 && name.ends_with(word) &&
          !std::isalpha(static_cast<unsigned char>(name[name.size() - word.size() - 1])))
        return true;
    }
    return found_.format.name.size() > 2 && found_.format.name.ends_with("ID") &&
           std::islower(static_cast<unsigned char>(found_.format.name[found_.format.name.size() - 3]));
  }

  /// Categories, keys or free texts.
  void words() {
    const std::size_t different = left_out_ > 0 ? all_distinct_ : distinct();
    const std::size_t present = present_in_all();
    auto& format = found_.format;
    format.role = ColumnRole::category;
    if (present < 20 || static_cast<double>(different) < options_.unique_share * static_cast<double>(present))
      return;
    const bool unique = 100 * different >= (left_out_ > 0 ? 90U : 95U) * present;
    if (unique) {
      if (is_uuid()) {
        format.role = ColumnRole::identifier;
        format.pattern = "uuid";
        return;
      }
      if (auto pattern = shape(); !pattern.empty()) {
        format.role = ColumnRole::identifier;
        format.pattern = std::move(pattern);
        return;
      }
    }
    format.role = ColumnRole::text;
    found_.notes.push_back((left_out_ > 0 ? "about " : "") + std::to_string(different) +
                           " different texts in " + std::to_string(present) +
                           " rows: free text, which is not learnt; generated rows hold a placeholder "
                           "(--categorical, --drop)");
  }
  bool is_uuid() const {
    return std::all_of(texts_.begin(), texts_.end(), [](const Text& text) {
      if (text.text.size() != 36)
        return false;
      for (std::size_t i = 0; i < 36; ++i) {
        const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? text.text[i] != '-' : !std::isxdigit(static_cast<unsigned char>(text.text[i])))
          return false;
      }
      return true;
    });
  }
  /// The pattern that all texts share, as `append_identifier` reads it; empty if they share none, or blanks
  /// say that they are sentences. Where real keys are so dense that a new one could be one of them, it has
  /// one place more.
  std::string shape() {
    const std::string_view first = texts_.front().text;
    if (first.size() > 64)
      return {};
    std::string shape;
    for (std::size_t i = 0; i < first.size(); ++i) {
      bool same = true;
      bool digits = true;
      bool capitals = true;
      bool small = true;
      bool hexadecimal = true;
      for (const auto& text : texts_) {
        if (text.text.size() != first.size())
          return {};
        const auto c = static_cast<unsigned char>(text.text[i]);
        same = same && text.text[i] == first[i];
        digits = digits && is_digit(text.text[i]);
        capitals = capitals && std::isupper(c) != 0;
        small = small && std::islower(c) != 0;
        hexadecimal = hexadecimal && (is_digit(text.text[i]) || (c >= 'a' && c <= 'f'));
      }
      if (same)
        shape +=
            std::string(std::string_view("9Aah\\").find(first[i]) != std::string_view::npos ? "\\" : "") +
            first[i];
      else if (digits || capitals || small || hexadecimal)
        shape += digits ? '9' : capitals ? 'A' : small ? 'a' : 'h';
      else
        return {};
    }
    const auto room = static_cast<double>(identifier_room(shape));
    if (room < 1e7 * static_cast<double>(present_ + left_out_)) {
      std::size_t last = shape.size();
      for (std::size_t i = 0; i < shape.size(); ++i)
        if (shape[i] == '\\')
          ++i;
        else if (std::string_view("9Aah").find(shape[i]) != std::string_view::npos)
          last = i;
      if (last == shape.size())
        return {};
      shape.insert(last, 1, shape[last]);
      found_.notes.emplace_back("new keys have one place more, so that none is one of the table's");
    }
    return shape;
  }

  /// Cells of the file, all rows of it, that are no missing values.
  std::size_t present_in_all() const {
    return left_out_ == 0 ? present_ : static_cast<std::size_t>(static_cast<double>(present_) * times_);
  }

  const RoleOptions& options_;
  std::size_t all_distinct_;
  double times_ = 1; ///< rows of the file for one of the column
  FoundFormat found_;
  std::vector<Text> texts_; ///< that are no missing values
  std::size_t present_ = 0;
  std::size_t left_out_ = 0; ///< rows of the file that the column has not
  std::size_t most_missing_ = 0;
};

} // namespace detail

/// What a column's texts mean and how they are written. \param category  it is declared to be one \param
/// all_rows, all_distinct  of the file and its texts, where the column has some of its rows; its first and
/// its last number must be among them \throws SchemaError for a column of numbers of which a row or two hold
/// something else
inline FoundFormat infer_format(const TextColumn& column, const std::string& name,
                                const RoleOptions& options = {}, bool category = false,
                                std::size_t all_rows = 0, std::size_t all_distinct = 0) {
  return detail::RoleFinder(column, name, options, all_rows, all_distinct).find(category);
}

ROWSMITH_END
