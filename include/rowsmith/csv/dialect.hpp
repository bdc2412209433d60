// SPDX-License-Identifier: MIT
/// \file
/// How a file of unknown origin is written down: found out from its first lines.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/csv/encoding.hpp>
#include <rowsmith/csv/file_opener.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/csv/options.hpp>

ROWSMITH_BEGIN

/// What the caller knows of a file; the rest is found out.
struct DialectOptions {
  std::optional<char> delimiter{};
  std::optional<TextEncoding> encoding{};
  std::optional<bool> header{};
  /// Of a file like this one: what it is if it is no UTF-8 and has no mark.
  TextEncoding encoding_like = TextEncoding::utf8;
};

/// How a file is written down.
struct CsvDialect {
  char delimiter = ',';
  bool header = true;
  TextEncoding encoding = TextEncoding::utf8;
  bool byte_order_mark = false;     ///< the file begins with one
  bool carriage_returns = false;    ///< lines end in these alone
  bool crlf = false;                ///< lines end in both
  bool separator_line = false;      ///< the first line says which character separates fields, as `sep=;`
  std::size_t skipped_lines = 0;    ///< before the header: a title, or `sep=`
  std::vector<std::string> notes{}; ///< what is unusual about it, one sentence each

  /// In one line, such as "semicolons, UTF-8, with a header".
  std::string text() const {
    const std::string by = delimiter == ','    ? "commas"
                           : delimiter == ';'  ? "semicolons"
                           : delimiter == '\t' ? "tabs"
                           : delimiter == '|'  ? "pipes"
                                               : "'" + std::string(1, delimiter) + "'";
    std::string result =
        by + ", " + std::string(to_string(encoding)) + (header ? ", with a header" : ", no header");
    if (carriage_returns || crlf)
      result += carriage_returns ? ", lines end in CR" : ", lines end in CR LF";
    if (skipped_lines > 0)
      result +=
          ", " + std::to_string(skipped_lines) + (skipped_lines == 1 ? " line" : " lines") + " before it";
    return result;
  }
};

namespace detail {

/// Looks at the beginning of a file.
class DialectFinder {
public:
  /// How much of a file is looked at.
  static constexpr std::size_t sample_bytes = std::size_t{1} << 18U;

  /// \param whole  `bytes` are all there is
  DialectFinder(std::string name, std::string_view bytes, bool whole, const DialectOptions& options)
      : name_(std::move(name)), options_(options) {
    decode(bytes);
    cut_lines(whole);
  }

  /// \throws CsvError for a file that is none, or of lines that no delimiter cuts alike
  CsvDialect find() {
    separator_line();
    choose_delimiter();
    titles();
    header();
    return dialect_;
  }

private:
  void decode(std::string_view bytes) {
    const auto starts = [&](std::string_view mark) { return bytes.substr(0, mark.size()) == mark; };
    using namespace std::string_view_literals;
    if (starts("\xEF\xBB\xBF"sv)) {
      bytes.remove_prefix(3);
      dialect_.byte_order_mark = true;
    } else if (starts("\xFF\xFE"sv) || starts("\xFE\xFF"sv)) {
      dialect_.encoding = bytes[0] == '\xFF' ? TextEncoding::utf16_le : TextEncoding::utf16_be;
      bytes.remove_prefix(2);
      dialect_.byte_order_mark = true;
    } else {
      // Text of European languages in UTF-16 has a zero in every other byte.
      std::array<std::size_t, 2> zeros{};
      for (std::size_t i = 0; i < bytes.size(); ++i)
        zeros[i % 2] += bytes[i] == 0 ? 1U : 0U;
      const std::size_t pairs = bytes.size() / 2;
      if (pairs > 1 && zeros[1] > pairs / 2 && zeros[0] < pairs / 8)
        dialect_.encoding = TextEncoding::utf16_le;
      else if (pairs > 1 && zeros[0] > pairs / 2 && zeros[1] < pairs / 8)
        dialect_.encoding = TextEncoding::utf16_be;
      else if (options_.encoding_like == TextEncoding::latin1 &&
               first_not_utf8(bytes) != std::string_view::npos)
        dialect_.encoding = options_.encoding_like;
    }
    if (options_.encoding)
      dialect_.encoding = *options_.encoding;
    if (dialect_.encoding == TextEncoding::utf8) {
      sample_ = bytes;
      const std::size_t zero = sample_.find('\0');
      const std::size_t wrong = first_not_utf8(sample_);
      if (zero != std::string::npos && zero < wrong)
        fail_at(zero, "a zero byte, expected text: the file is damaged or not a CSV file");
      if (wrong != std::string_view::npos)
        fail_at(wrong,
                "byte " + std::to_string(wrong + 1) +
                    " is no UTF-8 text; if the file is from an old Windows program: --encoding latin-1 "
                    "(csv.encoding)");
    } else {
      TextDecoder(dialect_.encoding, false).decode(bytes, sample_);
      dialect_.notes.push_back("the file is read as " + std::string(to_string(dialect_.encoding)));
    }
  }

  [[noreturn]] void fail_at(std::size_t place, const std::string& what) const {
    const auto line = std::count(sample_.begin(), sample_.begin() + static_cast<std::ptrdiff_t>(place), '\n');
    throw CsvError(name_, 1 + static_cast<std::size_t>(line), 0, what);
  }
  void cut_lines(bool whole) {
    dialect_.carriage_returns =
        sample_.find('\n') == std::string::npos && sample_.find('\r') != std::string::npos;
    dialect_.crlf = !dialect_.carriage_returns && sample_.find("\r\n") != std::string::npos;
    if (dialect_.carriage_returns) {
      std::replace(sample_.begin(), sample_.end(), '\r', '\n');
      dialect_.notes.push_back("lines end in carriage returns alone");
    }
    // Records: line breaks in quotes do not end one.
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= sample_.size() && records_.size() < 2000; ++i) {
      if (i < sample_.size() && sample_[i] == '"')
        quoted = !quoted;
      const bool end = i == sample_.size();
      if ((end && (whole || records_.empty())) || (!end && sample_[i] == '\n' && !quoted)) {
        std::string_view record(sample_.data() + begin, i - begin);
        if (!record.empty() && record.back() == '\r')
          record.remove_suffix(1);
        if (!end || !record.empty())
          records_.push_back(record);
        begin = i + 1;
      }
    }
    if (std::all_of(records_.begin(), records_.end(), [](std::string_view record) { return blank(record); }))
      throw CsvError(name_, 0, 0, "the file is empty, expected rows");
  }
  static bool blank(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return is_blank(c) || c == '\r'; });
  }
  void separator_line() {
    const std::string_view first = records_.front();
    if (first.size() == 5 && (first.substr(0, 4) == "sep=" || first.substr(0, 4) == "SEP=")) {
      if (!options_.delimiter)
        options_.delimiter = first[4];
      dialect_.separator_line = true;
      skip(1, "the first line says which character separates fields");
    }
  }
  void skip(std::size_t lines, const std::string& why) {
    dialect_.skipped_lines += lines;
    records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(lines));
    if (!why.empty())
      dialect_.notes.push_back(why);
  }

  /// Number of fields of a record.
  static std::size_t fields(std::string_view record, char delimiter) {
    bool quoted = false;
    std::size_t count = 1;
    for (const char c : record) {
      quoted = quoted != (c == '"');
      count += !quoted && c == delimiter ? 1U : 0U;
    }
    return count;
  }
  /// The number of fields that most records have, and the share of records that do.
  std::pair<std::size_t, double> usual_fields(char delimiter) const {
    std::vector<std::size_t> counts;
    for (const auto record : records_)
      if (!blank(record))
        counts.push_back(fields(record, delimiter));
    std::sort(counts.begin(), counts.end());
    std::size_t best = 1;
    std::size_t most = 0;
    for (std::size_t first = 0, end = 0; first < counts.size(); first = end) {
      while (end < counts.size() && counts[end] == counts[first])
        ++end;
      if (end - first >= most) {
        most = end - first;
        best = counts[first];
      }
    }
    return {best, counts.empty() ? 0 : static_cast<double>(most) / static_cast<double>(counts.size())};
  }

  void choose_delimiter() {
    if (options_.delimiter) {
      dialect_.delimiter = *options_.delimiter;
      return;
    }
    // Marks of decimals and thousands are commas, too: what cuts the first record as it cuts the others wins,
    // then what cuts most records alike, then what makes most fields.
    constexpr std::string_view candidates = ",;\t|";
    double best = 0;
    char runner_up = 0;
    for (const char candidate : candidates) {
      const auto [count, share] = usual_fields(candidate);
      if (count < 2) {
        const auto with = std::count_if(records_.begin(), records_.end(), [&](std::string_view record) {
          return record.find(candidate) != std::string_view::npos;
        });
        if (2 * static_cast<std::size_t>(with) > records_.size())
          runner_up = candidate;
        continue;
      }
      const bool alike =
          std::any_of(
              records_.begin(),
              records_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(records_.size(), 5)),
              [&, count = count](std::string_view record) { return fields(record, candidate) == count; }) &&
          fields(first_wide(candidate), candidate) == count;
      const double score =
          (alike ? 4 : 0) + 2 * share + 1e-3 * static_cast<double>(std::min<std::size_t>(count, 500));
      if (score > best) {
        best = score;
        dialect_.delimiter = candidate;
      }
    }
    if (best == 0 && runner_up != 0)
      throw CsvError(name_, 0, 0,
                     "no delimiter cuts the lines into the same number of fields; it looks like '" +
                         std::string(runner_up == '\t' ? "\\t" : std::string(1, runner_up)) +
                         "': use --delimiter (csv.delimiter)");
  }
  /// The first record with more than one field; the first one if there is none.
  std::string_view first_wide(char delimiter) const {
    const auto found = std::find_if(records_.begin(), records_.end(),
                                    [&](std::string_view record) { return fields(record, delimiter) > 1; });
    return found == records_.end() ? records_.front() : *found;
  }

  /// Lines of one field above a table of several.
  void titles() {
    const auto [count, share] = usual_fields(dialect_.delimiter);
    if (count < 2 || share < 0.5)
      return;
    std::size_t lines = 0;
    while (lines < std::min<std::size_t>(records_.size(), 10) &&
           fields(records_[lines], dialect_.delimiter) < 2)
      ++lines;
    if (lines > 0 && lines < records_.size() && !blank(records_.front()))
      skip(lines, "skipped before the header: " + in_quotes(std::string(records_.front())));
  }

  void header() {
    if (options_.header) {
      dialect_.header = *options_.header;
      return;
    }
    // Names are texts, and stand over numbers; or they are numbers that count on, such as years. A first
    // record with other numbers over numbers is a row.
    const auto first = split(records_.front());
    std::vector<std::size_t> numbers(first.size());
    std::vector<std::size_t> others(first.size());
    for (std::size_t r = 1; r < std::min<std::size_t>(records_.size(), 50); ++r) {
      const auto record = split(records_[r]);
      for (std::size_t c = 0; c < std::min(record.size(), first.size()); ++c)
        if (!record[c].empty())
          ++(parse_number(record[c]) ? numbers : others)[c];
    }
    bool name_over_numbers = false;
    bool number_over_numbers = false;
    std::vector<double> counted;
    for (std::size_t c = 0; c < first.size(); ++c) {
      const auto number = parse_number(first[c]);
      const bool numerical = numbers[c] > 4 * others[c];
      name_over_numbers = name_over_numbers || (numerical && !number && !first[c].empty());
      number_over_numbers = number_over_numbers || (numerical && number);
      if (number)
        counted.push_back(*number);
    }
    bool counts_on = counted.size() > 1;
    for (std::size_t i = 1; i < counted.size(); ++i)
      counts_on = counts_on && counted[i] == counted[i - 1] + 1;
    dialect_.header = name_over_numbers || counts_on || !number_over_numbers;
    if (!dialect_.header)
      dialect_.notes.push_back("the first line has numbers in it and is taken for a row, not for names; "
                               "--header (csv.header) if they are names");
  }
  std::vector<std::string> split(std::string_view record) const {
    std::vector<std::string> result(1);
    bool quoted = false;
    for (const char c : record) {
      if (c == '"')
        quoted = !quoted;
      else if (!quoted && c == dialect_.delimiter)
        result.emplace_back();
      else if (!is_blank(c) || quoted)
        result.back() += c;
    }
    return result;
  }

  std::string name_;
  DialectOptions options_;
  CsvDialect dialect_;
  std::string sample_;
  std::vector<std::string_view> records_;
};

} // namespace detail

/// Finds out how a file is written down, from its first 256 KiB. \throws CsvError if it cannot be read, is
/// empty or no text of its encoding
inline CsvDialect find_dialect(const std::string& path, const DialectOptions& options = {},
                               const FileOpener& open = {}) {
  const std::unique_ptr<std::istream> in =
      open ? open(path) : std::make_unique<std::ifstream>(path, std::ios::binary);
  if (!*in)
    throw CsvError(path, 0, 0, "cannot be opened for reading");
  std::string bytes(detail::DialectFinder::sample_bytes, '\0');
  in->read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto count = static_cast<std::size_t>(in->gcount());
  const bool whole = count < bytes.size();
  return detail::DialectFinder(path, std::string_view(bytes).substr(0, count), whole, options).find();
}

ROWSMITH_END
